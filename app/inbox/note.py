"""Note: words for the team only, on a conversation."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import Base

if TYPE_CHECKING:
    from app.inbox.conversation import Conversation
    from app.inbox.member import Member


class Note(Base):
    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    text: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    edited_at: Mapped[dt.datetime | None]

    conversation: Mapped[Conversation] = relationship(back_populates="notes")
    author: Mapped[Member] = relationship(lazy="joined")
