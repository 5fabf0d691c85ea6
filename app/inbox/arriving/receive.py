"""Receive: turns mails of a folder into messages, copies and conversations, many at a time.

The caller's transaction also moves the folder's bookmark, so a crash loses nothing and repeats nothing. The sync judges
keywords of the new copies afterwards, because it knows what is a change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app import reports
from app.clock import now
from app.db import Base, insert_rows
from app.inbox.actor import SYSTEM
from app.inbox.arriving.arrival import Arrival, File, Received
from app.inbox.arriving.bounced import with_subject
from app.inbox.arriving.matching import Matches
from app.inbox.arriving.own import OwnAddresses, as_ours, mark_answers, own_addresses, verdict, with_author
from app.inbox.arriving.related import references_of
from app.inbox.arriving.thread import refresh
from app.inbox.conversations import moves
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import AUTOMATIC_ANSWERS, Attachment, Body, Message
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status

_INSTANT = dt.timedelta(microseconds=1)
#: The sequence is looked up once (OFFSET 0), and only one row is read.
_IDS = text(
    """
    SELECT array_agg(nextval(of_table.sequence)) FROM (
      SELECT CAST(pg_get_serial_sequence(:table, 'id') AS regclass) AS sequence OFFSET 0) AS of_table
      CROSS JOIN generate_series(1, :count)
    """
)


def receive(session: Session, mailbox: Mailbox, arrivals: Sequence[Arrival], *, importing: bool) -> list[Received]:
    """Store the arrivals and return their copies, in the order given. Refreshes their conversations.

    Until the caller's transaction ends, it locks every conversation that the arrivals touch, and holds back all other
    mail of the mailbox."""
    if not arrivals:
        return []
    own = own_addresses(session, mailbox)
    arrivals = seen_by_us(mailbox, own, arrivals)
    matches = Matches(session, mailbox, own, arrivals, importing=importing)
    arrivals = matches.arrivals
    _mark_sent(session, [matches.known[a.identity][0] for a in arrivals if a.identity in matches.known and a.is_sent])
    arrivals = _as_in_sent(arrivals)
    fresh = _fresh(arrivals, matches.known)
    conversations, orphans = matches.conversations_of_new_mails()
    made = _insert_conversations(session, mailbox, orphans)
    for group, conversation in zip(orphans, made, strict=True):
        conversations |= {a.identity: conversation for a in group}
    matches.remember(fresh, conversations)
    message_ids = dict(zip((a.identity for a in fresh), _ids(session, Message, len(fresh)), strict=True))
    _insert_messages(session, mailbox, fresh, message_ids, conversations)
    places = matches.known | {identity: (id_, conversations[identity]) for identity, id_ in message_ids.items()}
    received = _insert_copies(session, arrivals, places, message_ids)
    _record(session, mailbox, received, made, importing=importing)
    mark_answers(session, {r.conversation_id for r in received if r.new}, own)
    refresh(session, {r.conversation_id for r in received})
    if not importing:
        reopen(session, received)
    return received


def seen_by_us(mailbox: Mailbox, own: OwnAddresses, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The arrivals as a team with these addresses sees them: our own mails are outbound, in any folder."""
    junk = {folder.id for folder in mailbox.folders if folder.role == "junk"}
    arrivals = [with_author(_without_own_addresses(arrival, own), own) for arrival in arrivals]
    return [a if a.folder_id in junk or verdict(a, mailbox, own) == "fail" else as_ours(a, own) for a in arrivals]


def store_message(session: Session, mailbox: Mailbox, arrival: Arrival, conversation_id: int) -> int:
    """One mail as a message of this conversation, without a copy; returns its id."""
    [id_] = _ids(session, Message, 1)
    _insert_messages(session, mailbox, [arrival], {arrival.identity: id_}, {arrival.identity: conversation_id})
    return id_


