"""Pull: reads the server's state into the database. First changed keywords, then vanished copies, then new mail.

It looks at every folder before it reads new mail. A moved mail is then known to have left its old folder before we meet
it in the new one. A bookmark (UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ) is saved only with the mails read up to it, so a
crash repeats work and loses nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.clock import now
from app.db import retried, transaction
from app.inbox.actor import mail_client
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked_copies
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.errors import FolderGone, Refused, Unavailable
from app.mail.names import UidSet
from app.mail.values import FlagRow, Selected
from app.sync.link import Link
from app.sync.look.arrivals import FolderAt
from app.sync.look.look import Look, chunks
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.meaning.removal import names_to_hold
from app.sync.pull import importing, reset
from app.sync.pull.listing import follow, list_now_and_then
from app.sync.pull.newmail import read_new_mail
from app.sync.pull.rereading import read_again
from app.sync.pull.returning import end_return, is_tried
from app.sync.pull.vanish import leave_unwatched, missed, vanish

log = logging.getLogger(__name__)

#: Without CONDSTORE the flags of the newest mails are compared in every round, and all flags at this interval.
_NEWEST = 2000
_COMPARE_ALL = dt.timedelta(minutes=15)


def pull(link: Link) -> None:
    """One full pull of the mailbox's watched folders. Raises Refused or Unavailable if the inbox was refused, after
    reading the other folders."""
    leave_unwatched(link)
    begun = _begin(link)
    looks: list[Look] = []
    for folder in begun.folders:
        with begun.forgiving(folder):
            looks += _look(begun, folder)
    list_now_and_then(link)
    if begun.forgetful:
        _look_again(begun)
        looks = []
    holding = names_to_hold(link.mailbox_id, looks)
    for look in looks:
        with begun.forgiving(look.folder):
            _take_in(begun, look, holding)
    for look in [look for look in looks if look.folder.id not in begun.out]:
        with begun.forgiving(look.folder):
            read_new_mail(link, look)
    read_again(link)
    _end(begun)
    if begun.refusal is not None:
        raise begun.refusal


def watched(link: Link) -> list[Folder]:
    with transaction() as session:
        return _watched(session.get_one(Mailbox, link.mailbox_id))


@dataclass
class _Pull:
    """What was unfinished when the pull began, and what went wrong in it. `writing`: folders with an unfinished write
    of ours; `moving`: copies with an unfinished move of ours; `out`: folders to ignore from here on; `renewed`: folders
    that started over; `forgetful`: folders whose server restarted the count of changes."""

    link: Link
    folders: list[Folder]
    writing: frozenset[int]
    moving: Sequence[int]
    returning: bool  # returning to keywords: look at all mails
    out: set[int] = field(default_factory=set)
    renewed: set[int] = field(default_factory=set)
    forgetful: set[int] = field(default_factory=set)
    refusal: Refused | Unavailable | None = None  # of the inbox: the mailbox's own health shows it

    @contextmanager
    def forgiving(self, folder: Folder) -> Iterator[None]:
        """A folder that is refused or gone does not stop the others. If the server cannot show a second folder, the
        folder is not the cause. Raises Unavailable then."""
        try:
            yield
        except FolderGone:
            self.out.add(folder.id)  # it has just disappeared: the next pull checks whether it was renamed
        except (Refused, Unavailable) as error:
            log.warning("mailbox %s, folder %s: %s", self.link.mailbox_id, folder.name, error)
            if folder.role == "inbox":
                self.out.add(folder.id)
                self.refusal = error
            else:
                self.leave(folder, error.answer)
            if not folder.refused:  # a folder refused for long is no sign of an overloaded server
                self.link.note_refusal(error)

    def leave(self, folder: Folder, refusal: str | None = None) -> None:
        """Hide the folder's mail. If the folder is gone, its copies wait to be found elsewhere."""
        self.out.add(folder.id)
        if refusal is None and folder.uidvalidity is not None:
            reset.lose_all(self.link, FolderAt(folder.id, folder.name, folder.role, folder.uidvalidity))
        with transaction() as session:
            session.get_one(Folder, folder.id).lose(refusal)


