"""Reread: an unreadable message becomes readable, in place. Its id, its copies and its conversation's notes, owner and
history stay. If it belongs to another conversation, the two are joined.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Exists, delete, exists, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from app.inbox.arriving.arrival import Arrival, Received
from app.inbox.arriving.deferral import Deferral
from app.inbox.arriving.matching import Matches
from app.inbox.arriving.own import mark_answers, own_addresses
from app.inbox.arriving.receive import reopen, seen_by_us, store_message
from app.inbox.arriving.thread import join, refresh
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import lock_rows, locked
from app.inbox.conversations.message import Attachment, Body, Message
from app.inbox.mailboxes.mailbox import Mailbox

#: The columns that a message keeps when its mail is finally read: its place, and what people did with it.
_KEPT = frozenset({"id", "mailbox_id", "conversation_id", "identity", "seen", "answered", "forwarded"})
_COLUMNS = ", ".join(f'"{column.name}"' for column in Message.__table__.columns if column.name not in _KEPT)
_TAKE_OVER = text(
    f"UPDATE message AS old SET ({_COLUMNS}) = (SELECT {_COLUMNS} FROM message WHERE id = :new) WHERE old.id = :old"  # noqa: S608  names of our own columns
)


def reread(session: Session, mailbox: Mailbox, message_id: int, arrival: Arrival, *, importing: bool) -> None:
    """Complete an unreadable message whose mail could be read. Until the caller's transaction ends, it locks the
    conversations it touches, and holds back all other mail of the mailbox. `importing`: it reopens nothing."""
    message = session.get(Message, message_id)
    if message is not None:
        lock_rows(session, [message.conversation_id])
        session.refresh(message)
    if message is None or not message.unreadable:
        return
    message.identity = _passing(arrival)  # matched as if we had never met it
    session.flush()
    addresses = own_addresses(session, mailbox)
    [arrival] = seen_by_us(mailbox, addresses, [arrival])
    matches = Matches(session, mailbox, addresses, [arrival])
    own = message.conversation_id
    twin, _ = matches.known.get(arrival.identity, (message_id, 0))
    found, _orphans = matches.conversations_of_new_mails()
    ids = {own, found.get(arrival.identity, own)}
    if twin == message_id:
        _fill(session, mailbox, message, arrival)
    else:
        ids.add(session.get_one(Message, twin).conversation_id)
        _yield_to(session, message, twin)
    conversation = _together(session, own, ids)
    matches.remember([arrival], {arrival.identity: conversation.id})
    mark_answers(session, {conversation.id}, addresses)
    refresh(session, [conversation.id])
    if len(ids) > 1 and not importing and twin == message_id:
        copy_id = session.scalar(select(func.max(Copy.id)).where(Copy.message_id == message_id)) or 0
        reopen(session, [Received(copy_id, message_id, conversation.id, True, arrival)])
    [conversation] = locked(session, [conversation.id])
    if conversation.mirrored:
        conversation.want_push()
    conversation.changed()


def _together(session: Session, own: int, ids: set[int]) -> Conversation:
    """Join these conversations. The mail's own conversation decides owner and status only if somebody acted on it."""
    conversations = locked(session, ids)
    for conversation in conversations:
        if conversation.id == own and not conversation.mirrored and len(conversations) > 1:
            conversation.last_at = min(other.last_at for other in conversations) - dt.timedelta(microseconds=1)
    return join(session, [conversations])[0]


def meet_again(session: Session, mailbox: Mailbox, arrivals: Sequence[Arrival]) -> None:
    """If a client moved a mail that was never read, it arrives as a new one. If its size and time of arrival match
    exactly one unreadable message, that message gets its text, and the new copy belongs to that message."""
    lost = select(Message).where(Message.mailbox_id == mailbox.id, Message.unreadable, ~_has_live_copy())
    by_look = {(a.size, a.received_at): a for a in arrivals if not a.unreadable}
    if not by_look:
        return
    looks = tuple_(Message.size, Message.received_at).in_(list(by_look))
    messages = session.scalars(lost.where(looks)).all()
    for message in messages:
        alike = [m for m in messages if (m.size, m.received_at) == (message.size, message.received_at)]
        if len(alike) == 1:
            reread(session, mailbox, message.id, by_look[message.size, message.received_at], importing=False)


def _has_live_copy() -> Exists:
    return exists().where(Copy.message_id == Message.id, Copy.gone_at.is_(None))


def _fill(session: Session, mailbox: Mailbox, message: Message, arrival: Arrival) -> None:
    """Store the mail as usual, beside the old row. The old row then takes over its data."""
    id_ = message.id
    if message.direction == "out":
        arrival = replace(arrival, direction="out")
    new = store_message(session, mailbox, arrival, message.conversation_id)
    for table in (Body, Attachment):
        session.execute(delete(table).where(table.message_id == id_))
        session.execute(update(table).where(table.message_id == new).values(message_id=id_))
    session.execute(_TAKE_OVER, {"old": id_, "new": new})
    session.execute(delete(Message).where(Message.id == new))
    session.execute(update(Message).where(Message.id == id_).values(identity=arrival.identity))
    session.execute(delete(Deferral).where(Deferral.message_id == id_))
    session.expire_all()


def _passing(arrival: Arrival) -> bytes:
    return hashlib.sha256(b"reread" + arrival.identity).digest()


def _yield_to(session: Session, message: Message, twin: int) -> None:
    """The same mail is known from another place, so its copies become copies of that message."""
    session.execute(update(Copy).where(Copy.message_id == message.id).values(message_id=twin))
    session.execute(delete(Message).where(Message.id == message.id))
    session.expire_all()
