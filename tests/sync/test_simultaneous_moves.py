"""A member moves a conversation at the moment when the worker records its move: nothing is lost."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import pytest
from sqlalchemy import ColumnElement, event, func, select, text, update

from app.db import engine, transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations import moves
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import retrying
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.sync.look.arrivals import FolderAt
from app.sync.pull import reset
from app.sync.push.push import push
from tests.cast import Cast, acting
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation
from tests.sync.test_odd_servers import folder, linked
from tests.waiting import eventually


class Meeting(ImapSession):
    """Something else happens between the server's answer to a move and the worker's record of it."""

    meet: ClassVar[Callable[[], None]]

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        places = super().move(uids, folder)
        type(self).meet()
        return places


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def somebody_waits_for_a_lock() -> bool:
    with engine().connect() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.scalar(waiting))


def move_back(held: Conversation, inbox: Folder, **told: Any) -> None:
    held.move(inbox, **told)


def call_no_spam(held: Conversation, _: Folder, **told: Any) -> None:
    held.reopen(**told)


@pytest.mark.parametrize(
    ("there", "back", "target"),
    [
        (lambda held, archive, **told: held.move(archive, **told), move_back, "Archive"),
        (lambda held, _, **told: held.mark_spam(**told), call_no_spam, "Junk"),
    ],
    ids=["moved", "spam"],
)
def test_a_move_back_at_the_moment_a_move_is_recorded_is_carried_out(
    stage: Stage, there: Callable[..., None], back: Callable[..., None], target: str
) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, there, folder(stage, "Archive"))
    has_read, is_recorded = threading.Event(), threading.Event()

    def pause(*_: object) -> None:
        """The verb has read the copies and has not written yet."""
        has_read.set()
        eventually(lambda: is_recorded.is_set() or somebody_waits_for_a_lock())

    def member() -> None:
        with transaction() as session:
            [held] = locked(session, [conversation(session, 1).id])
            event.listen(session, "before_flush", pause, once=True)
            back(held, held.mailbox.folder("inbox"), by=acting(session, "carla"))

    thread = threading.Thread(target=member)

    def meet() -> None:
        thread.start()
        assert has_read.wait(30)

    Meeting.meet = meet
    with linked(stage, Meeting) as link:
        push(link)
    is_recorded.set()
    thread.join(30)
    stage.round()
    stage.round()
    assert (len(stage.account.uids()), stage.account.uids(target)) == (1, [])
    with transaction() as session:
        here = conversation(session, 1)
        assert [copy.folder.name for copy in moves.inbound_copies(here)] == ["INBOX"]
        assert (here.status, here.push_needed) == ("open", False)


def lose(stage: Stage) -> None:
    with linked(stage, ImapSession) as link:
        inbox = folder(stage, "INBOX")
        reset.lose_all(link, FolderAt(inbox.id, inbox.name, inbox.role, inbox.uidvalidity or 0))


def settle(_: Stage) -> None:
    reset.expire_unmatched()


def resume(stage: Stage) -> None:
    with transaction() as session:
        retrying.resume(session.get_one(Mailbox, stage.mailbox_id), by=COMMAND)


@pytest.mark.parametrize(
    ("act", "before", "untouched"),
    [
        (lose, {}, Copy.unmatched_since.is_(None)),
        (settle, {"unmatched_since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, Copy.gone_at.is_(None)),
        (resume, {"refuses": ["assigned-carla"]}, text("refuses <> '{}'")),
    ],
    ids=["a folder is lost", "a lost copy is given up", "a mailbox is resumed"],
)
def test_copies_are_not_touched_before_their_conversation_is_free(
    stage: Stage, act: Callable[[Stage], None], before: dict[str, Any], untouched: ColumnElement[bool]
) -> None:
    stage.account.append(mail())
    stage.round()
    if before:
        with transaction() as session:
            session.execute(update(Copy).values(before))
    copies = select(func.count()).select_from(Copy).where(untouched)
    thread = threading.Thread(target=act, args=(stage,))
    with transaction() as session:
        locked(session, [conversation(session, 1).id])
        thread.start()
        eventually(somebody_waits_for_a_lock)
        with transaction() as other:
            assert other.scalar(copies) == 1
            other.execute(text("SELECT FROM copy FOR NO KEY UPDATE NOWAIT"))
    thread.join(30)
    with transaction() as session:
        assert session.scalar(copies) == 0
