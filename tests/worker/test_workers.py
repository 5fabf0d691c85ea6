"""Worker processes that are killed, suspended and continued: another one takes over, nothing is lost or done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from app import db
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.worker.holder import Holder, LockLost
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail
from tests.forked import PROJECT
from tests.sync.stage import Stage, connected
from tests.waiting import eventually
from tests.worker.process import Worker, worker

pytestmark = pytest.mark.faults

#: Another worker tries to serve a mailbox.
_TAKE = """
import sys
from app import db
from app.worker.holder import Holder
sys.exit(not Holder(db.connect(sys.argv[1]), int(sys.argv[2])).take())
"""
#: A worker that serves a mailbox and is suspended during an act.
_FROZEN_IN_AN_ACT = """
import sys
from sqlalchemy import text
from app import db
from app.worker.holder import Holder
holder = Holder(db.connect(sys.argv[1]), int(sys.argv[2]))
assert holder.take()
with db.transaction() as session:
    session.execute(text("SELECT id FROM conversation FOR UPDATE"))
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A connected mailbox on sdbox."""
    with connected(account, parser) as stage:
        yield stage


def count(stage: Stage, table: type[Conversation] | type[Message]) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).where(table.mailbox_id == stage.mailbox_id)) or 0


def holder(stage: Stage) -> int | None:
    """The backend of the worker that serves the mailbox, if it holds the lock."""
    with transaction() as session:
        found: int | None = session.scalar(
            text(
                "SELECT holder_pid FROM mailbox JOIN pg_locks ON pid = holder_pid AND locktype = 'advisory' AND granted"
                " AND objid = mailbox.id WHERE mailbox.id = :id"
            ),
            {"id": stage.mailbox_id},
        )
    return found


def test_one_worker_serves_every_mailbox(
    stage: Stage, sdbox_server: LocalDovecot, parser: MailParser, database: str, tmp_path: Path
) -> None:
    other = fresh_account(sdbox_server)
    with connected(other, parser, name="Bakery") as bakery, worker(database, tmp_path):
        with transaction() as session:
            session.get_one(Mailbox, stage.mailbox_id).paused_at = None
        for place in (stage, bakery):
            place.account.append(mail())
        eventually(lambda: count(stage, Conversation) == count(bakery, Conversation) == 1)
        with transaction() as session:
            for one in session.scalars(select(Conversation)):
                one.mark_spam(by=COMMAND)
        eventually(lambda: stage.account.uids("Junk") and bakery.account.uids("Junk"))


def test_when_a_worker_is_killed_another_takes_over(stage: Stage, database: str, tmp_path: Path) -> None:
    with worker(database, tmp_path, name="first") as first:
        eventually(lambda: holder(stage))
        before = holder(stage)
        with worker(database, tmp_path, name="second"):
            stage.account.append(mail())
            eventually(lambda: count(stage, Conversation) == 1)
            assert holder(stage) == before
            first.kill()
            stage.account.append(mail())
            eventually(lambda: count(stage, Conversation) == 2)
            assert holder(stage) not in (None, before)


def test_a_frozen_worker_is_replaced_and_does_nothing_when_it_wakes(
    stage: Stage, database: str, tmp_path: Path
) -> None:
    with worker(database, tmp_path, name="frozen") as frozen:
        stage.account.append(mail())
        eventually(lambda: count(stage, Conversation) == 1)
        before = holder(stage)
        eventually(lambda: silent_for_a_minute(frozen))
        with worker(database, tmp_path, name="second"):
            eventually(lambda: holder(stage) not in (None, before))
            second = holder(stage)
            stage.act(1, Conversation.claim)
            eventually(lambda: stage.shown() == {"assigned-carla"})
            stage.account.remove_flags(stage.uid(), "assigned-carla")
            eventually(lambda: events(stage, EventKind.RELEASED) == 1)
            frozen.signal(signal.SIGCONT)
            eventually(frozen.was_cut_off)
            stage.act(1, Conversation.close)
            eventually(lambda: stage.shown() == {"state-closed"})
            assert holder(stage) == second
            assert events(stage, EventKind.RELEASED) == 1


def test_the_next_waits_for_no_lock_of_one_that_was_frozen_in_an_act(stage: Stage, database: str) -> None:
    stage.account.append(mail())
    stage.round()
    next_ = Holder(db.engine(), stage.mailbox_id)
    command = [sys.executable, "-c", _FROZEN_IN_AN_ACT, database, str(stage.mailbox_id)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as frozen:
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == b"held\n"
        with transaction() as session:
            session.execute(text("UPDATE mailbox SET holder_beat_at = now() - interval '2 minutes'"))
        try:
            eventually(next_.take)
            with transaction() as session:
                session.execute(text("SELECT id FROM conversation FOR UPDATE NOWAIT"))
        finally:
            next_.release()
            frozen.kill()


def test_a_worker_with_one_silent_lock_keeps_its_other_connections(
    stage: Stage, sdbox_server: LocalDovecot, parser: MailParser, database: str
) -> None:
    """Its own end of that lock's connection is gone, for example, and Postgres does not know."""
    with connected(fresh_account(sdbox_server), parser, name="Bakery") as bakery:
        silent, beating = Holder(db.engine(), stage.mailbox_id), Holder(db.engine(), bakery.mailbox_id)
        command = [sys.executable, "-c", _TAKE, database, str(stage.mailbox_id)]
        assert (silent.take(), beating.take()) == (True, True)
        with transaction() as session:
            session.execute(
                text("UPDATE mailbox SET holder_beat_at = now() - interval '2 minutes' WHERE id = :id"),
                {"id": stage.mailbox_id},
            )
        try:
            eventually(lambda: subprocess.run(command, cwd=PROJECT).returncode == 0)
            with pytest.raises(LockLost):
                silent.check()
            beating.check()
        finally:
            silent.release()
            beating.release()


def silent_for_a_minute(frozen: Worker) -> bool:
    """Suspend it, and set its last heartbeat to long ago instead of waiting. False: it holds the mailbox's row."""
    frozen.signal(signal.SIGSTOP)
    try:
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            session.execute(text("UPDATE mailbox SET holder_beat_at = now() - interval '2 minutes'"))
    except OperationalError:
        frozen.signal(signal.SIGCONT)
        return False
    return True


def test_a_worker_killed_while_importing_loses_and_doubles_nothing(stage: Stage, database: str, tmp_path: Path) -> None:
    wanted = 900
    with stage.account.open() as imap:
        for number in range(wanted):
            imap.append("INBOX", mail(f"No {number}"))
    for stored in (1, 401):
        with worker(database, tmp_path) as one:
            eventually(partial(_has, stage, stored))
            one.kill()
    with worker(database, tmp_path):
        eventually(lambda: count(stage, Message) == wanted)
        eventually(lambda: imported(stage))
    assert known(stage) == stage.account.uids()
    assert count(stage, Conversation) == wanted
    assert events(stage, EventKind.IMPORTED) == wanted


def imported(stage: Stage) -> bool:
    with transaction() as session:
        return session.get_one(Mailbox, stage.mailbox_id).imported_at is not None


def known(stage: Stage) -> list[int]:
    with transaction() as session:
        return list(session.scalars(select(Copy.uid).where(Copy.gone_at.is_(None)).order_by(Copy.uid)))


def events(stage: Stage, kind: EventKind) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Event).where(Event.kind == kind)) or 0


def _has(stage: Stage, stored: int) -> bool:
    return count(stage, Message) >= stored
