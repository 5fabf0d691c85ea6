"""Rereading: reads due mails that the server did not deliver, that could not be parsed, or that take long to parse (see
app/inbox/arriving/deferral.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from sqlalchemy import select

from app.db import retried, session_of, transaction
from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.deferral import Deferral, due, forget
from app.inbox.arriving.reread import reread
from app.inbox.arriving.slow_mail import note_slow
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.errors import FolderGone, Refused, Unavailable, Unreachable
from app.mail.version import parser_version
from app.sync.link import Link
from app.sync.look.arrivals import Batch, FolderAt, arrivals, read_patiently, without_text
from app.sync.pull.storing import STORING_ERRORS, is_unfit, store

#: Seconds at a time; an import continues in between.
_SECONDS = 5.0


def read_again(link: Link, *, at_least: int = 0) -> bool:
    """Read due mails for a few seconds or until new mail arrives, but at least this many. Return whether some are left.
    Raises Unavailable if the server has a problem."""
    ends = monotonic() + _SECONDS
    seen: set[int] = set()
    while deferrals := [one for one in _due(link) if one.id not in seen]:
        for one in deferrals:
            if len(seen) >= at_least and (monotonic() > ends or not link.between()):
                return True
            seen.add(one.id)
            _try(link, one)
    return False


def read_all_again(link: Link) -> None:
    """Read due mails until none are left."""
    while read_again(link, at_least=1):
        pass


def _due(link: Link) -> Sequence[Deferral]:
    with transaction() as session:
        return due(session, link.mailbox_id, parser_version())


def _try(link: Link, deferred: Deferral) -> None:
    try:
        _read(link, deferred)
    except FolderGone:
        _put_off(link, deferred.id, "its folder is gone")
    except (Refused, Unavailable) as error:
        link.note_refusal(error)
        _put_off(link, deferred.id, error.answer)
    except Unreachable as error:  # this mail may be the cause, so the next round must not end at it again
        _put_off(link, deferred.id, error.answer)
        raise


def _read(link: Link, deferred: Deferral) -> None:
    lies = _lies(deferred)
    if lies is None:
        _put_off(link, deferred.id, "it is in no folder")
        return
    folder_at, uid = lies
    if link.imap.select(folder_at.name).uidvalidity != folder_at.uidvalidity:
        _put_off(link, deferred.id, "its folder was renumbered")  # the next pull handles it
        return
    batch = _parsed(link, deferred, folder_at, uid)
    if uid in batch.refused and not deferred.is_overdue:
        _put_off(link, deferred.id, batch.refused[uid])
    elif deferred.message_id is None:
        _store(link, deferred, folder_at, _without_text(link, folder_at, uid) if batch.refused else batch)
    elif batch.arrivals:
        _take(link, deferred, batch.arrivals[0])
    else:
        _put_off(link, deferred.id, "it no longer exists")


def _parsed(link: Link, deferred: Deferral, folder_at: FolderAt, uid: int) -> Batch:
    """A mail that was only postponed gets as little time as new mail, so that we recognise slow mail."""
    if deferred.slow and not deferred.tries:
        [batch] = arrivals(link, folder_at, [uid])
        if not batch.slow:
            return batch
        deferred.tries = 1
        link.imap.select(folder_at.name)
    return read_patiently(link, folder_at, [uid], was_refused=not deferred.slow, meanwhile=link.serve)


def _without_text(link: Link, folder_at: FolderAt, uid: int) -> Batch:
    link.imap.select(folder_at.name)  # another folder may be open now
    return without_text(link, folder_at, uid)


def _lies(deferred: Deferral) -> tuple[FolderAt, int] | None:
    """The mail's folder and UID: where its message has a copy now, or where we first met it."""
    with transaction() as session:
        where = (deferred.folder_id, deferred.uidvalidity, deferred.uid)
        if deferred.message_id is not None:
            live = (Copy.message_id == deferred.message_id, Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
            newest = select(Copy.folder_id, Copy.uidvalidity, Copy.uid).where(*live).order_by(Copy.id.desc()).limit(1)
            row = session.execute(newest).one_or_none()
            if row is None:
                return None
            where = (row.folder_id, row.uidvalidity, row.uid)
        folder = session.get_one(Folder, where[0])
        return FolderAt(folder.id, folder.name, folder.role, where[1]), where[2]


def _store(link: Link, deferred: Deferral, folder_at: FolderAt, batch: Batch) -> None:
    """Complete the message: with its text, without text after some days, or drop it because the mail is gone."""

    def bookmark(mailbox: Mailbox, folder: Folder) -> None:
        session = session_of(mailbox)
        forget(session, folder_at.folder_id, folder_at.uidvalidity, [deferred.uid])
        if deferred.slow and deferred.tries:
            note_slow(session, (folder_at.folder_id, folder_at.uidvalidity), deferred.uid)
        link.check()

    importing = deferred.importing
    store(link.mailbox_id, folder_at.folder_id, batch.arrivals, bookmark, importing=importing, resetting=False)


def _take(link: Link, deferred: Deferral, arrival: Arrival) -> None:
    try:
        _reread(link, deferred, arrival)
    except STORING_ERRORS as error:
        if not is_unfit(error):
            raise
        _reread(link, deferred, replace(arrival, unreadable=True))


@retried
def _reread(link: Link, deferred: Deferral, arrival: Arrival) -> None:
    with transaction() as session:
        row = session.get(Deferral, deferred.id)
        if row is None or row.message_id is None:
            return
        if arrival.unreadable:
            row.could_not_be_parsed(parser_version())
        else:
            mailbox = session.get_one(Mailbox, link.mailbox_id)
            met = arrival.as_delivered() if row.importing else arrival
            reread(session, mailbox, row.message_id, met, importing=row.importing)
        link.check()


def _put_off(link: Link, deferral_id: int, answer: str) -> None:
    with transaction() as session:
        row = session.get(Deferral, deferral_id)
        if row is not None:
            row.put_off(answer)
        link.check()