def _begin(link: Link) -> _Pull:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        folders = _watched(mailbox)
        returning = is_tried(mailbox)
        if returning:
            _look_at_all(folders)
        mine = [folder.id for folder in folders]
        live = (Copy.folder_id.in_(mine), Copy.gone_at.is_(None))
        writing = session.scalars(select(Copy.folder_id).where(*live, Copy.pushing.is_not(None)).distinct())
        moving = session.scalars(select(Copy.id).where(*live, Copy.moving_folder_id.is_not(None)))
        return _Pull(link, folders, frozenset(writing), moving.all(), returning=returning)


def _look_at_all(folders: Iterable[Folder]) -> None:
    """Look at every message of these folders, whatever changes the server reports."""
    for folder in folders:
        folder.highestmodseq = folder.compared_at = None


def _end(begun: _Pull) -> None:
    with transaction() as session:
        mine = update(Mailbox).where(Mailbox.id == begun.link.mailbox_id)
        session.execute(mine.values(pulls=Mailbox.pulls + 1))
        if begun.moving and not begun.forgetful:
            _end_lost_moves(session, begun)
    if begun.returning and begun.refusal is None and not begun.renewed:
        end_return(begun.link)


def _watched(mailbox: Mailbox) -> list[Folder]:
    return sorted((f for f in mailbox.folders if f.watched), key=lambda f: (f.role != "inbox", f.name))


def _look(begun: _Pull, folder: Folder) -> list[Look]:
    """Open a folder and find its changes; empty if there are none, or if its mails are to be imported."""
    link = begun.link
    try:
        folder, selected = _opened(link, folder)
    except FolderGone:
        begun.leave(folder)
        return []
    look = Look(folder, selected)
    if folder.uidvalidity is None:
        begun.renewed.add(folder.id)
        importing.begin(link, look.folder_at, selected)
        return []
    if reset.lost_its_order(folder, selected):
        begun.forgetful.add(folder.id)
        return []
    if reset.needed(folder, selected):
        begun.renewed.add(folder.id)
        reset.begin(link, look.folder_at, folder, selected)
        return []
    if look.unchanged:
        _end_lost_writes(begun, look)
        return []
    rows, vanished, lowest = _changes(link, look)
    gone = look.known_in(vanished) if link.imap.qresync else missed(link, look)
    return [replace(look, rows=_differing(look, rows), gone=gone, lowest=lowest)]


def _opened(link: Link, folder: Folder) -> tuple[Folder, Selected]:
    """The folder under its present name, opened. Raises FolderGone if it no longer exists."""
    try:
        selected = _select(link, folder)
        if folder.uidvalidity in (None, selected.uidvalidity):
            return folder, selected
    except FolderGone:
        if folder.gone:  # we searched for it when it disappeared, and do so at intervals
            raise
    folder = follow(link, folder)
    return folder, _select(link, folder)


def _select(link: Link, folder: Folder) -> Selected:
    known = None
    if folder.uidvalidity is not None and folder.highestmodseq is not None and link.imap.qresync:
        known = (folder.uidvalidity, folder.highestmodseq)
    return link.imap.select(folder.name, known=known)


def _look_again(begun: _Pull) -> None:
    """The server lost the order of changes in one folder. It may have lost the order in every folder, and a restarted
    count may happen to equal ours. So we do not believe what the other folders report as changed or unchanged. The
    folder that revealed it is handled last: if we stop on the way, the next pull finds it unchanged and begins
    again."""
    known = [folder for folder in watched(begun.link) if folder.uidvalidity is not None]
    again = [folder for folder in known if folder.id not in begun.out | begun.renewed]
    for folder in sorted(again, key=lambda folder: folder.id in begun.forgetful):
        with begun.forgiving(folder):
            selected = begun.link.imap.select(folder.name)
            reset.begin(begun.link, Look(folder, selected).folder_at, folder, selected)


def _take_in(begun: _Pull, look: Look, holding: frozenset[str]) -> None:
    for some in chunks(look.rows):
        _apply(begun.link, look, some, holding)
    if look.gone:
        vanish(begun.link, look, look.gone)
    _end_lost_writes(begun, look)


