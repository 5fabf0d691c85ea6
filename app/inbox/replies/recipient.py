"""Recipient: one address of a reply on its way, and what the SMTP server said to it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class RecipientState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"


class Recipient(Base):
    """One address of a reply, and what the server said to it last."""

    __tablename__ = "reply_recipient"

    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    state: Mapped[str] = mapped_column(default=RecipientState.WAITING)
    code: Mapped[int | None]
    words: Mapped[str] = mapped_column(default="")

    def note(self, code: int, words: str, *, accepted: bool) -> None:
        self.code, self.words = code, words
        if 200 <= code < 300:
            self.state = RecipientState.ACCEPTED if accepted else RecipientState.WAITING
        else:
            self.state = RecipientState.DEFERRED if 400 <= code < 500 else RecipientState.REFUSED


def open_recipients(recipients: Iterable[Recipient]) -> list[str]:
    """Those whom the server still has to be asked about."""
    return [one.address for one in recipients if one.state in (RecipientState.WAITING, RecipientState.DEFERRED)]
