"""Slow mail: records for a day which mails took long to parse. Health counts them, because many at once may be an
attack."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now, rfc3339
from app.db import Base
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.folder import Folder

#: Health counts the mails of the last hour.
RECENT = dt.timedelta(hours=1)
_KEPT = dt.timedelta(days=1)


class SlowMail(Base):
    __tablename__ = "slow_mail"
    __table_args__ = (Index("ix_slow_mail_mailbox_id", "mailbox_id", "at"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id", ondelete="CASCADE"))  # where the mail was read
    uid: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class LastSlow:
    """The slow mail that was read last."""

    at: dt.datetime
    sender: str
    folder: str
    uid: int

    def shape(self) -> dict[str, Any]:
        return {"at": rfc3339(self.at), "sender": self.sender, "folder": self.folder, "uid": self.uid}


def note_slow(session: Session, numbering: tuple[int, int], uid: int) -> None:
    """Record that this mail took long to parse and is now stored. `numbering`: (folder id, UIDVALIDITY)."""
    here = (Copy.folder_id == numbering[0], Copy.uidvalidity == numbering[1], Copy.uid == uid, Copy.gone_at.is_(None))
    query = select(Copy.message_id, Message.mailbox_id, Copy.folder_id, Copy.uid).join(Message).where(*here).limit(1)
    row = session.execute(query).one_or_none()
    if row is not None:
        session.execute(insert(SlowMail).values(row._asdict()).on_conflict_do_nothing())


def last_slow(session: Session, mailbox_id: int) -> LastSlow | None:
    query = select(SlowMail.at, Message.from_address, Folder.name, SlowMail.uid).where(
        SlowMail.mailbox_id == mailbox_id, Message.id == SlowMail.message_id, Folder.id == SlowMail.folder_id
    )
    row = session.execute(query.order_by(SlowMail.at.desc()).limit(1)).one_or_none()
    return LastSlow(*row) if row is not None else None


def forget_old(session: Session) -> None:
    session.execute(delete(SlowMail).where(SlowMail.at < now() - _KEPT))
