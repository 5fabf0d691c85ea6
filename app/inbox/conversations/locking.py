"""Conversations held for verbs. Several are always locked in the same order, so that no deadlock can form."""

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

#: For a SELECT that waits for a lock. When it goes on, Postgres has read the row again, but not what was joined to it:
#: the new owner's id would come with the old owner, nobody.
ALONE = (lazyload(Conversation.mailbox), lazyload(Conversation.assignee))

_HOLD = text("SELECT id, revision FROM conversation WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")


def claim_next(session: Session, mailbox: Mailbox, *, by: Actor) -> Conversation | None:
    """Claim the conversation that has waited longest for an owner; of simultaneous callers each gets another one."""
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
    """The conversations as they are now, held for verbs, by id. Several are always locked in this order.
    `load`: what else to read of all of them at once."""
    unique_ids = set(ids)
    query = select(Conversation).where(Conversation.id == any_of(unique_ids)).order_by(Conversation.id)
    return list(session.scalars(for_verbs(query).options(*load))) if unique_ids else []


def lock_rows(session: Session, ids: Iterable[int]) -> dict[int, int]:
    """Lock conversations that are not read one by one: id -> revision of those that exist."""
    return {row[0]: row[1] for row in session.execute(_HOLD, {"ids": sorted(set(ids))})}


def locked_copies(session: Session, copy_ids: Iterable[int]) -> list[Copy]:
    """The copies as they are now, locked after their conversations, by id.

    A verb that waits for a conversation reads its copies after us. One that holds it has said what it wants before."""
    ids = sorted(copy_ids)
    their_conversations = select(Message.conversation_id).join(Copy).where(Copy.id.in_(ids)).distinct()
    locked_ids: set[int] = set()
    # A merge may take them elsewhere while we wait.
    while not (needed := set(session.scalars(their_conversations))) <= locked_ids:
        locked_ids |= needed
        lock_rows(session, locked_ids)
    copies = select(Copy).where(Copy.id.in_(ids)).order_by(Copy.id).with_for_update()
    return list(session.scalars(copies.execution_options(populate_existing=True)))


def for_verbs(query: Select[Conversation], *, skip_locked: bool = False) -> Select[Conversation]:
    """What is found is held for verbs, as it is now. The lock lets others still refer to the row (`key_share`): a
    foreign key to it never waits for a verb."""
    locking = query.with_for_update(key_share=True, skip_locked=skip_locked, of=Conversation)
    return locking.options(*ALONE).execution_options(populate_existing=True)
