"""Reset: a folder whose numbering can no longer be trusted. Never read as "everything was deleted".

Seen on real servers: a new UIDVALIDITY after a folder was made again, UIDs and MODSEQ going back after an index was
lost. Conversations, owners and notes stay; copies are matched again by the identity of their mails, what is seen is
remembered, nothing is adopted, and our names are pushed again. What does not match is `unmatched` for 24 hours.
"""

from __future__ import annotations

import datetime as dt
import logging

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.actor import SYSTEM
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.registers import FROZEN
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.look.arrivals import Place
from app.sync.meaning.judge import Judge
from app.sync.pull import importing

log = logging.getLogger(__name__)

GRACE = dt.timedelta(hours=24)
_ROWS = 500


def needed(folder: Folder, selected: Selected) -> bool:
    """Whether SELECT contradicts the bookmark."""
    return (
        selected.uidvalidity != folder.uidvalidity
        or _uids_went_back(folder, selected)
        or lost_its_order(folder, selected)
    )


def lost_its_order(folder: Folder, selected: Selected) -> bool:
    """Whether the server counts the changes of this very folder anew."""
    return (
        selected.uidvalidity == folder.uidvalidity
        and selected.highestmodseq is not None
        and folder.highestmodseq is not None
        and selected.highestmodseq < folder.highestmodseq
    )


def begin(link: Link, place: Place, folder: Folder, selected: Selected) -> None:
    log.warning("mailbox %s, folder %s: reset, its mails are matched again", link.mailbox_id, folder.name)
    with transaction() as session:
        _record(session, link, place, folder.uidvalidity)
    if selected.uidvalidity == folder.uidvalidity and not _uids_went_back(folder, selected):
        _look_again(link, place, selected)
        return
    with transaction() as session:
        _unmatch(session, folder.id)
        last_round_at = session.get_one(Mailbox, link.mailbox_id).last_round_at
        session.get_one(Folder, folder.id).begin_again(last_round_at)
    importing.begin(link, place, selected)


def lose_all(link: Link, place: Place) -> None:
    """A folder with mail shows none, or is gone itself. Mails that turn up elsewhere or here again are matched; the
    others are gone after the grace."""
    with transaction() as session:
        if not _unmatch(session, place.folder_id):
            return
        log.warning("mailbox %s, folder %s: all its mails are gone at once", link.mailbox_id, place.name)
        _record(session, link, place, place.uidvalidity)


def settle_unmatched() -> None:
    """What was not found again within the grace is gone; the health page counts the rest."""
    with transaction() as session:
        folders = session.scalars(select(Folder).where(Folder.watched)).all()
        overdue = select(Copy.id).where(Copy.unmatched_since < now() - GRACE, Copy.gone_at.is_(None))
        _compare_again(session, overdue)
        session.execute(update(Copy).where(Copy.id.in_(overdue)).values(gone_at=now(), unmatched_since=None))
        for folder in folders:
            folder.unmatched = session.scalar(
                select(func.count())
                .select_from(Copy)
                .where(Copy.folder_id == folder.id, Copy.unmatched_since.is_not(None), Copy.gone_at.is_(None))
            ) or 0  # fmt: skip


def _compare_again(session: Session, going: Select[int]) -> None:
    """Where a person is to choose between two sides and one of them goes, there may be no choice left."""
    theirs = select(Message.conversation_id).join(Copy).where(Copy.id.in_(going))
    frozen = select(Conversation.id).where(Conversation.id.in_(theirs), text(f"conversation.{FROZEN}"))
    held = session.scalars(frozen.order_by(Conversation.id).with_for_update(key_share=True)).all()
    session.execute(update(Conversation).where(Conversation.id.in_(held)).values(push_needed=True))


def _record(session: Session, link: Link, place: Place, uidvalidity: int | None) -> None:
    record(
        session,
        EventKind.RESET,
        by=SYSTEM,
        mailbox_id=link.mailbox_id,
        before={"folder": place.name, "uidvalidity": uidvalidity},
        after={"folder": place.name, "uidvalidity": place.uidvalidity},
    )


def _unmatch(session: Session, folder_id: int) -> bool:
    """Whether there were any left."""
    unmatched = session.scalars(
        update(Copy)
        .where(Copy.folder_id == folder_id, Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
        .values(unmatched_since=now(), pushing=None)
        .returning(Copy.id)
    )
    return bool(unmatched.all())


def _uids_went_back(folder: Folder, selected: Selected) -> bool:
    return folder.uidnext is not None and 0 < selected.uidnext < folder.uidnext


def _look_again(link: Link, place: Place, selected: Selected) -> None:
    """UIDs still name the same mails; only the order of changes was lost. All flags are read again."""
    rows = link.imap.flags("1:*")
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        with transaction() as session:
            judge = Judge(session, session.get_one(Mailbox, link.mailbox_id), None)
            copies = judge.copies(place.folder_id, place.uidvalidity, [row.uid for row in some])
            for row in some:
                if row.uid in copies:
                    judge.saw_after_reset(copies[row.uid], row.flags)
            judge.finish()
    with transaction() as session:
        folder = session.get_one(Folder, place.folder_id)
        folder.highestmodseq = selected.highestmodseq
