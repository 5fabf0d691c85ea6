"""The first import of a folder, newest mails first, so that the list is useful after a second.

It goes from the newest UID down to the start line and stores its position (`import_uid`) with every batch. It writes
nothing to the server, reopens nothing, and lets urgent work go first between two batches. A folder that was reset is
read again in the same way.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, aliased, joinedload

from app.clock import now
from app.db import insert_rows, retried, session_of, transaction
from app.inbox.actor import SYSTEM, mail_client
from app.inbox.arriving import deferral
from app.inbox.arriving.bounced import join_bounces
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status
from app.mail.errors import FolderGone, Refused, Unavailable
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.look.arrivals import Batch, FolderAt, arrivals
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.pull.storing import store
from app.sync.rights import note_rights

log = logging.getLogger(__name__)

#: Maximum number of batches waiting to be stored.
_WAITING = 2
#: Number of copies forgotten in one transaction.
_SOME = 500


def begin(link: Link, folder_at: FolderAt, selected: Selected) -> None:
    """Set the start line and store the folder's present position. `go_on` reads the mails."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        again = session.get_one(Folder, folder_at.folder_id).reset_at is not None
        # UIDs tell nothing about age after a reset, or in a folder that is watched only now. The date tells which mails
        # were new on the day of connecting.
        since = None if mailbox.import_choice == "all" else mailbox.import_since
    end = link.imap.next_uid(selected)
    start, left_out = _start_line(link, selected, since, end)
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        folder = session.get_one(Folder, folder_at.folder_id)
        folder.uidvalidity, folder.uidnext = selected.uidvalidity, end
        folder.highestmodseq, folder.server_count = selected.highestmodseq, selected.exists
        folder.keywords = sorted({keyword.casefold() for keyword in selected.keywords})
        note_rights(session, folder, selected)
        folder.show()
        folder.start_uid, folder.import_uid, folder.left_out = start, max(end, start), left_out
        deferral.forget_other_numbers(session, folder.id, selected.uidvalidity)
        if not again:
            mailbox.import_total += selected.exists - left_out


def go_on(link: Link) -> bool:
    """Import until nothing is left, or until `between` returns False. True when nothing is left to import."""
    with _Writer() as writer:
        for folder in _unfinished(link):
            try:
                if not _import(link, folder, writer):
                    return False
            except (FolderGone, Refused, Unavailable) as error:  # the next pull handles it
                log.warning("mailbox %s, folder %s is not imported: %s", link.mailbox_id, folder.name, error)
                link.note_refusal(error)
    _finish(link)
    return True


def _start_line(link: Link, selected: Selected, since: dt.datetime | None, end: int) -> tuple[int, int]:
    """(the lowest UID to import, the number of older mails that are left out). `end`: all UIDs are below it."""
    if since is None or selected.exists == 0:
        return 1, 0
    rows = sorted(link.imap.sizes("1:*"), key=lambda row: row.uid)
    uids = [row.uid for row in rows if row.internaldate is None or row.internaldate >= since]
    start = min(uids, default=end)
    return start, sum(1 for row in rows if row.uid < start)


def _unfinished(link: Link) -> list[Folder]:
    with transaction() as session:
        folders = session.scalars(
            select(Folder).where(
                Folder.mailbox_id == link.mailbox_id,
                Folder.watched,
                Folder.lost_at.is_(None),
                Folder.import_uid > Folder.start_uid,
            )
        )
        return sorted(folders, key=lambda f: (f.role != "inbox", f.name))


