"""Stores a batch of arrivals: messages, copies, events and the folder's bookmark in one transaction.

If Postgres rejects a batch, its mails are stored one by one. The mail at fault is stored as unreadable, so it is listed
and counted, and does not block the others.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Sequence

from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from app.clock import now
from app.db import retried, transaction
from app.inbox.actor import mail_client
from app.inbox.arriving.arrival import Arrival, Received
from app.inbox.arriving.deferral import note_unreadable
from app.inbox.arriving.receive import receive
from app.inbox.arriving.reread import meet_again
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.version import parser_version
from app.sync.meaning.locked import LockedConversations
from app.sync.meaning.newcomers import Newcomers
from app.vectors import EMPTY

log = logging.getLogger(__name__)

#: Moves the folder's bookmark, in the transaction that stores the mails read up to it.
Bookmark = Callable[[Mailbox, Folder], None]

#: The errors that a single mail can cause, see `is_unfit`.
STORING_ERRORS = (DataError, OperationalError, ValueError)
#: Mails have the time of the mail server, whose clock may differ. A generous limit does no harm: we know everything
#: older than the last look.
_CLOCKS_DIFFER = dt.timedelta(days=1)


def store(
    mailbox_id: int, folder_id: int, batch: Sequence[Arrival], bookmark: Bookmark, *, importing: bool, resetting: bool
) -> None:
    """Raises the errors of the database, except for mails that it rejects."""
    try:
        _store(mailbox_id, folder_id, batch, bookmark, importing=importing, resetting=resetting)
    except STORING_ERRORS as error:
        if not is_unfit(error):
            raise
        log.warning("mailbox %s: a batch of %s mails is stored one by one: %s", mailbox_id, len(batch), type(error))
        for arrival in batch:
            _store_alone(mailbox_id, folder_id, arrival, importing=importing, resetting=resetting)
        with transaction() as session:
            bookmark(session.get_one(Mailbox, mailbox_id), session.get_one(Folder, folder_id))


def is_unfit(error: Exception) -> bool:
    """Whether Postgres rejected a value of a mail, or its size. A deadlock or a lost connection is no fault of a mail:
    the round is tried again."""
    if isinstance(error, OperationalError):
        return isinstance(error.orig, ProgramLimitExceeded)
    return isinstance(error, STORING_ERRORS)


def _store_alone(mailbox_id: int, folder_id: int, arrival: Arrival, *, importing: bool, resetting: bool) -> None:
    def nowhere(mailbox: Mailbox, folder: Folder) -> None:
        """Leaves the bookmark in place; it moves when all of the batch are stored."""

    try:
        _store(mailbox_id, folder_id, [arrival], nowhere, importing=importing, resetting=resetting)
    except STORING_ERRORS as error:
        if not is_unfit(error):
            raise
        bare = dataclasses.replace(
            arrival, sender=("", ""), reply_to=(), to=(), cc=(), subject="", preview="", text="", html=None,
            html_form="none", has_remote_images=False, quote_at=None, truncated=False, references=(), message_id=None,
            date=None, machine=None, machine_sign="", undelivered=None, authentication=(), unreadable=True, files=(),
            searched=EMPTY,
        )  # fmt: skip
        _store(mailbox_id, folder_id, [bare], nowhere, importing=importing, resetting=resetting)


@retried
def _store(
    mailbox_id: int, folder_id: int, batch: Sequence[Arrival], bookmark: Bookmark, *, importing: bool, resetting: bool
) -> None:
    with transaction() as session:
        if importing:  # a power cut that loses a batch also loses its bookmark, so nobody needs to wait for the disk
            session.execute(text("SET LOCAL synchronous_commit = off"))
        mailbox, folder = session.get_one(Mailbox, mailbox_id), session.get_one(Folder, folder_id)
        locked = LockedConversations(session, mailbox, by=mail_client(folder.last_seen(mailbox.last_round_at)))
        newcomers = Newcomers(locked)
        unknown = _unknown(session, batch)
        if resetting:
            received = _match_again(session, mailbox, folder, newcomers, unknown)
        elif importing:
            received = receive(session, mailbox, [arrival.as_delivered() for arrival in unknown], importing=True)
            newcomers.imported(received)
        else:
            meet_again(session, mailbox, unknown)
            received = receive(session, mailbox, unknown, importing=False)
            newcomers.arrived(received)
        note_unreadable(session, mailbox_id, received, parser_version(), importing=importing)
        bookmark(mailbox, folder)
        locked.finish()


def _match_again(
    session: Session, mailbox: Mailbox, folder: Folder, newcomers: Newcomers, arrivals: Sequence[Arrival]
) -> list[Received]:
    """A folder that was reset is read again. Mails that we do not know and that arrived after it was last seen are new
    mail all the same: a customer's answer reopens a closed conversation."""
    since = now()
    if mailbox.imported_at is not None and folder.reset_at is not None:
        since = folder.reset_at - _CLOCKS_DIFFER
    early = [arrival for arrival in arrivals if arrival.received_at < since]
    late = [arrival for arrival in arrivals if arrival.received_at >= since]
    old = receive(session, mailbox, early, importing=True)
    newcomers.arrived(old, resetting=True)
    received = receive(session, mailbox, late, importing=False)
    newcomers.arrived([r for r in received if not r.new], resetting=True)
    newcomers.arrived([r for r in received if r.new])
    return [*old, *received]


def _unknown(session: Session, batch: Sequence[Arrival]) -> list[Arrival]:
    """The batch without mails at places we know: our own moves are recorded before the pull meets them."""
    if not batch:
        return []
    first, uids = batch[0], [arrival.uid for arrival in batch]
    known = set(
        session.scalars(
            select(Copy.uid).where(
                Copy.folder_id == first.folder_id,
                Copy.uidvalidity == first.uidvalidity,
                Copy.uid.between(min(uids), max(uids)),
                Copy.gone_at.is_(None),
                Copy.unmatched_since.is_(None),
            )
        )
    )
    return [arrival for arrival in batch if arrival.uid not in known]