def receive_sent(session: Session, mailbox: Mailbox, arrival: Arrival, locked_conversation: Callable[[], int]) -> int:
    """A mail that we sent, as a message of its conversation; returns its id. Its copy in Sent may be there already.

    `locked_conversation` is called once all other mail of the mailbox is held back, and locks the conversation. Both
    last until the caller's transaction ends."""
    matches = Matches(session, mailbox, own_addresses(session, mailbox), [arrival])
    conversation_id = locked_conversation()
    [arrival] = matches.arrivals
    if arrival.identity in matches.known:
        message_id, _ = matches.known[arrival.identity]
        _mark_sent(session, [message_id])
    else:
        message_id = store_message(session, mailbox, arrival, conversation_id)
        matches.remember([arrival], {arrival.identity: conversation_id})
    refresh(session, [conversation_id])
    return message_id


def _without_own_addresses(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """Some programs write the address of the person they answer in place of an id. Our own address would tie all our
    customers together."""
    ids = tuple(id_ for id_ in arrival.references if id_.strip("<>") not in own)
    return arrival if len(ids) == len(arrival.references) else replace(arrival, references=ids)


def _mark_sent(session: Session, message_ids: Sequence[int]) -> None:
    """The same mail is also in Sent, so it is ours."""
    if message_ids:
        session.execute(update(Message).where(Message.id.in_(message_ids)).values(direction="out", own_address=False))


def _as_in_sent(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """A mail with a copy in Sent is ours, in whatever order its copies are read."""
    sent = {a.identity for a in arrivals if a.is_sent}
    return [replace(a, direction="out") if a.identity in sent else a for a in arrivals]


def _fresh(arrivals: Sequence[Arrival], known: Mapping[bytes, object]) -> list[Arrival]:
    """Each new mail once."""
    fresh: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        if arrival.identity not in known:
            fresh.setdefault(arrival.identity, arrival)
    return list(fresh.values())


def _ids(session: Session, entity: type[Base], count: int) -> list[int]:
    """Ids reserved from the table's sequence, so that rows can name each other before they are written."""
    ids: list[int] | None = session.scalar(_IDS, {"table": entity.__tablename__, "count": count})
    return ids or []


def _insert_conversations(session: Session, mailbox: Mailbox, groups: Sequence[Sequence[Arrival]]) -> list[int]:
    if not groups:
        return []
    ids = _ids(session, Conversation, len(groups))
    number = mailbox.number_block(len(groups))
    rows = [
        {"id": id_, "mailbox_id": mailbox.id, "number": number + i, "subject": group[0].subject}
        for i, (id_, group) in enumerate(zip(ids, groups, strict=True))
    ]
    insert_rows(session, Conversation, rows)
    return ids


def _insert_messages(
    session: Session,
    mailbox: Mailbox,
    fresh: Sequence[Arrival],
    ids: dict[bytes, int],
    conversations: dict[bytes, int],
) -> None:
    if not fresh:
        return
    own = own_addresses(session, mailbox)
    rows = [message_row(a, mailbox, own, ids[a.identity], conversations[a.identity]) for a in fresh]
    insert_rows(session, Message, rows)
    insert_rows(session, Body, [body_row(a, ids[a.identity]) for a in fresh])
    insert_rows(session, Attachment, [row for a in fresh for row in attachment_rows(a, ids[a.identity])])


def message_row(a: Arrival, mailbox: Mailbox, own: OwnAddresses, id_: int, conversation_id: int) -> dict[str, Any]:
    """The columns of a message."""
    flags = {keyword.casefold() for keyword in a.keywords}
    people = (a.sender, *a.reply_to, *a.to, *a.cc)
    return {
        "id": id_,
        "mailbox_id": mailbox.id,
        "conversation_id": conversation_id,
        "identity": a.identity,
        "message_id": a.message_id,
        "references": list(references_of(a)),
        "direction": a.direction,
        "from_name": a.sender[0],
        "from_address": a.sender[1],
        "reply_to": a.reply_to,
        "to": a.to,
        "cc": a.cc,
        "addresses": sorted({address.lower() for _, address in people if address}),
        "subject": a.subject,
        "preview": a.preview,
        "date": a.date,
        "received_at": a.received_at,
        "size": a.size,
        "machine": a.machine,
        "machine_sign": a.machine_sign,
        "undelivered": with_subject(a.undelivered, a.returned_subject),
        "own_address": a.direction == "in" and own.is_of_mailbox(a.sender[1]),
        "authentication": verdict(a, mailbox, own),
        "unreadable": a.unreadable,
        "has_attachments": any(not f.inline and not (a.machine and f.type in reports.PARTS) for f in a.files),
        "seen": "\\seen" in flags,
        "answered": "\\answered" in flags,
        "forwarded": "$forwarded" in flags,
        "search": a.searched,
    }


def attachment_rows(a: Arrival, message_id: int) -> list[dict[str, Any]]:
    """The columns of its files."""
    return [
        {"message_id": message_id, **{name: getattr(f, name) for name in File.__dataclass_fields__}} for f in a.files
    ]


def body_row(a: Arrival, message_id: int) -> dict[str, Any]:
    """The columns of its body."""
    return {
        "message_id": message_id,
        "text": a.text,
        "html": a.html,
        "html_form": a.html_form,
        "has_remote_images": a.has_remote_images,
        "quote_at": a.quote_at,
        "truncated": a.truncated,
        "appointments": a.appointments,
        "source": a.source,
    }


def _insert_copies(
    session: Session, arrivals: Sequence[Arrival], known: dict[bytes, tuple[int, int]], new: dict[bytes, int]
) -> list[Received]:
    if not arrivals:
        return []
    ids = _ids(session, Copy, len(arrivals))
    received, met = [], set()
    for id_, arrival in zip(ids, arrivals, strict=True):
        message_id, conversation_id = known[arrival.identity]
        first = arrival.identity in new and arrival.identity not in met
        met.add(arrival.identity)
        received.append(Received(id_, message_id, conversation_id, first, arrival))
    rows = [
        {
            "id": r.copy_id,
            "message_id": r.message_id,
            "folder_id": r.arrival.folder_id,
            "uidvalidity": r.arrival.uidvalidity,
            "uid": r.arrival.uid,
            "keywords": list(r.arrival.keywords),
        }
        for r in received
    ]
    insert_rows(session, Copy, rows)
    return received


def _record(
    session: Session, mailbox: Mailbox, received: Sequence[Received], made: Sequence[int], *, importing: bool
) -> None:
    """Imported conversations get one line each. Later every arriving message gets its own."""
    at = now()
    rows: list[dict[str, Any]]
    if importing:
        rows = [{"conversation_id": id_, "kind": EventKind.IMPORTED, "after": None} for id_ in made]
    else:
        rows = [
            {"conversation_id": r.conversation_id, "kind": EventKind.ARRIVED, "after": {"message": r.message_id}}
            for r in received
            if r.new
        ]
    common = {"at": at, "mailbox_id": mailbox.id, "source": SYSTEM.source}
    insert_rows(session, Event, [common | row for row in rows])


def reopen(session: Session, received: Sequence[Received]) -> None:
    """A customer wrote: reopen pending, snoozed and closed conversations. Spam stays spam, and the mail is moved
    there."""
    news = [r for r in received if r.new]
    of_new = Message.id.in_([r.message_id for r in news])
    ours = set(session.scalars(select(Message.id).where(of_new, Message.direction == "out")))
    conversations = {c.id: c for c in locked(session, (r.conversation_id for r in news))}
    for r in news:
        conversation = conversations[r.conversation_id]
        if conversation.mirrored:
            conversation.want_push()
        if r.message_id in ours:
            continue
        if conversation.status == Status.SPAM:
            _follow_to_junk(session, conversation, r.copy_id)
        elif conversation.status != Status.OPEN and r.arrival.machine not in AUTOMATIC_ANSWERS:
            conversation.reopen(by=SYSTEM, kind=EventKind.REOPENED)
            if conversation.handled_at is not None:  # a mail that was fetched late may be older than the closing
                conversation.handled_at = min(conversation.handled_at, r.arrival.received_at - _INSTANT)
    refresh(session, conversations)
    for conversation in locked(session, conversations):
        conversation.changed()


def _follow_to_junk(session: Session, conversation: Conversation, copy_id: int) -> None:
    junk = conversation.mailbox.folder("junk")
    if junk is not None and moves.follow_to_junk(session.get_one(Copy, copy_id), junk):
        conversation.want_push()
