"""Conversations held for verbs. Whoever holds several takes them in one order, so that nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ARRAY, Integer, any_, cast, select
from sqlalchemy.orm import Session, lazyload
from sqlalchemy.sql.base import ExecutableOption

from app.inbox.actor import Actor
from app.inbox.conversation import Conversation
from app.inbox.mailbox import Mailbox
from app.inbox.permission import Action, require
from app.inbox.status import Status

#: For a SELECT that waits for a lock. When it goes on, Postgres has read the row again, but not what was joined to it:
#: the new owner's id would come with the old owner, nobody.
ALONE = (lazyload(Conversation.mailbox), lazyload(Conversation.assignee))


def claim_next(session: Session, mailbox: Mailbox, *, by: Actor) -> Conversation | None:
    """Claim the conversation that has waited longest for an owner; of simultaneous callers each gets another one."""
    require(by, Action.CLAIM, mailbox)
    found = session.scalar(
        select(Conversation)
        .where(
            Conversation.mailbox_id == mailbox.id,
            Conversation.status == Status.OPEN,
            Conversation.assignee_id.is_(None),
            Conversation.place == "here",
            Conversation.waiting_since.is_not(None),
        )
        .order_by(Conversation.waiting_since, Conversation.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
        .options(*ALONE)
        .execution_options(populate_existing=True)
    )
    if found is not None:
        found.claim(by=by)
    return found


def locked(session: Session, ids: Iterable[int], *load: ExecutableOption) -> list[Conversation]:
    """The conversations as they are now, held for verbs, by id. Whoever holds several takes them in this order.
    `load`: what else to read of all of them at once.

    The lock lets others still refer to the row (`key_share`): a foreign key to it never waits for a verb."""
    return list(
        session.scalars(
            select(Conversation)
            .where(Conversation.id == any_(cast(sorted(set(ids)), ARRAY(Integer))))  # one parameter for any number
            .order_by(Conversation.id)
            .with_for_update(key_share=True)
            .options(*ALONE, *load)
            .execution_options(populate_existing=True)
        )
    )
