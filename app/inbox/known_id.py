"""KnownId: which conversation a Message-ID belongs to, ghosts of referenced mails included.

Two mails that name the same id, be it their own or one they refer to, belong together. That makes threading the
same for every order of arrival."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class KnownId(Base):
    __tablename__ = "known_id"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
