"""A machine's clock that jumps, for all of our code in a process and for its worker's timetable."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from apscheduler.schedulers import base
from nacl.public import PrivateKey

from app import db
from app.clock import now
from app.mail.child import MailParser
from app.worker.process import Worker
from tests.forked import processes
from tests.sync import stage
from tests.waiting import PATIENCE


class Leaping:
    """The error of the clock, in seconds."""

    def __init__(self, wrong_by: Synchronized[float] | None = None) -> None:
        self.wrong_by: Synchronized[float] = wrong_by or processes.Value("d", 0.0)

    def leap(self, *, days: float) -> None:
        self.wrong_by.value += days * 86400

    def now(self) -> dt.datetime:
        return now() + dt.timedelta(seconds=self.wrong_by.value)

    def hang_up(self, change: Any) -> None:
        """Make everything use this clock: `change(module, name, value)`."""
        for name, module in list(sys.modules.items()):
            if name.startswith("app.") and vars(module).get("now") is now:
                change(module, "now", self.now)

        class Datetime(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # any datetime will do
                return self.now().astimezone(tz)

        change(base, "datetime", Datetime)


@contextmanager
def worker_by(clock: Leaping, database: str) -> Iterator[None]:
    """A worker in its own process that uses this clock."""
    process = processes.Process(target=_work, args=(database, bytes(stage.KEY), clock.wrong_by))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(PATIENCE)
    assert process.exitcode == 0


def _work(database: str, seal_key: bytes, wrong_by: Synchronized[float]) -> None:
    Leaping(wrong_by).hang_up(setattr)
    db.connect(database)
    public = bytes(PrivateKey(seal_key).public_key)
    with MailParser() as parser:
        Worker(stage.config(seal_key=seal_key, seal_public_key=public), parser).run()
