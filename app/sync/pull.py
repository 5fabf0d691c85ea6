"""Pull: what the server shows becomes what we know. Changed keywords, vanished copies, then new mail.

Every folder is looked at first, then new mail is read: a mail that was moved is known to be gone from its old folder
before it is met in the new one. A bookmark (UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ) is saved only with what was read up
to it, so that a crash repeats work and loses none.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from app.inbox.folder import Folder
from app.inbox.mailbox import Mailbox
from app.inbox.message import Message
from app.mail.errors import FolderGone, Refused
from app.mail.names import UidSet
from app.mail.values import FlagRow
from app.sync import importing, reset
from app.sync.arrivals import Place, arrivals
from app.sync.judge import Judge
from app.sync.link import Link
from app.sync.look import Look, chunks
from app.sync.storing import store
from app.sync.vanish import missed, vanish

log = logging.getLogger(__name__)

#: Without CONDSTORE the flags of the newest are compared in every round, all of them this often.
_NEWEST = 2000
_COMPARE_ALL = dt.timedelta(minutes=15)


def pull(link: Link) -> None:
    """One full pull of the mailbox's watched folders. Raises Refused, after the others, if the inbox was refused."""
    refusals: list[tuple[Folder, Refused]] = []
    moving = _moving(link)
    looks = [look for folder in watched(link) if (look := _tried(link, folder, refusals)) is not None]
    for look in looks:
        try:
            _new_mail(link, look)
        except Refused as error:
            refusals.append((look.folder, error))
    with transaction() as session:
        for folder, refused in refusals:
            log.warning("mailbox %s, folder %s: %s", link.mailbox_id, folder.name, refused)
            if folder.role != "inbox":  # of the inbox the mailbox's own health tells
                _lose_sight(session, folder)
        session.get_one(Mailbox, link.mailbox_id).pulls += 1
        _settle_moves(session, moving, [folder.id for folder, _ in refusals])
    for folder, refused in refusals:
        if folder.role == "inbox":
            raise refused


def watched(link: Link) -> list[Folder]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        return sorted((f for f in mailbox.folders if f.watched), key=lambda f: (f.role != "inbox", f.name))


def _tried(link: Link, folder: Folder, refusals: list[tuple[Folder, Refused]]) -> Look | None:
    try:
        return _look(link, folder)
    except FolderGone:
        if folder.uidvalidity is not None:
            reset.lose_all(link, Place(folder.id, folder.name, folder.role, folder.uidvalidity))
        with transaction() as session:
            _lose_sight(session, folder)
    except Refused as error:
        refusals.append((folder, error))
    return None


def _lose_sight(session: Session, folder: Folder) -> None:
    lost = session.get_one(Folder, folder.id)
    lost.lost_at = lost.lost_at or now()


def _look(link: Link, folder: Folder) -> Look | None:
    """Open a folder and take in what changed on the copies we know."""
    known = None
    if folder.uidvalidity is not None and folder.highestmodseq is not None and link.imap.qresync:
        known = (folder.uidvalidity, folder.highestmodseq)
    selected = link.imap.select(folder.name, known=known)
    look = Look(folder, selected)
    if folder.uidvalidity is None:
        importing.begin(link, look.place, selected)
    elif reset.needed(folder, selected):
        reset.begin(link, look.place, folder, selected)
    elif _unchanged(look):
        _settle(look, 1)
    else:
        _take_in(link, look)
        return look
    return None


def _unchanged(look: Look) -> bool:
    """With MODSEQ the server itself says that nothing happened since the bookmark."""
    folder, selected = look.folder, look.selected
    return (
        selected.highestmodseq is not None
        and selected.highestmodseq == folder.highestmodseq
        and selected.uidnext == folder.uidnext
        and selected.exists == folder.server_count
        and selected.read_only == folder.read_only
        and folder.missing == 0
        and folder.lost_at is None
    )


def _take_in(link: Link, look: Look) -> None:
    rows, vanished, lowest = _changes(link, look)
    for chunk in chunks(sorted(rows, key=lambda row: (row.modseq or 0, row.uid))):
        _apply(link, look, chunk)
    gone = look.known_in(vanished) if link.imap.qresync else missed(link, look)
    if gone:
        vanish(link, look, gone)
    _settle(look, lowest)


def _changes(link: Link, look: Look) -> tuple[list[FlagRow], UidSet, int]:
    """(changed rows, vanished, the lowest UID this covers): told by the server, else found by comparing."""
    folder, selected = look.folder, look.selected
    if selected.qresync_used:
        return selected.changes, selected.vanished, 1
    if selected.highestmodseq is not None and folder.highestmodseq is not None:
        if selected.highestmodseq == folder.highestmodseq:
            return [], [], 1
        changes = link.imap.changes(folder.highestmodseq)
        return changes.rows, changes.vanished, 1
    lowest = 1
    if folder.compared_at is not None and now() - folder.compared_at < _COMPARE_ALL:
        lowest = _uid_from_the_end(folder, _NEWEST)
    if lowest == 1:
        with transaction() as session:
            session.get_one(Folder, folder.id).compared_at = now()
    return link.imap.flags(f"{lowest}:*"), [], lowest


def _uid_from_the_end(folder: Folder, count: int) -> int:
    with transaction() as session:
        live = select(Copy.uid).where(Copy.folder_id == folder.id, Copy.gone_at.is_(None))
        return session.scalar(live.order_by(Copy.uid.desc()).offset(count).limit(1)) or 1


