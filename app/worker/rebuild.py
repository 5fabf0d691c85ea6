"""Rebuild: the mailbox is the backup of the team's state. After the database was lost, owner, status, star and tags are
restored from the messages on the server.

An import does most of this anyway. So unknown mail is read first. Remaining differences are then taken from the server,
as by `flask mailbox drift --take-theirs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.tag import ConversationTag
from app.inbox.history.event import Event
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.health import health
from app.inbox.status import Status
from app.sync.compare.drift import Drift
from app.worker.process import read_once
from app.worker.service import SERVED_ELSEWHERE
from config import Config

#: Seconds to wait for the worker that serves the mailbox, before checking its progress.
_ASK_AGAIN = 2.0

_SNOOZED_THERE = (Conversation.status == Status.SNOOZED, Conversation.mirrored.is_(False))


@dataclass(frozen=True)
class Rebuilt:
    """The restored state. Three things could not be restored: `names` own conversations but are no members who may own
    them (name -> number); `disputed` have several owners; for `hours_lost` the end of the snooze was not on the server.
    The rest is as in `health`."""

    conversations: int
    owned: int
    tagged: int
    starred: int
    statuses: Mapping[str, int]
    names: Mapping[str, int]
    disputed: Sequence[int]
    hours_lost: int
    left_out: int
    unreadable: int
    missing: int
    database_only: bool  # this server keeps no keywords


def read(mailbox_id: int, config: Config) -> str | None:
    """Read all mail on the server. If a worker runs, it reads, and we wait for it. Returns the error in one line, or
    None."""
    patience = 0.0
    while True:
        if _paused(mailbox_id):
            return "it is paused: `flask mailbox resume` first"
        error = read_once(config, mailbox_id, patience)
        if error != SERVED_ELSEWHERE:
            return error
        with transaction() as session:
            mailbox = session.get_one(Mailbox, mailbox_id)
            if mailbox.failing_since is not None:
                return mailbox.error_text
            if mailbox.imported_at is not None and not any(f.watched and f.importing for f in mailbox.folders):
                return None
        patience = _ASK_AGAIN


def split(mailbox_id: int, differences: Drift) -> tuple[Drift, Drift]:
    """Separate the differences: without, and with, an act by a member in this database."""
    with transaction() as session:
        acts = select(Event.conversation_id).where(Event.mailbox_id == mailbox_id, Event.member_id.is_not(None))
        acted = set(session.scalars(acts.distinct()))
    free = [line for line in differences.lines if line.conversation not in acted]
    theirs = [line for line in differences.lines if line.conversation in acted]
    return Drift(free, differences.seen), Drift(theirs, differences.seen)


def report(mailbox_id: int) -> Rebuilt:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        well = health(session, mailbox)
        return Rebuilt(
            conversations=_count(session, mailbox),
            owned=_count(session, mailbox, Conversation.assignee_id.is_not(None)),
            tagged=_count(session, mailbox, exists().where(ConversationTag.conversation_id == Conversation.id)),
            starred=_count(session, mailbox, Conversation.starred.is_(True)),
            statuses={status: _count(session, mailbox, Conversation.status == status) for status in Status},
            names=_names(session, mailbox),
            disputed=_disputed(session, mailbox),
            hours_lost=_count(session, mailbox, *_SNOOZED_THERE),
            left_out=well.left_out,
            unreadable=well.unreadable,
            missing=well.missing,
            database_only=mailbox.mode == Mode.DATABASE,
        )


def _paused(mailbox_id: int) -> bool:
    with transaction() as session:
        return session.get_one(Mailbox, mailbox_id).paused_at is not None


def _count(session: Session, mailbox: Mailbox, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Conversation).where(*_here(mailbox), *where)) or 0


def _names(session: Session, mailbox: Mailbox) -> dict[str, int]:
    rows = session.execute(
        select(Conversation.assigned_name, func.count())
        .where(*_here(mailbox), Conversation.assigned_name.is_not(None))
        .group_by(Conversation.assigned_name)
        .order_by(func.count().desc(), Conversation.assigned_name)
    )
    return {name: count for name, count in rows if name is not None}


def _disputed(session: Session, mailbox: Mailbox) -> Sequence[int]:
    disputed = Conversation.conflict["register"].astext == "owner"
    return session.scalars(
        select(Conversation.number).where(*_here(mailbox), disputed).order_by(Conversation.number)
    ).all()


def _here(mailbox: Mailbox) -> tuple[ColumnElement[bool], ...]:
    return Conversation.mailbox_id == mailbox.id, Conversation.merged_into_id.is_(None)
