"""Renewal: after an upgrade, mails that an older parser read are read again, so that people see and find the new
parser's result. Newest first, in the background.

Only the content of a mail is renewed. Its place, its conversation, owner, status, notes and history stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session

from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.own import own_addresses
from app.inbox.arriving.receive import attachment_rows, body_row, message_row, seen_by_us
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.locking import lock_rows, locked
from app.inbox.conversations.message import Attachment, Body, Message
from app.inbox.mailboxes.mailbox import Mailbox

#: Columns of a message that follow from its mail and decide nothing about its place. `search` is handled separately.
_RENEWED = (
    "from_name", "from_address", "reply_to", "to", "cc", "addresses", "subject", "preview", "date", "undelivered",
    "has_attachments",
)  # fmt: skip
_OF_MACHINES = ("machine", "machine_sign")
_OF_BODY = ("text", "html", "html_form", "has_remote_images", "quote_at", "truncated", "appointments")
_OF_FILE = ("part", "filename", "type", "size", "encoding", "content_id", "inline")
_NEXT = text(
    """
    SELECT message.id, copy.folder_id, copy.uidvalidity, copy.uid
    FROM (SELECT id, unreadable FROM message WHERE mailbox_id = :mailbox AND id < :below ORDER BY id DESC LIMIT :some)
      AS message
      LEFT JOIN LATERAL (
        SELECT folder_id, copy.uidvalidity, uid FROM copy JOIN folder ON folder.id = folder_id
        WHERE message_id = message.id AND gone_at IS NULL AND unmatched_since IS NULL
          AND watched AND lost_at IS NULL AND copy.uidvalidity = folder.uidvalidity
        ORDER BY copy.id DESC LIMIT 1) AS copy ON NOT message.unreadable
    ORDER BY message.id DESC
    """
)


class StoredMail(NamedTuple):
    """A stored message and its place; `folder_id` is None if it cannot be read again."""

    message_id: int
    folder_id: int | None
    uidvalidity: int
    uid: int


def begin(session: Session, mailbox: Mailbox, version: int) -> bool:
    """Record that this version of the parser now reads the mailbox. Returns whether there is mail that another version
    read."""
    if mailbox.read_version == version:
        return False
    newest = session.scalar(select(func.max(Message.id)).where(Message.mailbox_id == mailbox.id))
    mailbox.read_version = version
    mailbox.renew_below = None if newest is None else newest + 1
    return newest is not None


def next_mails(session: Session, mailbox: Mailbox, some: int) -> list[StoredMail]:
    """The next mails to renew; empty if none is left."""
    if mailbox.renew_below is None:
        return []
    asked = {"mailbox": mailbox.id, "below": mailbox.renew_below, "some": some}
    return [StoredMail._make(row) for row in session.execute(_NEXT, asked)]


def renew(session: Session, mailbox: Mailbox, arrivals: Mapping[int, Arrival]) -> None:
    """Store the content of these mails again: message id -> its mail. A place that holds another mail now is left
    alone."""
    conversations = select(Message.conversation_id).where(Message.id.in_(arrivals))
    lock_rows(session, session.scalars(conversations))
    messages = session.scalars(select(Message).where(Message.id.in_(arrivals)).order_by(Message.id)).all()
    changed = {m.conversation_id for m in messages if _is_it(m, arrivals[m.id]) and _renew(session, m, arrivals[m.id])}
    refresh(session, changed)
    for conversation in locked(session, changed):
        conversation.changed()


def _is_it(message: Message, arrival: Arrival) -> bool:
    if message.unreadable or arrival.unreadable:
        return False
    same_id = message.message_id is not None and message.message_id == arrival.message_id
    return same_id or message.identity in (arrival.identity, arrival.former_identity)


def _renew(session: Session, message: Message, arrival: Arrival) -> bool:
    """Returns whether anything has changed."""
    mailbox = session.get_one(Mailbox, message.mailbox_id)
    own = own_addresses(session, mailbox)
    [arrival] = seen_by_us(mailbox, own, [arrival])
    row = message_row(arrival, mailbox, own, message.id, message.conversation_id)
    names = _RENEWED if message.direction == "out" else (*_RENEWED, *_OF_MACHINES)
    changes = [
        _take(message, names, row),
        _take(message.body, _OF_BODY, body_row(arrival, message.id)) if message.body else False,
        _take_files(session, message, attachment_rows(arrival, message.id)),
    ]
    session.flush()
    vector = cast(row["search"], TSVECTOR)
    found = update(Message).where(Message.id == message.id, Message.search.is_distinct_from(vector))
    changes.append(bool(session.execute(found.values(search=vector).returning(Message.id)).all()))
    return any(changes)


def _take(stored: Message | Body, names: Sequence[str], row: Mapping[str, Any]) -> bool:
    """Set the values that differ. Tuples are compared as the lists that JSON makes of them."""
    is_changed = False
    for name in names:
        value = row[name]
        if isinstance(value, tuple | list | dict):
            value = json.loads(json.dumps(value))
        if getattr(stored, name) != value:
            setattr(stored, name, value)
            is_changed = True
    return is_changed


def _take_files(session: Session, message: Message, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Files whose description is the same stay, because pages have links to them."""
    stored = [{name: getattr(file, name) for name in _OF_FILE} for file in message.attachments]
    if stored == [{name: row[name] for name in _OF_FILE} for row in rows]:
        return False
    session.execute(delete(Attachment).where(Attachment.message_id == message.id))
    session.add_all(Attachment(**row) for row in rows)
    session.flush()
    session.expire(message, ["attachments"])
    return True