def _apply(link: Link, look: Look, rows: Sequence[FlagRow]) -> None:
    with transaction() as session:
        news = _differing(session, look, rows)
        if not news:
            return
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        judge = Judge(session, mailbox, look.last_seen(mailbox))
        copies = judge.copies(look.folder.id, look.selected.uidvalidity, [row.uid for row in news])
        for row in news:
            if row.uid in copies:
                judge.saw(copies[row.uid], row.flags)
        judge.finish()
        link.check()


def _differing(session: Session, look: Look, rows: Sequence[FlagRow]) -> list[FlagRow]:
    """The rows that show something else than we know; most rows of our own writes do not."""
    known = {
        uid: set(keywords) if pushing is None else None
        for uid, keywords, pushing in session.execute(
            select(Copy.uid, Copy.keywords, Copy.pushing).where(
                Copy.folder_id == look.folder.id,
                Copy.uidvalidity == look.selected.uidvalidity,
                Copy.uid.in_([row.uid for row in rows]),
                Copy.gone_at.is_(None),
            )
        )
    }
    return [row for row in rows if row.uid in known and known[row.uid] != _kept(row.flags)]


def _kept(flags: Iterable[str]) -> set[str]:
    return set(flags) - {"\\Recent"}


# new mail, and making sure --------------------------------------------------------------------------------------------


def _new_mail(link: Link, look: Look) -> None:
    folder, selected = look.folder, look.selected
    assert folder.uidnext is not None
    uids: list[int] = []
    if selected.uidnext > folder.uidnext or _may_hold_more(look):
        _open(link, look)
        uids = link.imap.uids(folder.uidnext)
        _read(link, look, uids)
    if not folder.importing:
        _compare(link, look)
    with transaction() as session:
        saved = session.get_one(Folder, folder.id)
        saved.uidnext = max(selected.uidnext, folder.uidnext, max(uids, default=0) + 1)
        saved.highestmodseq, saved.server_count = selected.highestmodseq, selected.exists
        saved.keywords = sorted({keyword.casefold() for keyword in selected.keywords})
        if saved.read_only and not selected.read_only:
            _push_again(session, saved)
        saved.read_only, saved.lost_at, saved.pulled_at = selected.read_only, None, now()
        link.check()


def _push_again(session: Session, folder: Folder) -> None:
    """It may be written to now: its copies get what they missed."""
    here = select(Message.conversation_id).join(Copy).where(Copy.folder_id == folder.id, Copy.gone_at.is_(None))
    session.execute(
        update(Conversation)
        .where(Conversation.id.in_(here), Conversation.mirrored)
        .values(push_needed=True)
        .execution_options(synchronize_session=False)
    )


def _may_hold_more(look: Look) -> bool:
    """Some servers say no UIDNEXT; then one looks."""
    return look.selected.uidnext == 0


def _open(link: Link, look: Look) -> None:
    if link.imap.selected != look.folder.name:
        link.imap.select(look.folder.name)


def _read(link: Link, look: Look, uids: Sequence[int], *, importing: bool = False) -> None:
    for batch in arrivals(link, look.place, uids):
        highest = max(batch.done, default=0)

        def bookmark(mailbox: Mailbox, folder: Folder, highest: int = highest) -> None:
            folder.uidnext = max(folder.uidnext or 1, highest + 1)
            link.check()

        store(link.mailbox_id, look.folder.id, batch.arrivals, bookmark, importing=importing, resetting=False)
        link.between()  # after an outage these are thousands of mails; what people wait for goes first
        _open(link, look)


def _compare(link: Link, look: Look) -> None:
    """The server's number of messages and ours must agree; where they do not, UIDs are compared one by one, what is
    missing is read and what is gone is noted. This is promise 1, kept at every pull that changed something."""
    with transaction() as session:
        folder = session.get_one(Folder, look.folder.id)
        left_out, start = folder.left_out, folder.start_uid
    if look.known_count() + left_out == look.selected.exists and look.folder.missing == 0:
        return
    _open(link, look)
    there = link.imap.uids()
    ours = set(look.known_uids())
    gone = sorted(ours.difference(there))
    missing = [uid for uid in there if uid >= start and uid not in ours]
    if gone:
        vanish(link, look, gone)
    if missing:
        # After an import these are mails it was not shown: old ones, which reopen nothing.
        _read(link, look, missing, importing=look.folder.server_count is None)
    with transaction() as session:
        still = set(missing).difference(look.known_uids())
        folder = session.get_one(Folder, look.folder.id)
        folder.left_out = sum(1 for uid in there if uid < start)
        folder.missing = len(still)


def _settle(look: Look, lowest: int) -> None:
    """A write we had begun on a copy that this pull covered and did not report never came."""
    with transaction() as session:
        session.execute(
            update(Copy)
            .where(
                *look.live,
                Copy.uid >= lowest,
                Copy.pushing.is_not(None),
            )
            .values(pushing=None)
        )


def _moving(link: Link) -> list[int]:
    with transaction() as session:
        mine = select(Copy.id).join(Folder, Folder.id == Copy.folder_id).where(Folder.mailbox_id == link.mailbox_id)
        return list(session.scalars(mine.where(Copy.moving_folder_id.is_not(None))))


def _settle_moves(session: Session, moving: Sequence[int], unseen: Sequence[int]) -> None:
    """A move we had begun on a copy that still lies where it lay never came: it is tried again. Of a folder that was
    not seen one cannot tell."""
    seen = select(Folder.id).where(Folder.lost_at.is_(None), Folder.id.not_in(unseen))
    session.execute(
        update(Copy)
        .where(Copy.id.in_(moving), Copy.gone_at.is_(None), Copy.folder_id.in_(seen))
        .values(moving_folder_id=None)
    )