class _Writer:
    """Stores batches one after another in its own thread, while the next ones are fetched and parsed. So Postgres and
    the mail server work at the same time. The next call, or the end, raises its errors."""

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._waiting: deque[Future[None]] = deque()
        return self

    def submit(self, work: Callable[..., None], *arguments: Any) -> None:
        """Store a batch. Wait if too much in memory is not stored yet."""
        while len(self._waiting) >= _WAITING:
            self._waiting.popleft().result()
        self.follow(work, *arguments)

    def follow(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do small work after all that, without waiting."""
        self._waiting.append(self._thread.submit(work, *arguments))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        for stored in self._waiting:
            if kind is None:
                stored.result()


def _import(link: Link, folder: Folder, writer: _Writer) -> bool:
    selected = link.imap.select(folder.name)
    if selected.uidvalidity != folder.uidvalidity:
        return True  # the next pull sees the reset and begins again
    folder_at = FolderAt(folder.id, folder.name, folder.role, selected.uidvalidity)
    uids = link.imap.uids(folder.start_uid, folder.import_uid - 1)[::-1]
    for batch in arrivals(link, folder_at, uids):
        writer.submit(_store, link, folder, batch)
        if not link.between():
            return False
        if not _is_watched(folder):
            return True  # nobody needs the rest; the next pull forgets what is here
        if link.imap.selected != folder.name:
            link.imap.select(folder.name)
    writer.follow(_done, folder.id)
    return True


def _is_watched(folder: Folder) -> bool:
    with transaction() as session:
        return bool(session.scalar(select(Folder.watched).where(Folder.id == folder.id)))


def _done(folder_id: int) -> None:
    with transaction() as session:
        folder = session.get_one(Folder, folder_id)
        folder.import_uid = folder.start_uid
        folder.server_count = None  # the next pull compares the folder with what we know


def _store(link: Link, folder: Folder, batch: Batch) -> None:
    lowest, count = min(batch.done, default=None), len(batch.done)
    done = total = 0

    def bookmark(mailbox: Mailbox, saved: Folder) -> None:
        nonlocal done, total
        link.check()
        saved.import_uid = lowest or saved.import_uid
        numbering = (saved.id, saved.uidvalidity or 0)
        deferral.defer(session_of(mailbox), mailbox.id, numbering, batch.refused, importing=not resetting)
        deferral.defer_slow(session_of(mailbox), mailbox.id, numbering, batch.slow, importing=not resetting)
        mailbox.import_done += count
        done, total = mailbox.import_done, max(mailbox.import_total, mailbox.import_done)

    resetting = folder.reset_at is not None
    store(link.mailbox_id, folder.id, batch.arrivals, bookmark, importing=True, resetting=resetting)
    speed = link.progress.add(count)
    if speed is not None:
        log.info("mailbox %s: %s of %s mails imported, %.0f a second", link.mailbox_id, done, total, speed)


def _finish(link: Link) -> None:
    while _let_go(link):
        pass
    imported = link.progress.end()
    if imported or _is_first(link):
        _join_bounces(link)
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        session.execute(
            update(Folder)
            .where(Folder.mailbox_id == mailbox.id, Folder.reset_at.is_not(None), Folder.import_uid <= Folder.start_uid)
            .where(Folder.uidvalidity.is_not(None))  # otherwise the import has not begun
            .values(reset_at=None)
        )
        if mailbox.imported_at is None:
            mailbox.imported_at = now()
            if mailbox.close_older_than_days is not None:
                _close_older(session, mailbox, mailbox.close_older_than_days)
            # Update Postgres's statistics of the new rows before people open lists.
            session.execute(text("ANALYZE conversation, message, copy, known_id, conversation_tag"))
            mailbox.tell_health()
        total = mailbox.import_total
    if imported:
        log.info("mailbox %s: the import is done, %s mails", link.mailbox_id, total)


def _is_first(link: Link) -> bool:
    with transaction() as session:
        return session.get_one(Mailbox, link.mailbox_id).imported_at is None


def _join_bounces(link: Link) -> None:
    """All mails that a bounce may be about are stored now."""
    after: int | None = 0
    while after is not None:
        after = _join_some(link, after)


@retried
def _join_some(link: Link, after: int) -> int | None:
    with transaction() as session:
        last = join_bounces(session, session.get_one(Mailbox, link.mailbox_id), after)
        link.check()
    return last


@retried
def _let_go(link: Link) -> bool:
    """Forget mails that are no longer in their folder after it was read again, and that were found in another one.
    Handles some of them. Returns whether there were any."""
    other = aliased(Copy)
    query = select(other.id).where(
        other.message_id == Copy.message_id, other.gone_at.is_(None), other.unmatched_since.is_(None)
    )
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        read_again = [folder.id for folder in mailbox.folders if folder.reset_at is not None and not folder.importing]
        if not read_again:
            return False
        left = session.scalars(
            select(Copy)
            .options(joinedload(Copy.message))
            .where(Copy.folder_id.in_(read_again), Copy.gone_at.is_(None), Copy.unmatched_since.is_not(None))
            .where(query.exists())
            .limit(_SOME)
        ).all()
        locked = LockedConversations(session, mailbox, by=mail_client(None))
        judge = Judge(locked)
        locked.lock(copy.message.conversation_id for copy in left)
        judge.gone(left)
        locked.finish()
        link.check()
    return bool(left)


def _close_older(session: Session, mailbox: Mailbox, days: int) -> None:
    """Close conversations that are open, unassigned and older than asked, in the database only. Nothing is written to
    the server before somebody acts on them."""
    closed = session.execute(
        update(Conversation)
        .where(
            Conversation.mailbox_id == mailbox.id,
            Conversation.status == Status.OPEN,
            Conversation.mirrored.is_(False),
            Conversation.merged_into_id.is_(None),
            Conversation.assignee_id.is_(None),
            Conversation.assigned_name.is_(None),
            Conversation.last_at < now() - dt.timedelta(days=days),
        )
        .values(
            status=Status.CLOSED,
            agreed_status=Status.CLOSED,
            handled_at=Conversation.last_at,
            waiting_since=None,
            revision=Conversation.revision + 1,
        )
        .returning(Conversation.id)
    ).scalars()
    rows = [
        {
            "at": now(), "mailbox_id": mailbox.id, "conversation_id": id_, "kind": EventKind.STATUS,
            "source": SYSTEM.source, "before": {"status": Status.OPEN}, "after": {"status": Status.CLOSED},
        }
        for id_ in closed
    ]  # fmt: skip
    insert_rows(session, Event, rows)
