"""A worker's round in its own process, which kills itself (kill -9) after one of its commits if requested."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess
from typing import Any

from nacl.public import PrivateKey
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from app import db
from app.mail.child import MailParser
from app.worker.service import Service
from tests.forked import processes
from tests.sync import stage


def start_round(database: str, mailbox_id: int, *, dies_after: int = 0) -> BaseProcess:
    """`dies_after`: the number of the writing commit after which it dies; 0: none."""
    process = processes.Process(target=_round, args=(database, mailbox_id, bytes(stage.KEY), dies_after))
    process.start()
    return process


def _round(database: str, mailbox_id: int, seal_key: bytes, dies_after: int) -> None:
    db.connect(database)
    if dies_after:
        _die_after(dies_after)
    public = bytes(PrivateKey(seal_key).public_key)
    with MailParser() as parser:
        error = Service(mailbox_id, stage.config(seal_key=seal_key, seal_public_key=public), parser).once(30)
    os._exit(error is not None)


def _die_after(dies_after: int) -> None:
    written = 0

    def will_commit(connection: Connection) -> None:
        nonlocal written
        written += bool(connection.scalar(text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")))

    def has_committed(*_: Any) -> None:
        if written == dies_after:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(db.engine(), "commit", will_commit)
    event.listen(Session, "after_commit", has_committed)
