"""Download: a part of a message that a page asked for. The worker fetches it from the mail server; the page follows.

It is stored in chunks as a cache; `trim` keeps the total below a limit, deleting the oldest first. An empty `part` is
the whole source.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.announcements import PushWanted
from app.clock import now
from app.db import Base, announce, transaction
from app.inbox.conversations.message import Message
from app.queue import Queued

CHUNK = 256 * 1024
CACHE_LIMIT = 512 * 1024 * 1024
_FAILED_FOR = dt.timedelta(seconds=30)


class Download(Queued, Base):
    """Only the worker that serves the mailbox fetches it. The lease is short, because it ends only if that worker
    died."""

    __tablename__ = "download"
    __table_args__ = (
        UniqueConstraint("message_id", "part"),
        Index("ix_download_waiting", "mailbox_id", postgresql_where=text("due_at IS NOT NULL")),
    )

    LEASE = dt.timedelta(seconds=30)
    MOST_TRIES = 5

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    part: Mapped[str]  # "": the whole source
    state: Mapped[str] = mapped_column(default="waiting")  # waiting, ready, failed
    error: Mapped[str | None]  # gone, refused, too large
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    asked_at: Mapped[dt.datetime] = mapped_column(default=now)

    message: Mapped[Message] = relationship()

    def give_up(self) -> None:
        """The server ended the connection at each try."""
        self.note_failed("refused")

    def note_failed(self, error: str) -> None:
        self.finish()
        self.state, self.error = "failed", error


class Chunk(Base):
    __tablename__ = "download_chunk"

    download_id: Mapped[int] = mapped_column(ForeignKey("download.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def ask(session: Session, message: Message, part: str) -> Download:
    """The download of this part, requested now if necessary. A failed one stays failed for a moment, so that the
    polling page sees it. Then it is retried."""
    place = {"mailbox_id": message.mailbox_id, "message_id": message.id, "part": part, "asked_at": now()}
    new = {"state": "waiting", "size": 0, "due_at": now(), "tries": 0}
    session.execute(insert(Download).values({**place, **new}).on_conflict_do_nothing())
    query = select(Download).where(Download.message_id == message.id, Download.part == part)
    download = session.scalars(query.with_for_update(of=Download)).one()
    if download.state == "failed" and download.asked_at > now() - _FAILED_FOR:
        return download
    if download.state == "failed":
        download.state, download.error = "waiting", None
        download.enqueue()
    download.asked_at = now()
    session.flush()
    if download.state == "waiting":
        announce(session, PushWanted(message.mailbox_id))
    return download


def store(session: Session, download: Download, data: bytes) -> None:
    """Store the server's data and inform the page."""
    session.execute(delete(Chunk).where(Chunk.download_id == download.id))
    for position, start in enumerate(range(0, len(data), CHUNK)):
        session.add(Chunk(download_id=download.id, position=position, data=data[start : start + CHUNK]))
    download.finish()
    download.state, download.error, download.size = "ready", None, len(data)


def content(download_id: int) -> Iterator[bytes]:
    """The content in order. Each chunk is read in its own transaction, so that a slow reader holds no connection."""
    position = 0
    while True:
        with transaction() as session:
            data = session.scalar(select(Chunk.data).filter_by(download_id=download_id, position=position))
        if data is None:
            return
        yield data
        position += 1


def trim(session: Session, limit: int = CACHE_LIMIT) -> None:
    """Delete the downloads requested longest ago until the rest fits the limit."""
    total = func.sum(Download.size).over(order_by=Download.asked_at.desc())
    kept = select(Download.id, total.label("total")).where(Download.state == "ready").subquery()
    session.execute(delete(Download).where(Download.id.in_(select(kept.c.id).where(kept.c.total > limit))))
