"""Note: a text on a conversation for the team only."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from app.clock import now
from app.db import Base
from app.inbox.actor import Actor
from app.inbox.errors import N_, Invalid, NotAllowed
from app.inbox.history.event import EventKind
from app.inbox.people import throttle
from app.inbox.permission import Action, require
from app.searchable import indexed
from app.vectors import SearchVector, vector

if TYPE_CHECKING:
    from app.inbox.conversations.conversation import Conversation
    from app.inbox.people.member import Member

_LONGEST = 20_000
LONGEST_KEY = 100


def count_note(member_id: int) -> None:
    """Count a note of this member. Raises TooMany beyond 30 in a minute, which is more than anybody types."""
    throttle.hit("notes of", str(member_id), limit=30, seconds=60)


class Note(Base):
    __tablename__ = "note"
    __table_args__ = (Index("ix_note_search", "search", postgresql_using="gin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    text: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    edited_at: Mapped[dt.datetime | None]
    search: Mapped[Any] = deferred(mapped_column(TSVECTOR, nullable=True))
    #: Given by the form or the program. The same key and text by the same author are one note that was sent twice.
    key: Mapped[str | None]

    conversation: Mapped[Conversation] = relationship(back_populates="notes")
    author: Mapped[Member] = relationship(lazy="joined")

    def edit(self, text: str, *, by: Actor) -> None:
        """Change the text of a note. Raises NotAllowed for another's note, Invalid for a text that cannot be a note."""
        require(by, Action.NOTE, self.conversation.mailbox)
        if by.member is None or by.member.id != self.author_id:
            raise NotAllowed(Action.NOTE)
        text = check_note(text)
        if text != self.text:
            self.text, self.edited_at, self.search = text, now(), searched_note(text)
            self.conversation.record(EventKind.NOTE_EDITED, by, after={"note": self.id})


def searched_note(text: str) -> SearchVector:
    """The search vector of a note."""
    return vector([(indexed(text, _LONGEST), "")])


def check_note(text: str) -> str:
    """The text as it is stored. Raises Invalid for an empty text or one of more than 20,000 characters."""
    text = text.replace("\0", "").strip()
    if not 1 <= len(text) <= _LONGEST:
        raise Invalid("text", N_("A note needs 1 to 20,000 characters."))
    return text
