"""A mail's bytes -> ParsedMail. Never raises: mail is hostile, and one mail must not stop the sync.

A mail that cannot be parsed is returned with `unreadable` set and the values of its header. The result is plain and
picklable, because parsing runs in a child process (child.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.mail.addresses import Address, addresses
from app.mail.authentication import authentications
from app.mail.calendar import Appointment
from app.mail.charset import likely_charset
from app.mail.content import Content, Part, content
from app.mail.dates import date, plausible
from app.mail.guess import limited_guesses
from app.mail.headers import Headers
from app.mail.identity import former_identity, identity
from app.mail.ids import is_address, message_id, reference_ids
from app.mail.machine import Kind, Machine, machine
from app.mail.mime import Node, charset_of_text, split_mail, tree
from app.mail.pictures import Picture, names_of_parts
from app.mail.quotes import own_words
from app.mail.returned import Returned, returned
from app.mail.shown import ShownBody, shown_body
from app.searchable import searched, visible_words
from app.vectors import EMPTY, SearchVector

__all__ = ["Address", "MailSource", "ParsedMail", "Part", "bare", "identified", "parse", "unreadable"]

_MAX_LINE = 2000
_MAX_HEADER = 256 * 1024  # applies to a mail that could not be parsed
_PREVIEW = 160
#: Machine mail about another mail, which may be ours.
_TELLING = (Kind.BOUNCE, Kind.RECEIPT, Kind.REPORT)
#: If a mail took too much time or memory, this much of it is read, which is better than nothing.
_LESS_TEXT = 150_000


@dataclass(frozen=True)
class MailSource:
    """The input of parsing: a whole mail, or the header block and the outline of a large one."""

    raw: bytes
    size: int
    outline: Node | None = None


@dataclass(frozen=True)
class ParsedMail:
    """The parts of a mail that the team sees, and the data that threading and moving need.

    Message ids keep their angle brackets: `<a@x>`. `in_reply_to` is the last id of In-Reply-To. `references` are its
    other ids and those of References, oldest first. `identity` is equal for two copies of one mail, see identity.py.
    `delivered` is the time in the topmost Received field. `returned_subject`: the subject of the mail that a bounce or
    report is about.
    """

    message_id: str | None
    in_reply_to: str | None
    references: list[str]
    from_: list[Address]
    reply_to: list[Address]
    to: list[Address]
    cc: list[Address]
    subject: str
    date: datetime | None
    delivered: datetime | None
    text: str
    html: str | None
    preview: str
    attachments: list[Part] = field(default_factory=list)
    machine: Machine | None = None
    returned_subject: str = ""
    authentication: tuple[tuple[str, str], ...] = ()
    identity: bytes = b""
    former_identity: bytes = b""
    unreadable: bool = False
    html_form: str = "none"
    has_remote_images: bool = False
    quote_at: int | None = None
    truncated: bool = False
    appointments: tuple[Appointment, ...] = ()
    searched: SearchVector = EMPTY


def parse(source: MailSource | bytes, *, design: bool = True) -> ParsedMail:
    """Parse a mail as far as possible. Without `design` its HTML only gives text, which takes little time.

    Raises only MemoryError."""
    if isinstance(source, bytes):
        source = MailSource(source, len(source))
    try:
        with limited_guesses():
            return _parsed(source, design=design)
    except MemoryError:
        raise
    except Exception:  # no error may leave this room, whatever it is
        return unreadable(source)


def unreadable(source: MailSource) -> ParsedMail:
    """A mail that could not be parsed, with the values of its header."""
    try:
        head, body = split_mail(source.raw)
        headers = Headers(head[:_MAX_HEADER])
        return _assembled(source, headers, head, body, Content("", None, []), Node(""), failed=True)
    except Exception:
        return bare(source)


def identified(source: MailSource) -> ParsedMail:
    """A mail whose header takes too long to read, with only its identity."""
    head, body = split_mail(source.raw)
    headers = Headers(head)
    own_id = message_id(headers)
    return replace(bare(source), message_id=own_id, **_identities(own_id, source, headers, head, body, source.outline))


def bare(source: MailSource) -> ParsedMail:
    """A mail of which we know only the bytes."""
    sum_ = hashlib.sha256(source.raw).digest()
    return ParsedMail(
        None, None, [], [], [], [], [], "", None, None, "", None, "", identity=sum_, unreadable=True
    )  # fmt: skip


def _parsed(source: MailSource, *, design: bool) -> ParsedMail:
    head, body = split_mail(source.raw)
    headers = Headers(head, lambda: _text_charset(source, head, body))
    root = source.outline or tree(headers, body)
    found = content(root) if design else content(root, most_text=_LESS_TEXT, most_html=2 * _LESS_TEXT)
    return _assembled(source, headers, head, body, found, root, failed=False, design=design)


def _text_charset(source: MailSource, head: bytes, body: bytes) -> str | None:
    """The charset that the mail declares for its text, or a guess from header and text together."""
    if source.outline is None:
        return charset_of_text(body) or likely_charset(head, body)
    labels = (node.charset for node in source.outline.leaves() if node.type.startswith("text/"))
    return next(labels, None) or likely_charset(head, b"")


def _assembled(
    source: MailSource,
    headers: Headers,
    head: bytes,
    body: bytes,
    found: Content,
    root: Node,
    *,
    failed: bool,
    design: bool = True,
) -> ParsedMail:
    people = _people_of(headers)
    subject = headers.text("subject")[:_MAX_LINE]
    shown = shown_body(found.text, found.html, _names_of_pictures(found.attachments), subject, design=design)
    invited = "\n\n".join(appointment.text for appointment in found.appointments)
    preview = _preview(shown.own, subject, invited)
    wrote = machine(headers, root, subject=subject, own_words=bool(preview or found.attachments))
    report = returned(headers, root, shown.text) if wrote and wrote.kind in _TELLING else Returned()
    own_id = message_id(headers)
    return ParsedMail(
        message_id=own_id,
        **_named_mails(headers, report, people.addresses),
        **_envelope(headers, people, subject),
        **_body(found, shown),
        preview=preview,
        machine=wrote,
        returned_subject=report.subject,
        **_identities(own_id, source, headers, head, body, source.outline if failed else root),
        unreadable=failed,
        searched=_searched(people, subject, found, shown, invited),
    )


@dataclass(frozen=True)
class _People:
    from_: list[Address]
    reply_to: list[Address]
    to: list[Address]
    cc: list[Address]
    addresses: set[str]  # of all of them and of Sender, in lower case


def _people_of(headers: Headers) -> _People:
    from_ = _senders(headers)
    reply_to = _answers_to(headers, from_)
    to, cc = _people(headers, "to"), _people(headers, "cc")
    everybody = [*from_, *_people(headers, "sender"), *reply_to, *to, *cc]
    return _People(from_, reply_to, to, cc, {person.address.lower() for person in everybody})


def _named_mails(headers: Headers, report: Returned, people: set[str]) -> dict[str, Any]:
    """The mails that this one answers or refers to."""
    in_reply_to, references = reference_ids(headers, people)
    reported = (id_ for id_ in report.ids if not is_address(id_, people))
    return {"in_reply_to": in_reply_to, "references": list(dict.fromkeys([*references, *reported]))}


def _envelope(headers: Headers, people: _People, subject: str) -> dict[str, Any]:
    delivered = _delivered(headers)
    return {
        "from_": people.from_,
        "reply_to": people.reply_to,
        "to": people.to,
        "cc": people.cc,
        "subject": subject,
        "date": plausible(date(headers.get("date")), delivered),
        "delivered": delivered,
        "authentication": _authentication(headers, people.from_),
    }


def _body(found: Content, shown: ShownBody) -> dict[str, Any]:
    return {
        "text": shown.text,
        "html": shown.html,
        "html_form": shown.form,
        "has_remote_images": shown.has_remote_images,
        "quote_at": shown.quote_at,
        "truncated": found.truncated,
        "appointments": found.appointments,
        "attachments": [replace(part, inline=part.number in shown.parts) for part in found.attachments],
    }


def _searched(people: _People, subject: str, found: Content, shown: ShownBody, invited: str) -> SearchVector:
    return searched(
        subject=subject,
        senders=map(_pair, [*people.from_[:1], *people.reply_to]),
        receivers=map(_pair, [*people.to, *people.cc]),
        files=[part.filename for part in found.attachments],
        text=shown.text,
        also=[shown.read, invited, found.enclosed],
    )


def _names_of_pictures(parts: list[Part]) -> dict[str, str]:
    return names_of_parts([Picture(p.number, p.type, p.filename, p.content_id, p.location) for p in parts])


def _identities(
    own_id: str | None, source: MailSource, headers: Headers, head: bytes, body: bytes, root: Node | None
) -> dict[str, Any]:
    is_whole = source.outline is None
    former = former_identity(own_id, source.raw, head, source.size, whole=is_whole)
    return {"identity": identity(own_id, headers, body if is_whole else None, root), "former_identity": former}


def _pair(person: Address) -> tuple[str, str]:
    return person.name, person.address


def _delivered(headers: Headers) -> datetime | None:
    """The time at which the last mail server accepted it (RFC 5321 4.4). Its clock is better than the sender's."""
    return date((headers.get("received") or "").rpartition(";")[2])


