"""Mails as the server gives them become arrivals as the inbox takes them, batch by batch, parsed in a child process.

Fetching a batch, parsing the one before and storing the one before that overlap: the child is busy all the time.
One bad mail never blocks a folder: what the server will not give, or the parser cannot read, arrives as unreadable.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice

from app.clock import now
from app.inbox.receive import Arrival, File
from app.mail.errors import Refused
from app.mail.parse import Address, ParsedMail, Source
from app.mail.values import FetchedMail
from app.sync.link import Link

log = logging.getLogger(__name__)

_BATCH = 400
_BATCH_BYTES = 16 * 1024 * 1024
_TRIES = 3


@dataclass(frozen=True)
class Place:
    """The folder that mails are read from."""

    folder_id: int
    name: str
    role: str | None
    uidvalidity: int


@dataclass(frozen=True)
class Batch:
    """`uids`: those that were asked for; one that has no arrival was gone when we asked."""

    uids: list[int]
    arrivals: list[Arrival]


def arrivals(link: Link, place: Place, uids: Sequence[int]) -> Iterator[Batch]:
    """The mails of the open folder with these UIDs, in their order, as batches bounded by number and bytes."""
    waiting: tuple[list[int], list[FetchedMail], Future[list[ParsedMail]]] | None = None
    for wanted in _batches(link, uids):
        mails = _fetched(link, wanted)
        parsing = link.parser.submit([Source(m.raw, m.size, m.outline) for m in mails])
        if waiting is not None:
            yield _batch(link, place, *waiting)
        waiting = wanted, mails, parsing
    if waiting is not None:
        yield _batch(link, place, *waiting)


def _batches(link: Link, uids: Sequence[int]) -> Iterator[list[int]]:
    """Sizes first, in steps: a batch is bounded by what it weighs in memory, not only by its number."""
    order = iter(uids)
    while step := list(islice(order, _BATCH * 5)):
        sizes = {row.uid: min(row.size, 256 * 1024) for row in link.imap.sizes(step)}
        batch: list[int] = []
        weight = 0
        for uid in step:
            if batch and (len(batch) == _BATCH or weight + sizes.get(uid, 0) > _BATCH_BYTES):
                yield batch
                batch, weight = [], 0
            batch.append(uid)
            weight += sizes.get(uid, 0)
        if batch:
            yield batch


def _fetched(link: Link, uids: Sequence[int]) -> list[FetchedMail]:
    try:
        return list(link.imap.fetch(uids))
    except Refused:
        return [mail for uid in uids for mail in _fetched_alone(link, uid)]


def _fetched_alone(link: Link, uid: int) -> list[FetchedMail]:
    """One mail, tried three times; what the server refuses to give is kept as a mail without content."""
    for _ in range(_TRIES):
        try:
            return list(link.imap.fetch([uid]))
        except Refused as error:
            refused = error
    log.warning("mailbox %s: the server does not give UID %s: %s", link.mailbox_id, uid, refused)
    rows = link.imap.sizes([uid])
    return [FetchedMail(r.uid, r.flags, r.modseq, r.internaldate, r.size, b"", True) for r in rows]


def _batch(
    link: Link, place: Place, uids: list[int], mails: list[FetchedMail], parsing: Future[list[ParsedMail]]
) -> Batch:
    pairs = zip(mails, parsing.result(), strict=True)
    found = {mail.uid: _arrival(link, place, mail, parsed) for mail, parsed in pairs}
    return Batch(uids, [found[uid] for uid in uids if uid in found])


def _arrival(link: Link, place: Place, mail: FetchedMail, parsed: ParsedMail) -> Arrival:
    sender = (parsed.from_[0].name, parsed.from_[0].address) if parsed.from_ else ("", "")
    own = sender[1].lower() == link.address.lower()
    references = dict.fromkeys([*parsed.references, *([parsed.in_reply_to] if parsed.in_reply_to else [])])
    references.pop(parsed.message_id or "", None)
    unreadable = parsed.unreadable or not mail.raw
    return Arrival(
        folder_id=place.folder_id,
        uidvalidity=place.uidvalidity,
        uid=mail.uid,
        keywords=tuple(flag for flag in mail.flags if flag != "\\Recent"),
        received_at=mail.internaldate or parsed.date or now(),
        size=mail.size,
        identity=parsed.identity if mail.raw else _place_identity(place, mail.uid),
        message_id=parsed.message_id,
        references=tuple(references),
        direction="out" if place.role == "sent" else "in",
        own_address=own and place.role != "sent",
        sender=sender,
        reply_to=_pairs(parsed.reply_to),
        to=_pairs(parsed.to),
        cc=_pairs(parsed.cc),
        subject=parsed.subject,
        preview=parsed.preview,
        text=parsed.text,
        html=parsed.html,
        date=parsed.date,
        auto=parsed.auto,
        bounce=parsed.bounce,
        unreadable=unreadable,
        source=mail.raw if unreadable else None,
        files=tuple(
            File(p.number, p.filename, p.type, p.size, p.encoding, p.content_id, p.inline) for p in parsed.attachments
        ),
    )


def _pairs(people: Iterable[Address]) -> tuple[tuple[str, str], ...]:
    return tuple((person.name, person.address) for person in people)


def _place_identity(place: Place, uid: int) -> bytes:
    """A mail we never saw is known by where it lies."""
    return hashlib.sha256(f"{place.folder_id}/{place.uidvalidity}/{uid}".encode()).digest()
