"""Mails as the server gives them become arrivals as the inbox takes them, batch by batch, parsed in a child process.

Fetching a batch, parsing the one before and storing the one before that overlap: the child is busy all the time.
One bad mail never blocks a folder: what the parser cannot read arrives as unreadable, and what the server does not give
is told apart (`refused`), to be asked for again later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

from app.clock import now
from app.inbox.arrival import Arrival, File
from app.mail.parse import Address, ParsedMail, Source
from app.mail.values import FetchedMail
from app.sync.fetching import Fetching
from app.sync.link import Link

_BATCH = 250
_BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Place:
    """The folder that mails are read from."""

    folder_id: int
    name: str
    role: str | None
    uidvalidity: int


@dataclass(frozen=True)
class Batch:
    """Some mails of a step of UIDs. With its last batch come `done`: the UIDs of the step, and `refused`: those of them
    that the server did not give -> its words; both are empty before."""

    arrivals: list[Arrival]
    done: list[int]
    refused: Mapping[int, str]


def arrivals(link: Link, place: Place, uids: Sequence[int]) -> Iterator[Batch]:
    """The mails of the open folder with these UIDs, step by step in their order, bounded by number, by bytes and by how
    long they take. A UID without an arrival was gone when we asked."""
    waiting: tuple[_Fetched, Future[list[ParsedMail]]] | None = None
    for fetched in _batches(link, place, uids):
        parsing = _parsing(link, fetched.mails)
        if waiting is not None:
            yield _batch(link, place, *waiting)
        waiting = fetched, parsing
    if waiting is not None:
        yield _batch(link, place, *waiting)


def without_text(link: Link, place: Place, uid: int) -> Batch:
    """A mail of which the server gives no text, as far as it is known. Empty where it is gone."""
    rows = link.imap.sizes([uid])
    mails = [FetchedMail(r.uid, r.flags, r.modseq, r.internaldate, r.size, b"", True) for r in rows]
    return _batch(link, place, _Fetched(mails, [uid], {}), _parsing(link, mails))


def _parsing(link: Link, mails: Sequence[FetchedMail]) -> Future[list[ParsedMail]]:
    return link.parser.submit([Source(m.raw, m.size, m.outline) for m in mails], link.mailbox_id)


@dataclass(frozen=True)
class _Fetched:
    """A batch before it is parsed."""

    mails: list[FetchedMail]
    done: list[int]
    refused: Mapping[int, str]


def _batches(link: Link, place: Place, uids: Sequence[int]) -> Iterator[_Fetched]:
    at = 0
    fetching = Fetching(link, place.folder_id, place.uidvalidity)
    while at < len(uids):
        step = list(uids[at : at + min(link.pace.step, _BATCH)])
        at += len(step)
        mails: list[FetchedMail] = []
        weight, began = 0, monotonic()
        for mail in fetching.mails(step):
            if mails and weight + mail.weight > _BATCH_BYTES:
                yield _Fetched(mails, [], {})
                mails, weight = [], 0
            mails.append(mail)
            weight += mail.weight
        link.pace.took(len(step), monotonic() - began)
        yield _Fetched(mails, step, fetching.refused)
        fetching.refused = {}


def _batch(link: Link, place: Place, fetched: _Fetched, parsing: Future[list[ParsedMail]]) -> Batch:
    pairs = zip(fetched.mails, parsing.result(), strict=True)
    arrivals = [_arrival(link, place, mail, parsed) for mail, parsed in pairs]
    return Batch(arrivals, fetched.done, fetched.refused)


def _arrival(link: Link, place: Place, mail: FetchedMail, parsed: ParsedMail) -> Arrival:
    sender = (parsed.from_[0].name, parsed.from_[0].address) if parsed.from_ else ("", "")
    references = dict.fromkeys([*parsed.references, *([parsed.in_reply_to] if parsed.in_reply_to else [])])
    references.pop(parsed.message_id or "", None)
    machine = parsed.machine if place.role != "sent" else None  # whatever sent it, it is our answer
    unreadable = parsed.unreadable or (mail.size > 0 and not mail.raw)
    return Arrival(
        folder_id=place.folder_id,
        uidvalidity=place.uidvalidity,
        uid=mail.uid,
        keywords=mail.flags,
        received_at=mail.internaldate or parsed.date or now(),
        size=mail.size,
        identity=parsed.identity if mail.raw else _place_identity(place, mail.uid),
        former_identity=parsed.former_identity,
        message_id=parsed.message_id,
        references=tuple(references),
        direction="out" if place.role == "sent" else "in",
        sender=sender,
        reply_to=_pairs(parsed.reply_to),
        to=_pairs(parsed.to),
        cc=_pairs(parsed.cc),
        subject=parsed.subject,
        preview=parsed.preview,
        text=parsed.text,
        html=parsed.html,
        html_form=parsed.html_form,
        has_remote_images=parsed.has_remote_images,
        quote_at=parsed.quote_at,
        truncated=parsed.truncated,
        date=parsed.date,
        delivered=parsed.delivered,
        authentication=parsed.authentication,
        machine=str(machine.kind) if machine else None,
        machine_sign=machine.sign if machine else "",
        undelivered=machine.undelivered.shape() if machine and machine.undelivered else None,
        unreadable=unreadable,
        source=mail.raw if unreadable else None,
        files=tuple(
            File(p.number, p.filename, p.type, p.size, p.encoding, p.content_id, p.inline) for p in parsed.attachments
        ),
        searched=parsed.searched,
    )


def _pairs(people: Iterable[Address]) -> tuple[tuple[str, str], ...]:
    return tuple((person.name, person.address) for person in people)


def _place_identity(place: Place, uid: int) -> bytes:
    """A mail we never saw is known by where it lies."""
    return hashlib.sha256(f"{place.folder_id}/{place.uidvalidity}/{uid}".encode()).digest()
