"""Rereading: mails that the server did not give, or that could not be parsed, are read again when their time has come
(see app/inbox/deferral.py)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from app.db import retried, session_of, transaction
from app.inbox.arrival import Arrival
from app.inbox.copy import Copy
from app.inbox.deferral import Deferral, due, forget
from app.inbox.folder import Folder
from app.inbox.mailbox import Mailbox
from app.inbox.reread import reread
from app.mail.errors import FolderGone, Refused, Unavailable
from app.mail.version import parser_version
from app.sync.arrivals import Batch, Place, arrivals, without_text
from app.sync.link import Link
from app.sync.storing import STORING_ERRORS, is_unfit, store


def read_again(link: Link) -> None:
    """Some of those that are due. Raises Unavailable where the server is unwell."""
    with transaction() as session:
        deferrals = due(session, link.mailbox_id, parser_version())
    for one in deferrals:
        try:
            _read(link, one)
        except FolderGone:
            _put_off(link, one.id, "its folder is gone")
        except (Refused, Unavailable) as error:
            link.note_refusal(error)
            _put_off(link, one.id, error.said)


def _read(link: Link, deferred: Deferral) -> None:
    lies = _lies(deferred)
    if lies is None:
        _put_off(link, deferred.id, "it is in no folder")
        return
    place, uid = lies
    if link.imap.select(place.name).uidvalidity != place.uidvalidity:
        return  # the next pull sees the reset
    [*batches] = arrivals(link, place, [uid])
    found = [arrival for batch in batches for arrival in batch.arrivals]
    refused = {uid: answer for batch in batches for uid, answer in batch.refused.items()}
    if refused and not deferred.is_overdue:
        _put_off(link, deferred.id, refused[uid])
    elif deferred.message_id is None:
        _store(link, deferred, place, without_text(link, place, uid) if refused else Batch(found, [uid], {}))
    elif found:
        _take(link, deferred, found[0])
    else:
        _put_off(link, deferred.id, "it is not there any more")


def _lies(deferred: Deferral) -> tuple[Place, int] | None:
    """The folder where the mail lies and its UID: where its message has a copy now, or where it was first met."""
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
        return Place(folder.id, folder.name, folder.role, where[1]), where[2]


def _store(link: Link, deferred: Deferral, place: Place, batch: Batch) -> None:
    """It is a message from now on: with its text, without it after days, or none because it is gone."""

    def bookmark(mailbox: Mailbox, folder: Folder) -> None:
        session = session_of(mailbox)
        forget(session, place.folder_id, place.uidvalidity, [deferred.uid])
        link.check()

    importing = deferred.importing
    store(link.mailbox_id, place.folder_id, batch.arrivals, bookmark, importing=importing, resetting=False)


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
