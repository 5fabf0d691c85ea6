"""Invalid or hostile mails. Each has a name, and each has occurred in a real mailbox.

A mail reader must show each of them. It must not stop, run anything, or join what does not belong together.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

from local.sample.envelope import head, message_id
from local.sample.mime import Header, attachment, blob, mail, multipart, text
from local.sample.people import US, SamplePerson
from local.sample.texts import template

Make = Callable[[random.Random, dt.datetime], list[bytes]]
_MALLORY = SamplePerson("Mallory Vance", "mallory@vance.example", "en", "gmail", 1)


def nasty(number: int, rng: random.Random, moment: dt.datetime) -> list[bytes]:
    """The mails of one nasty conversation, one or two."""
    return list(_ALL.values())[number % len(_ALL)](rng, moment)


def mails_in(number: int) -> int:
    """The number of mails that `nasty` gives for this number."""
    return 2 if list(_ALL)[number % len(_ALL)] in _PAIRS else 1


def _scripts(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    html = template("hostile.html")
    return [_plain(rng, moment, "Offer: 500 carbon frames", multipart("alternative", [text(html, "html")], rng))]


def _lying_charset(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    body = "Señor, el precio del piñón subió un 10 % – ¿lo confirma?\r\n".encode("windows-1252")
    return [_plain(rng, moment, "Precio del piñón", b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body)]


def _unknown_charset(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    entity = (
        b"Content-Type: text/plain; charset=x-user-defined-42\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n"
    )
    return [_plain(rng, moment, "Grüße aus dem Nirgendwo", entity)]


def _no_message_id(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    headers = head(rng, _MALLORY, US, "No Message-ID", moment, own_id=None)
    return [mail(headers, text("This mail was written by a script from 2003.\n"))]


def _same_message_id(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    own_id = message_id(rng, _MALLORY)
    bodies = ("First of two different mails with one Message-ID.\n", "Second of them, and it says something else.\n")
    return [
        mail(head(rng, _MALLORY, US, f"Same Message-ID ({number})", moment, own_id=own_id), text(body))
        for number, body in enumerate(bodies, 1)
    ]


def _reference_loop(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    one, two = message_id(rng, _MALLORY), message_id(rng, _MALLORY)
    return [
        mail(head(rng, _MALLORY, US, "Re: Which was first?", moment, own_id=own, references=(other,)), text("You.\n"))
        for own, other in ((one, two), (two, one))
    ]


def _deceiving_names(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    harmless = blob("x", "application/octet-stream", b"MZ not a program")
    names = ("invoice\u202efdp.exe", "../../etc/passwd", "CON.txt", "a" * 300 + ".pdf", 'quo"te;name=b.html', "..")
    parts = [text("Please find the invoice attached.\n"), *(attachment(harmless, name=name) for name in names)]
    return [_plain(rng, moment, "Invoice 2026-118", multipart("mixed", parts, rng))]


def _endless_subject(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    subject = "Re: " * 150 + "\r\n ".join(f"and another thing, number {number}," for number in range(120))
    return [_plain(rng, moment, subject, text("I could not stop.\n"))]


def _deep_parts(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    entity = text("Down here!\n")
    for _ in range(120):
        entity = multipart("mixed", [entity], rng)
    return [_plain(rng, moment, "A box in a box in a box", entity)]


def _cut_off(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    broken = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=!!!not base64\xff\r\nAAA"
    whole = multipart("mixed", [text("The line went d"), broken], rng)
    return [_plain(rng, moment, "Connection lost", whole[: -len(broken) // 2])]


def _no_date(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    headers = head(rng, _MALLORY, US, "Sent at some time", moment, own_id=message_id(rng, _MALLORY))
    wrong = [(name, "Thu, 99 Foo 20266 25:61:00 +9999") if name == "Date" else (name, value) for name, value in headers]
    return [mail(wrong, text("What time is it?\n"))]


def _from_the_future(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    return [_plain(rng, moment + dt.timedelta(days=9_000), "Greetings from 2050", text("Bikes still have chains.\n"))]


def _no_sender(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    headers = head(rng, _MALLORY, US, "", moment, own_id=message_id(rng, _MALLORY))
    without = [(name, value) for name, value in headers if name not in ("From", "To", "Return-Path")]
    groups: list[Header] = [
        ("From", "undisclosed-senders:;"),
        ("To", 'undisclosed-recipients:;, "Help <at> Halden" <help@halden.example>'),
    ]
    return [mail([*without, *groups], b"\r\n")]


def _raw_header(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    """Bytes without a declared charset, a header line without a colon, lines that end in LF only."""
    raw = _plain(rng, moment, "@", text("Hello from an old fax gateway.\n"))
    subject = "Subject: Cañería nº 4".encode("latin-1") + b"\r\nthis line is no header\r\nX-Empty:\r\n"
    return [raw.replace(b"Subject: @\r\n", subject).replace(b"\r\nX-Empty:\r\n", b"\nX-Empty:\n")]


def _many_references(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    ids = tuple(f"<{number}.{rng.getrandbits(64):x}@lists.example>" for number in range(400))
    headers = head(
        rng, _MALLORY, US, "Re: [list] tabs or spaces", moment, own_id=message_id(rng, _MALLORY), references=ids
    )
    return [mail(headers, text("+1\n"))]


def _as_us(rng: random.Random, moment: dt.datetime) -> list[bytes]:
    """Our own address as the sender, from outside, asking for money."""
    pretender = SamplePerson("Halden Management", US.address, "en", "outlook", 1)
    headers = head(rng, pretender, US, "Urgent wire transfer", moment, own_id=message_id(rng, _MALLORY))
    return [mail(headers, text("Please pay 18,400 to the account below before noon. Do not call me.\n"))]


def _plain(rng: random.Random, moment: dt.datetime, subject: str, entity: bytes) -> bytes:
    return mail(head(rng, _MALLORY, US, subject, moment, own_id=message_id(rng, _MALLORY)), entity)


_PAIRS = ("same message-id", "reference loop")
_ALL: dict[str, Make] = {
    "scripts": _scripts,
    "lying charset": _lying_charset,
    "deceiving names": _deceiving_names,
    "same message-id": _same_message_id,
    "as us": _as_us,
    "no message-id": _no_message_id,
    "reference loop": _reference_loop,
    "endless subject": _endless_subject,
    "unknown charset": _unknown_charset,
    "deep parts": _deep_parts,
    "cut off": _cut_off,
    "no date": _no_date,
    "from the future": _from_the_future,
    "no sender": _no_sender,
    "raw header": _raw_header,
    "many references": _many_references,
}
