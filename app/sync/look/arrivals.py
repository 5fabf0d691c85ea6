"""Mails as the server gives them become arrivals as the inbox takes them, batch by batch, parsed in a child process.

Fetching a batch, parsing the one before and storing the one before that overlap: the child is busy all the time.
One bad mail never blocks a folder. A mail that the parser cannot read arrives as unreadable. A mail that the server
does not give (`refused`) is asked for again later, and a mail that takes long to parse (`slow`) is read after the
others. While a batch is parsed, members' changes are written to the server.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from time import monotonic

from app.clock import now
from app.inbox.arriving.arrival import Arrival, File
from app.mail.errors import Unreachable
from app.mail.parse import Address, MailSource, ParsedMail
from app.mail.values import FetchedMail
from app.sync.link import Link
from app.sync.look.fetching import Fetching

_BATCH = 250
_BATCH_BYTES = 16 * 1024 * 1024
#: Of new mail the lightest come first: so many bytes, then so many times more in each following batch.
_LIGHT_BYTES = 256 * 1024
_HEAVIER = 4
#: So often it is seen to what members wait for while a batch is parsed.
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class FolderAt:
    """The folder that mails are read from."""

    folder_id: int
    name: str
    role: str | None
    uidvalidity: int


@dataclass(frozen=True)
class Batch:
    """Some mails of a step of UIDs, and `slow`: those that are to be parsed after the others: UID -> how often that was
    tried. With the last batch of a step come `done`: the UIDs of the step, and `refused`: those of them that the server
    did not give -> its words; both are empty before."""

    arrivals: list[Arrival]
    done: list[int]
    refused: Mapping[int, str]
    slow: Mapping[int, int] = field(default_factory=dict)


def arrivals(link: Link, place: FolderAt, uids: Sequence[int], *, lightest_first: bool = False) -> Iterator[Batch]:
    """The mails of the open folder with these UIDs, step by step in their order, bounded by number, by bytes and by how
    long they take. A UID that is in no batch was gone when we asked. `lightest_first`: within a step, in small batches
    first. The heavier batches are put aside when newer mail comes, so that they do not hold up the others."""
    waiting: deque[tuple[_Fetched, Future[list[ParsedMail | None]], bool]] = deque()
    try:
        for step in _batches(link, place, uids):
            ahead = len(waiting)
            for number, fetched in enumerate(_lightest_first(step) if lightest_first else [step]):
                parsing = link.parser.submit_quick(_sources(fetched.mails), link.mailbox_id)
                waiting.append((fetched, parsing, number > 0))
            for _ in range(ahead):
                yield _batch(link, place, *waiting.popleft())
    except Unreachable:  # what came before is stored all the same, so that the next round begins behind it
        while waiting:
            yield _batch(link, place, *waiting.popleft())
        raise
    while waiting:
        yield _batch(link, place, *waiting.popleft())


def read_patiently(
    link: Link,
    place: FolderAt,
    uids: Sequence[int],
    *,
    was_refused: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
) -> Batch:
    """A few mails of the open folder, each with all the time that a mail may take. `was_refused`: they did not come
    before, and may end the connection. `meanwhile` is called every few moments while they are parsed."""
    fetching = Fetching(link, place.folder_id, place.uidvalidity)
    mails = list(fetching.careful(uids) if was_refused else fetching.mails(uids))
    parsing = link.parser.submit(_sources(mails), link.mailbox_id)
    while wait([parsing], _PAUSE_SECONDS).not_done:
        meanwhile()
    return _made(link, place, _Fetched(mails, list(uids), fetching.refused), parsing.result())


def without_text(link: Link, place: FolderAt, uid: int) -> Batch:
    """A mail whose text the server does not deliver, as far as it is known. Empty where it is gone."""
    rows = link.imap.sizes([uid])
    mails = [FetchedMail(r.uid, r.flags, r.modseq, r.internaldate, r.size, b"", True) for r in rows]
    return _made(link, place, _Fetched(mails, [uid], {}), link.parser.parse(_sources(mails)))


@dataclass(frozen=True)
class _Fetched:
    """A batch before it is parsed."""

    mails: list[FetchedMail]
    done: list[int]
    refused: Mapping[int, str]


def _batches(link: Link, place: FolderAt, uids: Sequence[int]) -> Iterator[_Fetched]:
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


def _lightest_first(step: _Fetched) -> Iterator[_Fetched]:
    """The same mails in batches that grow, each in the order of UIDs."""
    most, weight = _LIGHT_BYTES, 0
    mails: list[FetchedMail] = []
    for mail in sorted(step.mails, key=lambda mail: mail.weight):
        if mails and weight + mail.weight > most:
            yield _Fetched(_by_uid(mails), [], {})
            mails, weight, most = [], 0, most * _HEAVIER
        mails.append(mail)
        weight += mail.weight
    yield _Fetched(_by_uid(mails), step.done, step.refused)


def _by_uid(mails: Iterable[FetchedMail]) -> list[FetchedMail]:
    return sorted(mails, key=lambda mail: mail.uid)


def _sources(mails: Iterable[FetchedMail]) -> list[MailSource]:
    return [MailSource(mail.raw, mail.size, mail.outline) for mail in mails]


def _batch(
    link: Link, place: FolderAt, fetched: _Fetched, parsing: Future[list[ParsedMail | None]], may_wait: bool
) -> Batch:
    while wait([parsing], _PAUSE_SECONDS).not_done:
        has_time = link.serve()
        if may_wait and not has_time and parsing.cancel():
            return Batch([], fetched.done, fetched.refused, dict.fromkeys((mail.uid for mail in fetched.mails), 0))
    return _made(link, place, fetched, parsing.result())


def _made(link: Link, place: FolderAt, fetched: _Fetched, parsed: Sequence[ParsedMail | None]) -> Batch:
    pairs = list(zip(fetched.mails, parsed, strict=True))
    arrivals = [_arrival(link, place, mail, one) for mail, one in pairs if one is not None]
    return Batch(arrivals, fetched.done, fetched.refused, {mail.uid: 1 for mail, one in pairs if one is None})


def _arrival(link: Link, place: FolderAt, mail: FetchedMail, parsed: ParsedMail) -> Arrival:
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
        appointments=tuple(appointment.shape() for appointment in parsed.appointments),
        date=parsed.date,
        delivered=parsed.delivered,
        authentication=parsed.authentication,
        machine=str(machine.kind) if machine else None,
        returned_subject=parsed.returned_subject,
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


def _place_identity(place: FolderAt, uid: int) -> bytes:
    """A mail we never saw is known by where it lies."""
    return hashlib.sha256(f"{place.folder_id}/{place.uidvalidity}/{uid}".encode()).digest()
