"""Lists the server's folders. New folders are stored, unwatched. A watched one that was renamed is followed.

A rename keeps UIDVALIDITY and UIDs (RFC 3501 6.3.5), so the row keeps its copies and its bookmark. The mails in it
prove that it is the same folder, because some servers give every folder the same UIDVALIDITY. Without proof we do not
follow: confusing two folders is worse than an administrator watching one by hand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.actor import SYSTEM
from app.inbox.arriving.arrival import Arrival
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.errors import FolderGone, Refused
from app.mail.folders import with_roles
from app.mail.values import FolderInfo, Role, Selected
from app.sync.link import Link
from app.sync.look.arrivals import FolderAt, read_patiently
from app.sync.pull import reset

log = logging.getLogger(__name__)

_AGAIN = 15 * 60.0
#: Number of mails by which a folder is recognised.
_WITNESSES = 10


def list_now_and_then(link: Link) -> None:
    if link.listed_at is None or time.monotonic() - link.listed_at >= _AGAIN:
        list_folders(link)


def follow(link: Link, folder: Folder) -> Folder:
    """The folder's mails are no longer under its name. Returns its row, under the new name if it has one."""
    list_folders(link, folder)
    with transaction() as session:
        return session.get_one(Folder, folder.id)


def list_folders(link: Link, sought: Folder | None = None) -> None:
    """Look for this folder, or for all that disappeared within a day. After a day their mails count as gone."""
    link.listed_at = time.monotonic()
    try:
        listed = link.imap.folders()
    except Refused as error:
        log.warning("mailbox %s: the server does not list its folders: %s", link.mailbox_id, error.answer)
        return
    for folder in [sought] if sought is not None else _went_lately(link.mailbox_id, listed):
        _look_for(link, folder, listed)
    with transaction() as session:
        take_in(session, link.mailbox_id, listed)
        link.check()


def take_in(session: Session, mailbox_id: int, listed: Sequence[FolderInfo]) -> None:
    """Make the mailbox's folders those that the server lists, with their roles. A watched folder that is not listed
    stays. If it does not open, it is gone."""
    mailbox = session.get_one(Mailbox, mailbox_id, with_for_update={"key_share": True})
    rows = {row.name: row for row in session.scalars(select(Folder).where(Folder.mailbox_id == mailbox_id))}
    roles = {row.name: cast("Role | None", row.role) for row in rows.values()}
    there = [info for info in with_roles(listed, roles) if info.selectable]
    if not any(info.role == "inbox" for info in there):
        log.warning("mailbox %s: the server lists no inbox: its list of folders is not believed", mailbox_id)
        return
    for info in there:
        row = rows.pop(info.name, None)
        if row is None:
            session.add(Folder(mailbox_id=mailbox.id, name=info.name, role=info.role))
            continue
        row.role = info.role
        if not row.watched:
            row.lost_at = None
    for row in rows.values():
        if not row.watched and row.lost_at is None:
            _drop(session, row)


def _drop(session: Session, row: Folder) -> None:
    """Delete the row of a folder that no longer exists, unless copies refer to it."""
    columns = (Copy.folder_id, Copy.wanted_folder_id, Copy.moving_folder_id, Copy.came_from_folder_id)
    if session.scalar(select(exists().where(or_(*(column == row.id for column in columns))))):
        row.lose()
    else:
        session.delete(row)


# renamed folders ------------------------------------------------------------------------------------------------------


def _went_lately(mailbox_id: int, listed: Iterable[FolderInfo]) -> Sequence[Folder]:
    with transaction() as session:
        return session.scalars(
            select(Folder).where(
                Folder.mailbox_id == mailbox_id,
                Folder.watched,
                Folder.lost_at > now() - reset.GRACE,
                Folder.refusal.is_(None),
                Folder.name.not_in([info.name for info in listed]),
            )
        ).all()


def _look_for(link: Link, folder: Folder, listed: Iterable[FolderInfo]) -> None:
    """Only an unwatched name can be the new one, and only if no other name fits too. A renamed inbox has no new name:
    its mails leave it (RFC 3501 6.3.5)."""
    if folder.uidvalidity is None or folder.role == "inbox":
        return
    with transaction() as session:
        rows = session.scalars(select(Folder).where(Folder.mailbox_id == link.mailbox_id)).all()
    names = {info.name for info in listed if info.selectable}
    made_again, known = folder.name in names, {row.name for row in rows}
    candidates = sorted(names - {row.name for row in rows if row.watched})
    found = [name for name in candidates if _is_it(link, folder, name, new=not made_again and name not in known)]
    if len(found) == 1:
        _rename(link, folder, found[0], made_again=made_again)


