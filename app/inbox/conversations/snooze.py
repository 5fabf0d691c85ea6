"""Snooze: reopens conversations whose snooze has ended. Any number of workers may do this at the same time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import SYSTEM
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import ALONE
from app.inbox.status import Status

#: Conversations per transaction, so that locks are never held for long. The next run handles the rest.
_BATCH = 200


def wake_due(session: Session) -> list[int]:
    """Wake conversations that are due and not locked by somebody else. Returns their ids."""
    due = session.scalars(
        select(Conversation)
        .where(
            Conversation.status == Status.SNOOZED,
            Conversation.snoozed_until <= now(),
            Conversation.merged_into_id.is_(None),
        )
        .order_by(Conversation.snoozed_until, Conversation.id)
        .limit(_BATCH)
        .with_for_update(key_share=True, skip_locked=True)
        .options(*ALONE)
        .execution_options(populate_existing=True)
    ).all()
    for conversation in due:
        conversation.wake(by=SYSTEM)
    return [conversation.id for conversation in due]
