"""Reading: when a member last looked at a conversation. "Read by me" is theirs alone and never reaches the server."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base


class Reading(Base):
    __tablename__ = "reading"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True, index=True)
    read_at: Mapped[dt.datetime]


def mark_read(session: Session, member_id: int, conversation_id: int) -> None:
    at = now()
    statement = insert(Reading).values(member_id=member_id, conversation_id=conversation_id, read_at=at)
    session.execute(
        statement.on_conflict_do_update(index_elements=["member_id", "conversation_id"], set_={"read_at": at})
    )
