"""Locks conversations for verbs. Several are always locked in the same order, so deadlocks cannot form."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session, lazyload
from sqlalchemy.sql.base import ExecutableOption

from app.db import any_of
from app.inbox.actor import Actor
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.derived import UNASSIGNED, sql
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Action, require

#: For a SELECT that waits for a lock. After the wait Postgres reads the row again, but not the rows joined to it. So
#: the new owner's id would come with the old owner's row.
ALONE = (lazyload(Conversation.mailbox), lazyload(Conversation.assignee))

_HOLD = text("SELECT id, revision FROM conversation WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")


def claim_next(session: Session, mailbox: Mailbox, *, by: Actor) -> Conversation | None:
    """Claim the conversation that has waited longest for an owner. Simultaneous callers get different ones."""
    require(by, Action.CLAIM, mailbox)
    waits = (
        Conversation.mailbox_id == mailbox.id,
        sql(UNASSIGNED),
        Conversation.waiting_since.is_not(None),
    )
    longest = select(Conversation).where(*waits).order_by(Conversation.waiting_since, Conversation.id).limit(1)
    conversation = session.scalar(for_verbs(longest, skip_locked=True))
    if conversation is not None:
        conversation.claim(by=by)
    return conversation


def locked(session: Session, ids: Iterable[int], *load: ExecutableOption) -> list[Conversation]:
    """The present state of the conversations, locked for verbs, ordered by id. Several are always locked in this order.
    `load`: related rows to read for all of them at once."""
    unique_ids = set(ids)
    query = select(Conversation).where(Conversation.id == any_of(unique_ids)).order_by(Conversation.id)
    return list(session.scalars(for_verbs(query).options(*load))) if unique_ids else []


def lock_rows(session: Session, ids: Iterable[int]) -> dict[int, int]:
    """Lock conversations without loading them: id -> revision of those that exist."""
    return {row[0]: row[1] for row in session.execute(_HOLD, {"ids": sorted(set(ids))})}


def locked_copies(session: Session, copy_ids: Iterable[int]) -> list[Copy]:
    """The present state of the copies, locked after their conversations, ordered by id.

    A verb that waits for a conversation reads its copies after us. A verb that had the lock has already recorded what
    it wants."""
    ids = sorted(copy_ids)
    their_conversations = select(Message.conversation_id).join(Copy).where(Copy.id.in_(ids)).distinct()
    locked_ids: set[int] = set()
    # A merge may move them to another conversation while we wait.
    while not (needed := set(session.scalars(their_conversations))) <= locked_ids:
        locked_ids |= needed
        lock_rows(session, locked_ids)
    copies = select(Copy).where(Copy.id.in_(ids)).order_by(Copy.id).with_for_update()
    return list(session.scalars(copies.execution_options(populate_existing=True)))


def for_verbs(query: Select[Conversation], *, skip_locked: bool = False) -> Select[Conversation]:
    """Lock the rows for verbs and read their present state. The lock allows references to the row (`key_share`), so a
    foreign key to it never waits for a verb."""
    locking = query.with_for_update(key_share=True, skip_locked=skip_locked, of=Conversation)
    return locking.options(*ALONE).execution_options(populate_existing=True)
