"""Renewing: after an upgrade, reads the stored mails of a mailbox again with the new parser (see
app/inbox/arriving/renewal.py), a few seconds in each round, after all other work."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from time import monotonic

from app.db import retried, transaction
from app.inbox.arriving import renewal
from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.renewal import StoredMail
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.errors import FolderGone, Refused, Unavailable
from app.mail.version import READ_VERSION
from app.sync.link import Link
from app.sync.look.arrivals import Batch, FolderAt, arrivals, read_patiently

log = logging.getLogger(__name__)

#: Seconds in each round. The mail server and other mailboxes have the time in between.
_SECONDS = 4.0
#: Mails in one transaction, which locks their conversations.
_SOME = 50


def note_version(link: Link) -> None:
    """Called before a round reads mail, so that all mail read by an older version is stored already."""
    with transaction() as session:
        if renewal.begin(session, session.get_one(Mailbox, link.mailbox_id), READ_VERSION):
            log.info("mailbox %s: stored mails are read again by the new parser, newest first", link.mailbox_id)


def renew_stored(link: Link) -> None:
    """Read stored mails again for a few seconds, or until other work is due."""
    ends = monotonic() + _SECONDS
    while monotonic() < ends and link.between():
        mails = _next(link)
        if not mails:
            return
        _store(link, mails, _read(link, mails))


def _next(link: Link) -> list[StoredMail]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        mails = renewal.next_mails(session, mailbox, _SOME)
        if not mails and mailbox.renew_below is not None:
            mailbox.renew_below = None
            log.info("mailbox %s: all stored mails are read again", link.mailbox_id)
    return mails


def _read(link: Link, mails: Sequence[StoredMail]) -> dict[int, Arrival]:
    """Message id -> its mail, for those that the server delivers."""
    by_folder: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for mail in mails:
        if mail.folder_id is not None:
            by_folder[mail.folder_id, mail.uidvalidity][mail.uid] = mail.message_id
    found: dict[int, Arrival] = {}
    for (folder_id, uidvalidity), messages in by_folder.items():
        try:
            found |= {messages[a.uid]: a for a in _of_folder(link, _place(folder_id, uidvalidity), sorted(messages))}
        except FolderGone:
            continue  # the next pull handles it
        except (Refused, Unavailable) as error:
            link.note_refusal(error)
    return found


def _place(folder_id: int, uidvalidity: int) -> FolderAt:
    with transaction() as session:
        folder = session.get_one(Folder, folder_id)
        return FolderAt(folder.id, folder.name, folder.role, uidvalidity)


def _of_folder(link: Link, folder_at: FolderAt, uids: Sequence[int]) -> list[Arrival]:
    if link.imap.select(folder_at.name).uidvalidity != folder_at.uidvalidity:
        return []  # the next pull handles it
    batches: list[Batch] = []
    for batch in arrivals(link, folder_at, uids):
        batches.append(batch)
        _select(link, folder_at)
    for uid in [uid for batch in batches for uid in batch.slow]:
        batches.append(read_patiently(link, folder_at, [uid], meanwhile=link.serve))
        _select(link, folder_at)
    return [arrival for batch in batches for arrival in batch.arrivals]


def _select(link: Link, folder_at: FolderAt) -> None:
    """Members' changes may have opened another folder."""
    if link.imap.selected != folder_at.name:
        link.imap.select(folder_at.name)


@retried
def _store(link: Link, mails: Sequence[StoredMail], found: dict[int, Arrival]) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        renewal.renew(session, mailbox, found)
        mailbox.renew_below = mails[-1].message_id
        link.check()
