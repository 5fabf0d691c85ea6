"""Snoozes end: a conversation whose time has come is open again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import SYSTEM
from app.inbox.conversation import Conversation
from app.inbox.status import Status


def wake_due(session: Session, limit: int = 200) -> int:
    """Wake what is due, passing over what someone is working on right now; returns how many."""
    due = (
        select(Conversation)
        .where(Conversation.status == Status.SNOOZED, Conversation.snoozed_until <= now())
        .order_by(Conversation.snoozed_until)
        .limit(limit)
        .with_for_update(of=Conversation, skip_locked=True)
    )
    conversations = session.scalars(due).all()
    for conversation in conversations:
        conversation.wake(by=SYSTEM)
    return len(conversations)