def _is_it(link: Link, folder: Folder, name: str, *, new: bool) -> bool:
    """`new`: the name appeared when the old one disappeared, so the same mails may have other numbers there."""
    try:
        opened = link.imap.select(name, read_only=True)
        if not reset.needed(folder, opened):
            return _same_mails(link, folder, opened)
        return new and opened.uidvalidity != folder.uidvalidity and _its_mails(link, folder, opened)
    except (FolderGone, Refused):
        return False


def _same_mails(link: Link, folder: Folder, opened: Selected) -> bool:
    """Whether the mails under the numbers we know are the mails we know. If none of these numbers exist, the
    UIDVALIDITY decides, unless another folder has the same."""
    known = _known(folder, Copy.uidvalidity == opened.uidvalidity)
    there = _mails(link, folder, opened, list(known))
    if there:
        return all(_is_known(mail, [known[uid]]) for uid, mail in there.items())
    with transaction() as session:
        others = select(Folder.id).where(Folder.mailbox_id == link.mailbox_id, Folder.id != folder.id)
        return session.scalar(others.where(Folder.uidvalidity == opened.uidvalidity).limit(1)) is None


def _its_mails(link: Link, folder: Folder, opened: Selected) -> bool:
    """Whether it has about as many mails as the folder had, and the newest of these, without later ones, were all in
    the folder."""
    with transaction() as session:
        live = (Copy.folder_id == folder.id, Copy.gone_at.is_(None))
        count = session.scalar(select(func.count()).select_from(Copy).where(*live)) or 0
    if opened.exists * 10 < (folder.left_out + count) * 9:
        return False
    uids = link.imap.uids()[folder.left_out : folder.left_out + count]
    there = _mails(link, folder, opened, uids[-_WITNESSES:]).values()
    identities = [identity for mail in there for identity in (mail.identity, mail.former_identity)]
    like_them = Message.identity.in_(identities) | Message.message_id.in_([mail.message_id for mail in there])
    known = list(_known(folder, like_them).values())
    return bool(there) and all(_is_known(mail, known) for mail in there)


def _known(folder: Folder, which: ColumnElement[bool]) -> dict[int, tuple[bytes, str | None]]:
    """The newest copies known to be in the folder: UID -> identity and Message-ID of the mail."""
    with transaction() as session:
        query = (
            select(Copy.uid, Message.identity, Message.message_id)
            .join(Message)
            .where(Copy.folder_id == folder.id, Copy.gone_at.is_(None), which)
            .order_by(Copy.uid.desc())
            .limit(_WITNESSES)
        )
        return {uid: (identity, message_id) for uid, identity, message_id in session.execute(query)}


def _is_known(mail: Arrival, known: Iterable[tuple[bytes, str | None]]) -> bool:
    """If a server changed a copy, its identity differs, but its Message-ID is the same."""
    return any(
        identity in (mail.identity, mail.former_identity) or (message_id is not None and message_id == mail.message_id)
        for identity, message_id in known
    )


def _mails(link: Link, folder: Folder, opened: Selected, uids: Sequence[int]) -> dict[int, Arrival]:
    folder_at = FolderAt(folder.id, folder.name, folder.role, opened.uidvalidity)
    return {one.uid: one for one in read_patiently(link, folder_at, uids).arrivals}


def _rename(link: Link, folder: Folder, name: str, *, made_again: bool) -> None:
    """Give the row the new name. A folder created again under the old name is watched, too, because people expect that
    of the name. Its mails count as new since then, as in a folder that was reset."""
    log.info("mailbox %s: the folder %s is called %s now", link.mailbox_id, folder.name, name)
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id, with_for_update={"key_share": True})
        row = session.get_one(Folder, folder.id)
        other = session.scalar(select(Folder).where(Folder.mailbox_id == row.mailbox_id, Folder.name == name))
        if other is not None:  # names are unique, so the two rows exchange theirs
            other.name = ""
            session.flush()
        row.name = name
        session.flush()
        other = other or Folder(mailbox_id=row.mailbox_id)
        other.name, other.watched = folder.name, made_again
        if made_again:
            other.begin_again(mailbox.last_round_at)
        session.add(other)
        record(
            session, EventKind.FOLDER_RENAMED, by=SYSTEM, mailbox_id=row.mailbox_id,
            before={"folder": folder.name}, after={"folder": name},
        )  # fmt: skip
        link.check()
