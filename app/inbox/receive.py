"""Receive: mails that a folder showed become messages, copies and conversations, many at a time.

The caller's transaction also moves the folder's bookmark, so that a crash loses nothing and repeats nothing.
Keywords of the new copies are judged afterwards by the sync, which knows what is news.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, LargeBinary, Text, bindparam, cast, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import SYSTEM
from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from app.inbox.event import Event, EventKind
from app.inbox.known_id import KnownId
from app.inbox.mailbox import Mailbox
from app.inbox.message import Attachment, Body, Message
from app.inbox.status import Status
from app.inbox.thread import join, refresh

_INSERT_MESSAGE = insert(Message).values(search=func.to_tsvector("simple", bindparam("words")))
#: A tsvector holds 1 MB; words beyond this many characters of a mail are not searched.
_SEARCHED = 200_000
#: References beyond the first and the newest of so many say nothing new about a thread.
_LONGEST_REFERENCES = 100


@dataclass(frozen=True)
class File:
    part: str
    filename: str
    type: str
    size: int
    encoding: str
    content_id: str | None
    inline: bool


@dataclass(frozen=True)
class Arrival:
    """One mail as a folder showed it; plain values, as the parser gave them. Addresses are (name, address)."""

    folder_id: int
    uidvalidity: int
    uid: int
    keywords: tuple[str, ...]
    received_at: dt.datetime
    size: int
    identity: bytes
    message_id: str | None
    references: tuple[str, ...]
    direction: str
    own_address: bool
    sender: tuple[str, str]
    reply_to: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    preview: str
    text: str
    html: str | None
    date: dt.datetime | None
    auto: bool
    bounce: bool
    unreadable: bool
    source: bytes | None
    files: tuple[File, ...]


@dataclass(frozen=True)
class Received:
    """A new copy. `new`: its message was not known before (else it was moved, copied or found again)."""

    copy_id: int
    message_id: int
    conversation_id: int
    new: bool
    arrival: Arrival


def receive(session: Session, mailbox: Mailbox, arrivals: Sequence[Arrival], *, importing: bool) -> list[Received]:
    """Store the arrivals and return their copies, in the order given. Conversations are refreshed."""
    known = _known(session, mailbox, arrivals)
    fresh = list({a.identity: a for a in arrivals if a.identity not in known}.values())
    conversations, made = _conversations(session, mailbox, fresh)
    message_ids = dict(zip((a.identity for a in fresh), _ids(session, "message", len(fresh)), strict=True))
    _insert_messages(session, mailbox, fresh, message_ids, conversations)
    known |= {identity: (id_, conversations[identity]) for identity, id_ in message_ids.items()}
    received = _insert_copies(session, arrivals, known, message_ids)
    _record(session, mailbox, received, made, importing=importing)
    refresh(session, {r.conversation_id for r in received})
    if not importing:
        _reopen(session, received)
    return received


def searchable(words: str) -> str:
    """Lower case without accents: the form in which words are kept and looked for."""
    if words.isascii():
        return words.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", words.lower()) if not unicodedata.combining(c))


def _known(session: Session, mailbox: Mailbox, arrivals: Sequence[Arrival]) -> dict[bytes, tuple[int, int]]:
    """Identity -> (message, conversation) of the mails we have."""
    identities = cast([a.identity for a in arrivals], ARRAY(LargeBinary))
    wanted = func.unnest(identities).table_valued("identity").render_derived()
    rows = session.execute(
        select(Message.identity, Message.id, Message.conversation_id)
        .join(wanted, Message.identity == wanted.c.identity)
        .where(Message.mailbox_id == mailbox.id)
    )
    found = {identity: (id_, conversation) for identity, id_, conversation in rows}
    sent = [found[a.identity][0] for a in arrivals if a.identity in found and a.direction == "out"]
    if sent:  # the same mail lies in Sent as well: it is ours
        session.execute(text("UPDATE message SET direction = 'out' WHERE id = ANY(:ids)"), {"ids": sent})
    return found


def _conversations(session: Session, mailbox: Mailbox, fresh: Sequence[Arrival]) -> tuple[dict[bytes, int], list[int]]:
    """(identity -> conversation, the conversations made). Mails that share an id share a conversation."""
    groups = _groups(fresh)
    ids = {id_ for group in groups for a in group for id_ in _own_ids(a)}
    known = _known_conversations(session, mailbox, ids)
    found: dict[bytes, int] = {}
    orphans = []
    for group in groups:
        hits = sorted({known[id_] for a in group for id_ in _own_ids(a) if id_ in known})
        if not hits:
            orphans.append(group)
            continue
        target = hits[0]
        if len(hits) > 1:
            target = join(session, _locked(session, hits)).id
            known = {id_: (target if c in hits else c) for id_, c in known.items()}
            found = {identity: (target if c in hits else c) for identity, c in found.items()}
        found |= {a.identity: target for a in group}
    made = _insert_conversations(session, mailbox, orphans)
    for group, conversation in zip(orphans, made, strict=True):
        found |= {a.identity: conversation for a in group}
    rows = [
        {"mailbox_id": mailbox.id, "message_id": id_, "conversation_id": found[a.identity]}
        for a in fresh
        for id_ in _own_ids(a)
        if id_ not in known
    ]
    if rows:
        session.execute(upsert(KnownId).on_conflict_do_nothing(), rows)
    return found, made


def _groups(fresh: Sequence[Arrival]) -> list[list[Arrival]]:
    """The arrivals, those that name a common id together (union-find over the batch)."""
    parent = list(range(len(fresh)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, arrival in enumerate(fresh):
        for id_ in _own_ids(arrival):
            parent[root(i)] = root(first.setdefault(id_, i))
    groups: dict[int, list[Arrival]] = {}
    for i, arrival in enumerate(fresh):
        groups.setdefault(root(i), []).append(arrival)
    return list(groups.values())


def _own_ids(arrival: Arrival) -> tuple[str, ...]:
    """Its own Message-ID and those it refers to; of an endless list the first and the newest."""
    references = arrival.references
    if len(references) > _LONGEST_REFERENCES:
        references = references[:1] + references[-_LONGEST_REFERENCES:]
    return ((arrival.message_id,) if arrival.message_id else ()) + references


def _known_conversations(session: Session, mailbox: Mailbox, ids: Iterable[str]) -> dict[str, int]:
    # A join with unnest keeps the index in use on a table without statistics, where "= ANY" would read all of it.
    wanted = func.unnest(cast(sorted(ids), ARRAY(Text))).table_valued("id").render_derived()
    rows = session.execute(
        select(KnownId.message_id, KnownId.conversation_id)
        .join(wanted, KnownId.message_id == wanted.c.id)
        .where(KnownId.mailbox_id == mailbox.id)
    )
    return dict(iter(rows))


def _locked(session: Session, ids: Sequence[int]) -> list[Conversation]:
    return list(
        session.scalars(
            select(Conversation)
            .where(Conversation.id.in_(ids))
            .order_by(Conversation.id)
            .with_for_update(of=Conversation)
            .execution_options(populate_existing=True)
        )
    )


def _ids(session: Session, table: str, count: int) -> list[int]:
    """Ids reserved from the table's sequence, so that rows can name each other before they are written."""
    sequence = func.pg_get_serial_sequence(table, "id")
    return list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count))))


