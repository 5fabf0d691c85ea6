"""Upload: a file that a member adds to a reply. It is kept in chunks until the reply was sent and forgotten."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from secrets import token_hex
from typing import IO

from sqlalchemy import ForeignKey, Index, LargeBinary, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base
from app.inbox.errors import N_, Invalid
from app.inbox.people.member import Member

#: Bytes of all files of a reply. In a mail they take 37 % more.
LARGEST_FILES = 25 * 1024 * 1024
#: With what a form puts around a file.
LARGEST_FORM = LARGEST_FILES + 64 * 1024
_MB = LARGEST_FILES // (1024 * 1024)
_MOST_FILES = 100
#: What a member may keep that is in no reply yet.
_MOST_LOOSE = 4 * LARGEST_FILES
_LOOSE_FOR = dt.timedelta(days=1)
_CHUNK = 256 * 1024
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\]+")


class Upload(Base):
    """`content_id`, without angle brackets: the text shows it as `cid:…`; None: an attachment."""

    __tablename__ = "upload"
    __table_args__ = (Index("ix_upload_reply_id", "reply_id"), Index("ix_upload_member_id", "member_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id", ondelete="CASCADE"))
    filename: Mapped[str]
    type: Mapped[str]
    size: Mapped[int]
    content_id: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


class UploadChunk(Base):
    __tablename__ = "upload_chunk"

    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def store(
    session: Session, member: Member, filename: str, type_: str, data: IO[bytes], *, inline: bool = False
) -> Upload:
    """Keep a file for a reply of this member. `inline`: a picture within the text.

    Raises Invalid if it is too large, or if the member has many files that are in no reply."""
    loose = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.member_id == member.id, Upload.reply_id.is_(None)
    )
    if session.scalars(loose).one() > _MOST_LOOSE:
        raise Invalid("file", N_("You have many files that are in no reply. Send or delete your drafts first."))
    upload = Upload(
        member_id=member.id,
        filename=file_name(filename),
        type=type_.lower() if _TYPE.fullmatch(type_.lower()) else "application/octet-stream",
        size=0,
        content_id=f"{token_hex(8)}@signalbox" if inline else None,
    )
    session.add(upload)
    session.flush()
    for position, chunk in enumerate(iter(lambda: data.read(_CHUNK), b"")):
        upload.size += len(chunk)
        if upload.size > LARGEST_FILES:
            raise Invalid("file", N_("This file is too large. A reply can carry at most %(most)d MB."), most=_MB)
        session.add(UploadChunk(upload_id=upload.id, position=position, data=chunk))
        session.flush()
    return upload


def content(session: Session, upload_id: int) -> bytes:
    chunks = select(UploadChunk.data).where(UploadChunk.upload_id == upload_id).order_by(UploadChunk.position)
    return b"".join(session.scalars(chunks))


def files_of(session: Session, reply_id: int) -> list[Upload]:
    return list(session.scalars(select(Upload).where(Upload.reply_id == reply_id).order_by(Upload.id)))


def attach(session: Session, reply_id: int, member: Member, ids: Iterable[int]) -> None:
    """From now on the reply has just these files: some of its own, and uploads of this member. Raises Invalid for
    others, and for too many or too large ones."""
    wanted = set(ids)
    usable = or_(Upload.reply_id == reply_id, (Upload.member_id == member.id) & Upload.reply_id.is_(None))
    uploads = list(session.scalars(select(Upload).where(usable, Upload.id.in_(wanted)).with_for_update()))
    if len(uploads) < len(wanted):
        raise Invalid("attachments", N_("One of the files is no longer there. Add it again."))
    if len(uploads) > _MOST_FILES or sum(upload.size for upload in uploads) > LARGEST_FILES:
        raise Invalid("attachments", N_("The files are too large together: at most %(most)d MB."), most=_MB)
    session.execute(delete(Upload).where(Upload.reply_id == reply_id, Upload.id.not_in(wanted)))
    for upload in uploads:
        upload.reply_id = reply_id


def forget_loose(session: Session) -> None:
    """Delete files that were added to no reply within a day."""
    session.execute(delete(Upload).where(Upload.reply_id.is_(None), Upload.created_at < now() - _LOOSE_FOR))


def file_name(name: str) -> str:
    """A name that a receiver can keep the file under."""
    name = " ".join(_UNPRINTABLE.sub(" ", name).split())[-200:].strip()
    return name if name.strip(". ") else "file"
