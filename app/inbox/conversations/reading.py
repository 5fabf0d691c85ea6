"""Reading: when a member last looked at a conversation. This is private to the member and never reaches the server."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base
from app.inbox.conversations.conversation import Conversation


class Reading(Base):
    __tablename__ = "reading"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True, index=True)
    read_at: Mapped[dt.datetime]  # the newest inbound mail at that time, by the mail server's clock


def mark_read(session: Session, member_id: int, conversation_id: int) -> None:
    """Record that the member has read everything in it."""
    newest = select(
        literal(member_id), Conversation.id, func.coalesce(Conversation.last_in_at, Conversation.last_at)
    ).where(Conversation.id == conversation_id)
    statement = insert(Reading).from_select(["member_id", "conversation_id", "read_at"], newest)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["member_id", "conversation_id"], set_={"read_at": statement.excluded.read_at}
        )
    )