def _insert_conversations(session: Session, mailbox: Mailbox, groups: Sequence[Sequence[Arrival]]) -> list[int]:
    if not groups:
        return []
    ids = _ids(session, "conversation", len(groups))
    number = mailbox.number_block(len(groups))
    rows = [
        {"id": id_, "mailbox_id": mailbox.id, "number": number + i, "subject": group[0].subject}
        for i, (id_, group) in enumerate(zip(ids, groups, strict=True))
    ]
    session.execute(insert(Conversation), rows)
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
    rows = [_message_row(a, mailbox.id, ids[a.identity], conversations[a.identity]) for a in fresh]
    session.execute(_INSERT_MESSAGE, rows)
    session.execute(
        insert(Body),
        [{"message_id": ids[a.identity], "text": a.text, "html": a.html, "source": a.source} for a in fresh],
    )
    files = [
        {"message_id": ids[a.identity], **{name: getattr(f, name) for name in File.__dataclass_fields__}}
        for a in fresh
        for f in a.files
    ]
    if files:
        session.execute(insert(Attachment), files)


def _message_row(a: Arrival, mailbox_id: int, id_: int, conversation_id: int) -> dict[str, Any]:
    flags = {keyword.casefold() for keyword in a.keywords}
    people = (a.sender, *a.reply_to, *a.to, *a.cc)
    words = " ".join((a.subject, *(part for person in people for part in person), a.text))
    return {
        "id": id_,
        "mailbox_id": mailbox_id,
        "conversation_id": conversation_id,
        "identity": a.identity,
        "message_id": a.message_id,
        "references": list(a.references),
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
        "auto": a.auto,
        "bounce": a.bounce,
        "own_address": a.own_address,
        "unreadable": a.unreadable,
        "has_attachments": any(not f.inline for f in a.files),
        "seen": "\\seen" in flags,
        "answered": "\\answered" in flags,
        "forwarded": "$forwarded" in flags,
        "words": searchable(words[:_SEARCHED]),
    }


def _insert_copies(
    session: Session, arrivals: Sequence[Arrival], known: dict[bytes, tuple[int, int]], new: dict[bytes, int]
) -> list[Received]:
    if not arrivals:
        return []
    ids = _ids(session, "copy", len(arrivals))
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
    session.execute(insert(Copy), rows)
    return received


def _record(
    session: Session, mailbox: Mailbox, received: Sequence[Received], made: Sequence[int], *, importing: bool
) -> None:
    """Imported conversations get one line each; later every message that arrives has its own."""
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
    if rows:
        common = {"at": at, "mailbox_id": mailbox.id, "source": SYSTEM.source}
        session.execute(insert(Event), [common | row for row in rows])


def _reopen(session: Session, received: Sequence[Received]) -> None:
    """A customer wrote: what was pending, snoozed or closed is open again; spam stays spam and the mail follows."""
    news = [r for r in received if r.new]
    conversations = {c.id: c for c in _locked(session, sorted({r.conversation_id for r in news}))}
    for r in news:
        conversation = conversations[r.conversation_id]
        arrival = r.arrival
        conversation.push_needed = conversation.push_needed or conversation.mirrored
        if arrival.direction == "in" and not arrival.auto and not arrival.bounce:
            if conversation.status == Status.SPAM:
                _follow_to_junk(session, conversation, r.copy_id)
            elif conversation.status != Status.OPEN:
                conversation.reopen(by=SYSTEM, kind=EventKind.REOPENED)
                if conversation.handled_at is not None and conversation.handled_at >= arrival.received_at:
                    conversation.handled_at = arrival.received_at - dt.timedelta(microseconds=1)
    refresh(session, conversations)
    for conversation in _locked(session, sorted(conversations)):
        conversation.changed()


def _follow_to_junk(session: Session, conversation: Conversation, copy_id: int) -> None:
    junk = conversation.mailbox.folder("junk")
    copy = session.get_one(Copy, copy_id)
    if junk is not None and copy.folder_id != junk.id:
        copy.came_from_folder_id, copy.wanted_folder_id = copy.folder_id, junk.id
        conversation.push_needed = True
