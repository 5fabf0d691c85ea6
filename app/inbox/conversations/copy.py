"""Copy: a message at one place on the server (folder, UIDVALIDITY, UID), and what we know of its keywords.

`keywords` is what the server showed last, as it spelt it, system flags included. `shown` is the part of it that is
ours (casefolded; `\\flagged` counts as a name). `pushing` is what we had begun to write: committed before the first
STORE, so that a crash leaves a trace. Rows of copies that are gone stay: they explain where a moved one came from.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base
from app.inbox.mailboxes.folder import Folder

if TYPE_CHECKING:
    from app.inbox.conversations.message import Message

LIVE = "gone_at IS NULL"


class Copy(Base):
    __tablename__ = "copy"
    __table_args__ = (
        Index(
            "uq_copy_place",
            "folder_id",
            "uidvalidity",
            "uid",
            unique=True,
            postgresql_where=text(f"{LIVE} AND unmatched_since IS NULL"),
        ),
        Index("ix_copy_live", "folder_id", "uid", postgresql_where=text(LIVE)),
        Index("ix_copy_gone_at", "gone_at", postgresql_where=text("gone_at IS NOT NULL")),
        Index("ix_copy_pushing", "folder_id", postgresql_where=text("pushing IS NOT NULL")),
        Index("ix_copy_refusing", "folder_id", postgresql_where=text("refuses <> '{}'")),
        Index("ix_copy_holding", "folder_id", postgresql_where=text("held <> '{}'")),
        Index("ix_copy_moving", "folder_id", postgresql_where=text("moving_folder_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    keywords: Mapped[list[str]] = mapped_column(default=list)

    shown: Mapped[list[str]] = mapped_column(default=list)
    pushing: Mapped[list[str] | None]
    earlier: Mapped[list[Any]] = mapped_column(default=list)  # [[pull, [names]], …]: see `remember`
    refused: Mapped[int] = mapped_column(default=0)  # writes in a row of which the server refused some
    refuses: Mapped[list[str]] = mapped_column(default=list)  # names given up after that: they stay as they are
    held: Mapped[list[str]] = mapped_column(default=list)  # of `shown`, lost with many others: a person decides
    beside_pull: Mapped[int | None]  # the mailbox's count of pulls when it turned up beside another of the same mail
    gone_at: Mapped[dt.datetime | None]
    gone_pull: Mapped[int | None]  # the mailbox's count of pulls when it went
    unmatched_since: Mapped[dt.datetime | None]  # not found again after a reset; 24 hours of grace

    wanted_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))
    moving_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))  # committed before our MOVE
    moves_refused: Mapped[int] = mapped_column(default=0)  # moves in a row that the server refused
    left_behind: Mapped[bool] = mapped_column(default=False)  # our COPY of it was found: only its deletion is missing
    came_from_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))  # before spam took it to Junk

    message: Mapped[Message] = relationship(back_populates="copies")
    folder: Mapped[Folder] = relationship(foreign_keys=folder_id)

    @property
    def live(self) -> bool:
        return self.gone_at is None

    def remember(self, pull: int) -> None:
        """Before `shown` changes: what it showed and was to show in the last two full pulls. A mail that turns up
        elsewhere with such names was moved or copied then, and tells nothing new."""
        left = [list(self.shown)] + ([] if self.pushing is None else [list(self.pushing)])
        self.earlier = [[p, names] for p, names in self.earlier if p >= pull - 1] + [[pull, names] for names in left]
