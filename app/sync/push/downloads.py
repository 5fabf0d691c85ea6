"""Downloads: fetches attachments and original sources that a page asked for, on the open connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import session_of, transaction
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Attachment, Message
from app.inbox.mailboxes.folder import Folder
from app.inbox.server import download
from app.inbox.server.download import Download
from app.mail.errors import Broken, FolderGone, MailError, Refused
from app.queue import jobs, leased
from app.sync.link import Link

#: A larger download is refused, so that the worker does not run out of memory.
_LARGEST = 100 * 1024 * 1024


class _TooLarge(Exception):
    pass


@dataclass(frozen=True)
class _Source:
    part: str
    size: int  # the size the mail declares; 0 if it does not
    places: list[tuple[str, int, int]]  # (folder, uidvalidity, uid) of the live copies


def fetch_downloads(link: Link) -> None:
    """Fetch waiting downloads, and record the reason for those that cannot be fetched. Raises MailError if the
    connection is lost. The part is then tried again later, but not after Broken."""
    for job in jobs(Download, Download.mailbox_id == link.mailbox_id):
        _answer(link, job)


def _answer(link: Link, job: Download) -> None:
    try:
        data = _fetch(link, _source_of(job))
    except _TooLarge:
        _fail(job, "too large")
    except Refused:
        _fail(job, "refused")
    except Broken:
        _fail(job, "refused")
        raise
    except MailError:
        _note(job, Download.retry)
        raise
    else:
        _store(job, data) if data is not None else _fail(job, "gone")


def _source_of(job: Download) -> _Source:
    with transaction() as session:
        places = [(name, uidvalidity, uid) for name, uidvalidity, uid in session.execute(_places(job))]
        return _Source(job.part, _size(session, job), places)


def _places(job: Download) -> Select[str, int, int]:
    """Newest first."""
    return (
        select(Folder.name, Copy.uidvalidity, Copy.uid)
        .join(Folder, Folder.id == Copy.folder_id)
        .where(Copy.message_id == job.message_id, Copy.gone_at.is_(None))
        .order_by(Copy.id.desc())
    )


def _size(session: Session, job: Download) -> int:
    if not job.part:
        return session.get_one(Message, job.message_id).size
    return session.scalar(select(Attachment.size).filter_by(message_id=job.message_id, part=job.part)) or 0


def _fetch(link: Link, source: _Source) -> bytes | None:
    """The content from the first copy that exists; None if none does."""
    if source.size > _LARGEST:
        raise _TooLarge
    for folder, uidvalidity, uid in source.places:
        try:
            if link.imap.select(folder, read_only=True).uidvalidity != uidvalidity:
                continue
        except FolderGone:
            continue
        if not link.imap.flags([uid]):
            continue
        return link.imap.fetch_part(uid, source.part) if source.part else _whole(link, uid)
    return None


def _whole(link: Link, uid: int) -> bytes:
    whole = bytearray()
    for piece in link.imap.fetch_source(uid):
        whole += piece
        if len(whole) > _LARGEST:
            raise _TooLarge
    return bytes(whole)


def _store(job: Download, data: bytes) -> None:
    if len(data) > _LARGEST:
        _fail(job, "too large")
    else:
        _note(job, lambda waiting: download.store(session_of(waiting), waiting, data))


def _fail(job: Download, error: str) -> None:
    _note(job, lambda waiting: waiting.note_failed(error))


def _note(job: Download, outcome: Callable[[Download], None]) -> None:
    with transaction() as session:
        waiting = leased(session, job)
        if waiting is not None:
            outcome(waiting)
