"""Downloads: attachments and original sources that a page asked for, fetched while the connection is at hand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Attachment
from app.inbox.mailboxes.folder import Folder
from app.inbox.server import download
from app.inbox.server.download import Download
from app.mail.errors import Broken, FolderGone, Refused
from app.sync.link import Link

#: A page that asks for more gets an answer, not a worker without memory.
_LARGEST = 100 * 1024 * 1024


class _TooLarge(Exception):
    pass


@dataclass(frozen=True)
class _Asked:
    download_id: int
    part: str
    size: int  # as the mail says; 0 where it does not
    places: list[tuple[str, int, int]]  # (folder, uidvalidity, uid) of the live copies


def fetch_downloads(link: Link) -> None:
    """Fetch what waits; what cannot be had is marked with the reason. Raises Broken, but asks for that one no more."""
    while waiting := _waiting(link.mailbox_id):
        for asked in waiting:
            _answer(link, asked)


def _answer(link: Link, asked: _Asked) -> None:
    try:
        data = _fetch(link, asked)
    except _TooLarge:
        _fail(asked, "too large")
    except Refused:
        _fail(asked, "refused")
    except Broken:
        _fail(asked, "refused")
        raise
    else:
        _store(asked, data) if data is not None else _fail(asked, "gone")


def _waiting(mailbox_id: int) -> list[_Asked]:
    with transaction() as session:
        return [
            _Asked(
                d.id,
                d.part,
                _size(session, d),
                [(name, uidvalidity, uid) for name, uidvalidity, uid in session.execute(_places(d))],
            )
            for d in download.waiting(session, mailbox_id)
        ]


def _places(asked: Download) -> Select[str, int, int]:
    """The newest first."""
    return (
        select(Folder.name, Copy.uidvalidity, Copy.uid)
        .join(Folder, Folder.id == Copy.folder_id)
        .where(Copy.message_id == asked.message_id, Copy.gone_at.is_(None))
        .order_by(Copy.id.desc())
    )


def _size(session: Session, asked: Download) -> int:
    if not asked.part:
        return asked.message.size
    return session.scalar(select(Attachment.size).filter_by(message_id=asked.message_id, part=asked.part)) or 0


def _fetch(link: Link, asked: _Asked) -> bytes | None:
    """The content from the first copy that is there; None when none is."""
    if asked.size > _LARGEST:
        raise _TooLarge
    for folder, uidvalidity, uid in asked.places:
        try:
            if link.imap.select(folder, read_only=True).uidvalidity != uidvalidity:
                continue
        except FolderGone:
            continue
        if not link.imap.flags([uid]):
            continue
        return link.imap.fetch_part(uid, asked.part) if asked.part else _source(link, uid)
    return None


def _source(link: Link, uid: int) -> bytes:
    whole = bytearray()
    for piece in link.imap.fetch_source(uid):
        whole += piece
        if len(whole) > _LARGEST:
            raise _TooLarge
    return bytes(whole)


def _store(asked: _Asked, data: bytes) -> None:
    if len(data) > _LARGEST:
        _fail(asked, "too large")
        return
    with transaction() as session:
        download.store(session, session.get_one(Download, asked.download_id), data)


def _fail(asked: _Asked, error: str) -> None:
    with transaction() as session:
        download.fail(session, session.get_one(Download, asked.download_id), error)
