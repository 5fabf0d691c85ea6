"""A worker as in production: a separate process, which a test may stop, suspend or kill."""

from __future__ import annotations

import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.forked import Program
from tests.sync.stage import KEY
from tests.waiting import PATIENCE, eventually


@dataclass
class Worker:
    process: Program
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it like a power cut."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def said(self, words: str) -> bool:
        return words in self.log.read_text()

    def was_cut_off(self) -> bool:
        """Whether it lost the database while it was suspended: between two transactions, or during one."""
        return self.said("another worker may serve it now") or self.said("the database does not answer")


def settings(database: str, home: Path) -> dict[str, str]:
    """The environment of a worker."""
    return {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": database,
        "SIGNALBOX_HOME": str(home),
        "SIGNALBOX_SECRET_KEY": "x" * 32,
        "SIGNALBOX_SEAL_KEY": b64encode(bytes(KEY)).decode(),
        "SIGNALBOX_SYNC_SECONDS": "5",
    }


@contextmanager
def worker(database: str, home: Path, *, name: str = "worker") -> Iterator[Worker]:
    """`flask worker` on this database, until the end of the test."""
    log = home / f"{name}.log"
    log.touch()
    process = Program("flask", "worker", environment=settings(database, home), out=log)
    started = Worker(process, log)
    try:
        eventually(lambda: started.said("the worker runs") or process.returncode is not None, 2 * PATIENCE)
        yield started
        assert process.returncode in (None, -signal.SIGKILL), log.read_text()
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)
