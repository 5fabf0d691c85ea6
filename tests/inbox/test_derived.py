"""Each derived rule gives the same answer in SQL and in Python."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.derived import (
    LATE,
    OVER,
    UNASSIGNED,
    is_unassigned,
    place_of,
    sql,
    wait_level,
    waiting_since,
)
from app.inbox.conversations.message import MACHINES, Message
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status
from tests.cast import FOLDERS, Cast, arrival, arrive, conversation, mailbox, member
from tests.conftest import Clock

_on_real_tables = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_START = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Lying:
    """A copy's folder and wanted folder, as numbers."""

    folder: int
    wanted: int | None
    deleted: bool
    gone_minutes: int | None


@dataclass(frozen=True)
class Mail:
    minute: int
    sent: bool
    machine: str | None
    copies: list[Lying]


_folders = st.integers(0, len(FOLDERS) - 1)
_lying = st.builds(
    Lying,
    folder=_folders,
    wanted=st.none() | _folders,
    deleted=st.booleans(),
    gone_minutes=st.none() | st.sampled_from([0, 5, 20]),
)
_mails = st.builds(
    Mail,
    minute=st.integers(0, 5),
    sent=st.booleans(),
    machine=st.none() | st.sampled_from(MACHINES),
    copies=st.lists(_lying, min_size=1, max_size=2),
)


@_on_real_tables
@given(mails=st.lists(_mails, min_size=1, max_size=5), handled=st.none() | st.integers(0, 5))
def test_waiting_since_and_place_are_the_same_in_sql_and_in_python(
    cast: Cast, session: Session, mails: list[Mail], handled: int | None
) -> None:
    with session.begin_nested() as example:
        c = _conversation_of(session, mails)
        c.handled_at = None if handled is None else _START + dt.timedelta(minutes=handled)
        copies = [(copy, message.direction) for message in c.messages for copy in message.copies]
        expected = (waiting_since(c.messages, c.handled_at), place_of(c, copies))
        refresh(session, [c.id])
        assert (c.waiting_since, c.place) == expected
        example.rollback()


@_on_real_tables
@given(mails=st.lists(_mails, min_size=1, max_size=5))
def test_the_inbound_copies_that_are_there_are_enough_to_know_the_place(
    cast: Cast, session: Session, mails: list[Mail]
) -> None:
    with session.begin_nested() as example:
        c = _conversation_of(session, mails)
        copies = [(copy, message.direction) for message in c.messages for copy in message.copies]
        inbound = [(copy, direction) for copy, direction in copies if copy.gone_at is None and direction == "in"]
        assert place_of(c, inbound) == (place_of(c, copies) if inbound else c.place)
        example.rollback()


@_on_real_tables
@given(
    status=st.sampled_from(Status),
    owner=st.sampled_from([None, "carla", "somebody-else"]),
    place=st.sampled_from(["here", "trash", "gone", "merged"]),
)
def test_unassigned_is_the_same_in_sql_and_in_python(
    cast: Cast, session: Session, status: Status, owner: str | None, place: str
) -> None:
    with session.begin_nested() as example:
        c = conversation(session)
        c.status, c.place = status, place
        c.assignee = member(session, "carla") if owner == "carla" else None
        c.assigned_name = owner if owner == "somebody-else" else None
        session.flush()
        unassigned = session.scalar(select(Conversation.id).where(Conversation.id == c.id, sql(UNASSIGNED)))
        assert (unassigned == c.id) == is_unassigned(c)
        example.rollback()


@_on_real_tables
@given(late=st.integers(1, 90), more=st.integers(0, 90), waited=st.integers(0, 200))
def test_late_and_over_are_the_same_in_sql_and_in_python(
    cast: Cast, session: Session, clock: Clock, late: int, more: int, waited: int
) -> None:
    with session.begin_nested() as example:
        c = conversation(session)
        box = mailbox(session)
        box.late_minutes, box.over_minutes = late, late + more
        c.waiting_since = clock.at - dt.timedelta(minutes=waited)
        session.flush()
        ask = select(text(LATE), text(OVER)).select_from(Conversation).join(Mailbox).where(Conversation.id == c.id)
        is_late, is_over = session.execute(ask, {"now": clock.at}).one()
        assert wait_level(c.waiting_since, box) == ("over" if is_over else "late" if is_late else "")
        example.rollback()


def _conversation_of(session: Session, mails: list[Mail]) -> Conversation:
    box = mailbox(session)
    received = arrive(session, *(_arrival(box, mail) for mail in mails))
    id_ = received[0].conversation_id
    for one, mail in zip(received, mails, strict=True):
        message = session.get_one(Message, one.message_id)
        message.conversation_id = id_
        _lay(session, message, mail.copies, box.folders)
    session.flush()
    session.expire_all()
    return session.get_one(Conversation, id_)


def _arrival(box: Mailbox, mail: Mail) -> Arrival:
    at = _START + dt.timedelta(minutes=mail.minute)
    return arrival(box, received_at=at, direction="out" if mail.sent else "in", machine=mail.machine)


def _lay(session: Session, message: Message, copies: list[Lying], folders: list[Folder]) -> None:
    """The first of `copies` is the copy that arrived; the others are added."""
    [arrived] = message.copies
    more = [Copy(message=message, uidvalidity=1, uid=10**6 + message.id * 10 + n) for n in range(1, len(copies))]
    for copy, lying in zip([arrived, *more], copies, strict=True):
        copy.folder_id = folders[lying.folder].id
        copy.wanted_folder_id = None if lying.wanted is None else folders[lying.wanted].id
        copy.keywords = ["\\Deleted"] if lying.deleted else []
        copy.gone_at = None if lying.gone_minutes is None else now() - dt.timedelta(minutes=lying.gone_minutes)
        session.add(copy)
