"""Turns the server's mails into arrivals for the inbox, batch by batch, parsed in a child process.

Fetching a batch, parsing the previous one and storing the one before that overlap, so the child is always busy. One bad
mail never blocks a folder. A mail that the parser cannot read arrives as unreadable. A mail that the server does not
deliver (`refused`) is fetched again later. A mail that takes long to parse (`slow`) is read after the others. While a
batch is parsed, members' changes are written to the server.
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
from app.mail.content import Part
from app.mail.errors import Unreachable
from app.mail.parse import Address, MailSource, ParsedMail
from app.mail.values import FetchedMail
from app.sync.link import Link
from app.sync.look.fetching import Fetching

_BATCH = 250
_BATCH_BYTES = 16 * 1024 * 1024
#: Among new mail the lightest mails come first: this many bytes, then a multiple of them in each further batch.
_LIGHT_BYTES = 256 * 1024
_HEAVIER = 4
#: How often urgent work is checked while a batch is parsed.
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class FolderAt:
    """The folder from which mails are read."""

    folder_id: int
    name: str
    role: str | None
    uidvalidity: int


_NO_FOLDER = FolderAt(0, "", "sent", 0)


@dataclass(frozen=True)
class Batch:
    """Some mails of a step of UIDs, and `slow`: UIDs to parse after the others -> how often that was tried. The last
    batch of a step also has `done`, the UIDs of the step, and `refused`: UIDs that the server did not deliver -> its
    words. Both are empty before."""

    arrivals: list[Arrival]
    done: list[int]
    refused: Mapping[int, str]
    slow: Mapping[int, int] = field(default_factory=dict)


def arrivals(link: Link, folder_at: FolderAt, uids: Sequence[int], *, lightest_first: bool = False) -> Iterator[Batch]:
    """The mails of the open folder with these UIDs, in their order. Each step is limited in number, bytes and time. A
    UID in no batch did not exist when we fetched it. `lightest_first`: the mails of a step come in small batches first.
    Heavier batches are postponed when newer mail arrives, so that they do not hold it up."""
    waiting: deque[tuple[_Fetched, Future[list[ParsedMail | None]], bool]] = deque()
    try:
        for step in _batches(link, folder_at, uids):
            ahead = len(waiting)
            for number, fetched in enumerate(_lightest_first(step) if lightest_first else [step]):
                parsing = link.parser.submit_quick(_sources(fetched.mails), link.mailbox_id)
                waiting.append((fetched, parsing, number > 0))
            for _ in range(ahead):
                yield _batch(link, folder_at, *waiting.popleft())
    except Unreachable:  # batches before it are stored, so that the next round begins after them
        while waiting:
            yield _batch(link, folder_at, *waiting.popleft())
        raise
    while waiting:
        yield _batch(link, folder_at, *waiting.popleft())


def read_patiently(
    link: Link,
    folder_at: FolderAt,
    uids: Sequence[int],
    *,
    was_refused: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
) -> Batch:
    """A few mails of the open folder, each with the full time that one mail may take. `was_refused`: the server refused
    them before, and they may end the connection. `meanwhile` is called every few moments while they are parsed."""
    fetching = Fetching(link, folder_at.folder_id, folder_at.uidvalidity)
    mails = list(fetching.careful(uids) if was_refused else fetching.mails(uids))
    parsing = link.parser.submit(_sources(mails), link.mailbox_id)
    while wait([parsing], _PAUSE_SECONDS).not_done:
        meanwhile()
    return _made(link, folder_at, _Fetched(mails, list(uids), fetching.refused), parsing.result())


def without_text(link: Link, folder_at: FolderAt, uid: int) -> Batch:
    """A mail whose text the server does not deliver, with what is known of it. Empty if it no longer exists."""
    rows = link.imap.sizes([uid])
    mails = [FetchedMail(r.uid, r.flags, r.modseq, r.internaldate, r.size, b"", True) for r in rows]
    return _made(link, folder_at, _Fetched(mails, [uid], {}), link.parser.parse(_sources(mails)))


@dataclass(frozen=True)
class _Fetched:
    """A batch before it is parsed."""

    mails: list[FetchedMail]
    done: list[int]
    refused: Mapping[int, str]


def _batches(link: Link, folder_at: FolderAt, uids: Sequence[int]) -> Iterator[_Fetched]:
    at = 0
    fetching = Fetching(link, folder_at.folder_id, folder_at.uidvalidity)
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
    """The same mails in growing batches, each in the order of UIDs."""
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
    link: Link, folder_at: FolderAt, fetched: _Fetched, parsing: Future[list[ParsedMail | None]], may_wait: bool
) -> Batch:
    while wait([parsing], _PAUSE_SECONDS).not_done:
        has_time = link.serve()
        if may_wait and not has_time and parsing.cancel():
            return Batch([], fetched.done, fetched.refused, dict.fromkeys((mail.uid for mail in fetched.mails), 0))
    return _made(link, folder_at, fetched, parsing.result())


def _made(link: Link, folder_at: FolderAt, fetched: _Fetched, parsed: Sequence[ParsedMail | None]) -> Batch:
    pairs = list(zip(fetched.mails, parsed, strict=True))
    arrivals = [_arrival(folder_at, mail, one) for mail, one in pairs if one is not None]
    return Batch(arrivals, fetched.done, fetched.refused, {mail.uid: 1 for mail, one in pairs if one is None})


def _arrival(folder_at: FolderAt, mail: FetchedMail, parsed: ParsedMail) -> Arrival:
    machine = parsed.machine if folder_at.role != "sent" else None  # whatever program sent it, it is our answer
    unreadable = parsed.unreadable or (mail.size > 0 and not mail.raw)
    return Arrival(
        folder_id=folder_at.folder_id,
        uidvalidity=folder_at.uidvalidity,
        uid=mail.uid,
        keywords=mail.flags,
        received_at=mail.internaldate or parsed.date or now(),
        size=mail.size,
        identity=parsed.identity if mail.raw else _position_identity(folder_at, mail.uid),
        former_identity=parsed.former_identity,
        message_id=parsed.message_id,
        references=_references(parsed),
        direction="out" if folder_at.role == "sent" else "in",
        sender=next(iter(_pairs(parsed.from_)), ("", "")),
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
        files=tuple(map(_file, parsed.attachments)),
        searched=parsed.searched,
    )


def sent_arrival(mail: FetchedMail, parsed: ParsedMail) -> Arrival:
    """A mail that we sent, before its copy in Sent is there."""
    return _arrival(_NO_FOLDER, mail, parsed)


def _references(parsed: ParsedMail) -> tuple[str, ...]:
    """The ids this mail refers to, each once and without its own."""
    references = dict.fromkeys([*parsed.references, *([parsed.in_reply_to] if parsed.in_reply_to else [])])
    references.pop(parsed.message_id or "", None)
    return tuple(references)


def _file(part: Part) -> File:
    return File(part.number, part.filename, part.type, part.size, part.encoding, part.content_id, part.inline)


def _pairs(people: Iterable[Address]) -> tuple[tuple[str, str], ...]:
    return tuple((person.name, person.address) for person in people)


def _position_identity(folder_at: FolderAt, uid: int) -> bytes:
    """A mail that we never saw is identified by its place."""
    return hashlib.sha256(f"{folder_at.folder_id}/{folder_at.uidvalidity}/{uid}".encode()).digest()