def _authentication(headers: Headers, from_: list[Address]) -> tuple[tuple[str, str], ...]:
    """Empty for a mail with several senders, because no server can tell which of them wrote it."""
    results = headers.all("authentication-results")
    return authentications(results, from_[0].address) if results and len(from_) == 1 else ()


def _senders(headers: Headers) -> list[Address]:
    """The addresses in From. If none of them can receive mail, the address in Sender, if that can."""
    written = _people(headers, "from")
    if any(person.address for person in written):
        return written
    return _people(headers, "sender") or written


def _answers_to(headers: Headers, from_: list[Address]) -> list[Address]:
    """The addresses in Reply-To, after the author whom a list or group replaced in From. Otherwise the group's own team
    would seem to have written the mail."""
    named = _people(headers, "reply-to")
    known = {person.address.lower() for person in (*from_, *named)}
    return [*(p for p in _original_senders(headers, from_) if p.address.lower() not in known), *named]


def _original_senders(headers: Headers, from_: list[Address]) -> list[Address]:
    """X-Original-From is written only if From was replaced (Google Groups). The other fields may hold servers' own
    addresses. So they count only in mail from the list itself, without addresses of its domain."""
    if original := _people(headers, "x-original-from"):
        return original
    lists = f"{headers.get('list-post') or ''} {headers.get('list-id') or ''}".lower()
    address = from_[0].address.lower() if from_ and lists.strip() else ""
    if not address or not (f":{address}" in lists or f"<{address.replace('@', '.')}>" in lists):
        return []
    fields = (_people(headers, name) for name in ("x-original-sender", "sender"))
    domain = address.partition("@")[2]
    return next((people for people in fields if people and not people[0].address.lower().endswith(domain)), [])


def _people(headers: Headers, name: str) -> list[Address]:
    return [person for value in headers.all(name) for person in addresses(value)]


def _preview(text: str, subject: str, invited: str) -> str:
    """The first words by the author: no quotes, no line that introduces one, no invisible filler. `invited`: the text
    of appointments in the mail."""
    own = own_words(text[:20_000], subject)[: 8 * _PREVIEW]
    joined = " ".join(visible_words(f"{own}\n{invited[: 8 * _PREVIEW]}"))
    return joined if len(joined) <= _PREVIEW else joined[:_PREVIEW].rsplit(" ", 1)[0] + "…"