def _changes(link: Link, look: Look) -> tuple[list[FlagRow], UidSet, int]:
    """(changed rows, vanished UIDs, the lowest UID covered), reported by the server or found by comparing."""
    folder, selected = look.folder, look.selected
    if selected.qresync_used:
        return selected.changes, selected.vanished, 1
    if selected.highestmodseq is not None and folder.highestmodseq is not None:
        if selected.highestmodseq == folder.highestmodseq:
            return [], [], 1
        changes = link.imap.changes(folder.highestmodseq)
        return changes.rows, changes.vanished, 1
    lowest = 1
    if folder.compared_at is not None and abs(now() - folder.compared_at) < _COMPARE_ALL:
        lowest = _uid_from_the_end(folder, _NEWEST)
    if lowest == 1:
        with transaction() as session:
            session.get_one(Folder, folder.id).compared_at = now()
    return link.imap.flags(f"{lowest}:*"), [], lowest


def _uid_from_the_end(folder: Folder, count: int) -> int:
    with transaction() as session:
        live = select(Copy.uid).where(Copy.folder_id == folder.id, Copy.gone_at.is_(None))
        return session.scalar(live.order_by(Copy.uid.desc()).offset(count).limit(1)) or 1


def _differing(look: Look, rows: Sequence[FlagRow]) -> list[FlagRow]:
    """The rows that differ from what we know, in the order in which they changed. Most rows caused by our own writes do
    not differ."""
    differing: list[FlagRow] = []
    for some in chunks(sorted(rows, key=lambda row: (row.modseq or 0, row.uid))):
        with transaction() as session:
            known = {
                uid: set(keywords) if pushing is None else None
                for uid, keywords, pushing in session.execute(
                    select(Copy.uid, Copy.keywords, Copy.pushing).where(
                        *look.live, Copy.uid.in_([row.uid for row in some])
                    )
                )
            }
        differing += [row for row in some if row.uid in known and known[row.uid] != _kept(row.flags)]
    return differing


@retried
def _apply(link: Link, look: Look, rows: Sequence[FlagRow], holding: frozenset[str]) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        locked = LockedConversations(session, mailbox, by=mail_client(look.last_seen(mailbox)))
        judge = Judge(locked, holding)
        copies = locked.copies(look.folder.id, look.selected.uidvalidity, [row.uid for row in rows])
        for row in rows:
            if row.uid in copies:
                judge.saw(copies[row.uid], row.flags)
        locked.finish()
        link.check()


def _kept(flags: Iterable[str]) -> set[str]:
    return set(flags) - {"\\Recent"}


def _end_lost_writes(begun: _Pull, look: Look) -> None:
    """An unfinished write on a copy that this pull covered and did not report never reached the server."""
    if look.folder.id not in begun.writing:
        return
    with transaction() as session:
        begun_there = select(Copy.id).where(*look.live, Copy.uid >= look.lowest, Copy.pushing.is_not(None))
        for copy in locked_copies(session, session.scalars(begun_there)):
            copy.end_write()


def _end_lost_moves(session: Session, begun: _Pull) -> None:
    """An unfinished move of a copy that is still in its place did not happen, or only half of it. Try it again, or
    complete it. This is unknown for folders that were not seen. A server with MOVE never does half of a move. A copy in
    the other folder is then a client's, and both stay."""
    seen = select(Folder.id).where(Folder.lost_at.is_(None), Folder.id.not_in(begun.out))
    gone = select(Folder.id).where(Folder.lost_at.is_not(None), Folder.refusal.is_(None))
    to_seen = or_(Copy.moving_folder_id.in_(seen), Copy.moving_folder_id.in_(gone))
    copies = locked_copies(session, begun.moving)
    lies = select(Copy.id).where(Copy.id.in_(begun.moving), Copy.gone_at.is_(None), Copy.folder_id.in_(seen), to_seen)
    unmoved = set(session.scalars(lies))
    for copy in copies:
        if copy.id in unmoved:
            copy.move_ended()
        if begun.link.imap.has_move:
            copy.keep()
