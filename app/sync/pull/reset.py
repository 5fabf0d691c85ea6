"""Reset: a folder whose numbering we can no longer trust. It never means "everything was deleted".

Real servers do this: a new UIDVALIDITY after a folder was created again, UIDs and MODSEQ going back after an index was
lost. Conversations, owners and notes stay. Copies are matched again by the identity of their mails; we remember the
keywords we see, adopt nothing, and push ours again. Copies without a match are `unmatched` for 24 hours.
"""

from __future__ import annotations

import datetime as dt
import logging

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.clock import now
from app.db import retried, transaction
from app.inbox.actor import SYSTEM, mail_client
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked_copies
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.look.arrivals import FolderAt
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.pull import importing

log = logging.getLogger(__name__)

GRACE = dt.timedelta(hours=24)
_ROWS = 500
_UNMATCHED = (Copy.unmatched_since.is_not(None), Copy.gone_at.is_(None))


def needed(folder: Folder, selected: Selected) -> bool:
    """Whether SELECT contradicts the bookmark."""
    return (
        selected.uidvalidity != folder.uidvalidity
        or _uids_went_back(folder, selected)
        or lost_its_order(folder, selected)
    )


def lost_its_order(folder: Folder, selected: Selected) -> bool:
    """Whether the server restarted the count of changes in this folder."""
    return (
        selected.uidvalidity == folder.uidvalidity
        and selected.highestmodseq is not None
        and folder.highestmodseq is not None
        and selected.highestmodseq < folder.highestmodseq
    )


def begin(link: Link, folder_at: FolderAt, folder: Folder, selected: Selected) -> None:
    log.warning("mailbox %s, folder %s: reset, its mails are matched again", link.mailbox_id, folder.name)
    with transaction() as session:
        _record(session, link, folder_at, folder.uidvalidity)
    if selected.uidvalidity == folder.uidvalidity and not _uids_went_back(folder, selected):
        _look_again(link, folder_at, selected)
        return
    _unmatch(folder.id)
    with transaction() as session:
        last_round_at = session.get_one(Mailbox, link.mailbox_id).last_round_at
        session.get_one(Folder, folder.id).begin_again(last_round_at)
    importing.begin(link, folder_at, selected)


def lose_all(link: Link, folder_at: FolderAt) -> None:
    """A folder that had mail is empty or gone. Mails that appear elsewhere or here again are matched. The others are
    gone after the grace period."""
    with transaction() as session:
        if session.scalar(_known_in(folder_at.folder_id).limit(1)) is None:
            return
        log.warning("mailbox %s, folder %s: all its mails are gone at once", link.mailbox_id, folder_at.name)
        _record(session, link, folder_at, folder_at.uidvalidity)
    _unmatch(folder_at.folder_id)


def expire_unmatched() -> None:
    """Copies that were not found within the grace period are gone. Health counts the rest."""
    while _end_grace():
        pass
    with transaction() as session:
        for folder in session.scalars(select(Folder).where(Folder.watched)):
            here = select(func.count()).select_from(Copy).where(Copy.folder_id == folder.id, *_UNMATCHED)
            folder.unmatched = session.scalar(here) or 0


@retried
def _end_grace() -> bool:
    """Handle some copies. Return whether there may be more. If a person was to choose between two sides and one of them
    is gone, there may be no choice left. The conversation is then compared again."""
    with transaction() as session:
        overdue = (Copy.unmatched_since < now() - GRACE, Copy.gone_at.is_(None))
        ids = session.scalars(select(Copy.id).where(*overdue).order_by(Copy.id).limit(_ROWS)).all()
        conversations = set()
        for copy in locked_copies(session, ids):
            if copy.unmatched_since is not None and copy.live:  # it may have been found while we waited
                copy.went(None)
                copy.message.conversation.want_push_of_copies()  # an older copy may have to carry the keywords now
                conversations.add(copy.message.conversation_id)
        refresh(session, conversations)
        return bool(ids)


def _unmatch(folder_id: int) -> None:
    while _unmatch_some(folder_id):
        pass


@retried
def _unmatch_some(folder_id: int) -> bool:
    """Handle some copies. Return whether there may be more."""
    with transaction() as session:
        copies = locked_copies(session, session.scalars(_known_in(folder_id).limit(_ROWS)))
        for copy in copies:
            copy.unmatch()
        return bool(copies)


def _known_in(folder_id: int) -> Select[int]:
    here = (Copy.folder_id == folder_id, Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
    return select(Copy.id).where(*here).order_by(Copy.id)


def _record(session: Session, link: Link, folder_at: FolderAt, uidvalidity: int | None) -> None:
    record(
        session,
        EventKind.RESET,
        by=SYSTEM,
        mailbox_id=link.mailbox_id,
        before={"folder": folder_at.name, "uidvalidity": uidvalidity},
        after={"folder": folder_at.name, "uidvalidity": folder_at.uidvalidity},
    )


def _uids_went_back(folder: Folder, selected: Selected) -> bool:
    return folder.uidnext is not None and 0 < selected.uidnext < folder.uidnext


def _look_again(link: Link, folder_at: FolderAt, selected: Selected) -> None:
    """UIDs still name the same mails; only the order of changes was lost. Read all flags again."""
    rows = link.imap.flags("1:*")
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        with transaction() as session:
            locked = LockedConversations(session, session.get_one(Mailbox, link.mailbox_id), by=mail_client(None))
            judge = Judge(locked)
            copies = locked.copies(folder_at.folder_id, folder_at.uidvalidity, [row.uid for row in some])
            for row in some:
                if row.uid in copies:
                    judge.saw_after_reset(copies[row.uid], row.flags)
            locked.finish()
    with transaction() as session:
        folder = session.get_one(Folder, folder_at.folder_id)
        folder.highestmodseq = selected.highestmodseq
