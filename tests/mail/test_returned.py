"""A report names its mail: in the returned mail, in its own fields, or in its text."""

from __future__ import annotations

import pytest

from app.mail.parse import ParsedMail, parse
from tests.mail.letters import letter

_OURS = "<ours.17@halden.example>"
_HEAD = b"From: help@halden.example\r\nSubject: Lamp 17\r\nMessage-ID: <ours.17@halden.example>\r\n"
_WORDS = letter("text/plain", b"It could not be delivered.\r\n")
_DSN = b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; otto@kunde.example\r\nAction: failed\r\n"
_MDN = b"Final-Recipient: rfc822; eva@roth.example\r\nOriginal-Message-ID: <ours.17@halden.example>\r\n"
_DAEMON = {"from": "MAILER-DAEMON@mx.example", "subject": "Undelivered Mail Returned to Sender", "return_path": "<>"}


def report(kind: str, *parts: bytes, **fields: str) -> ParsedMail:
    return parse(_head(fields) + letter(f"multipart/report; report-type={kind}", _WORDS, *parts))


def words(text: str, kind: str = "text/plain; charset=utf-8", **fields: str) -> ParsedMail:
    return parse(_head(fields) + letter(kind, text.encode()))


def _head(fields: dict[str, str]) -> bytes:
    return "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in (_DAEMON | fields).items()).encode()


@pytest.mark.parametrize(
    ("parsed", "subject"),
    [
        (report("delivery-status", letter("message/delivery-status", _DSN), letter("message/rfc822", _HEAD)),
         "Lamp 17"),
        (report("delivery-status", letter("message/delivery-status", _DSN), letter("text/rfc822-headers", _HEAD)),
         "Lamp 17"),
        (report("delivery-status", letter("message/global-headers", _HEAD)), "Lamp 17"),
        (report("feedback-report", letter("message/feedback-report", b"Feedback-Type: abuse\r\n"),
                letter("message/rfc822", _HEAD + b"\r\nHi")), "Lamp 17"),
        (report("disposition-notification", letter("message/disposition-notification", _MDN), subject="Read: x"), ""),
        (words("It failed.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <help@halden.example>\n"
               f"Message-ID: {_OURS}\nSubject: Lamp 17\n"), "Lamp 17"),
        (words(f"Es ging nicht.\n\n> Betreff: Lamp 17\n> Message-Id: {_OURS}\n"), "Lamp 17"),
        (words(f"Original message ID: {_OURS}\n"), ""),
        (words("Message-ID: ours.17@halden.example\n"), ""),
        (words(f"The mail with the Message-ID {_OURS} could not be delivered.\n"), ""),
        (words("<p>It failed.</p><p>Message-ID: &lt;ours.17@halden.example&gt;<br>Subject: Lamp 17</p>", "text/html"),
         "Lamp 17"),
        (words("It failed.", original_message_id=_OURS), ""),
        (words("It failed.", content_id=_OURS), ""),
        (words("It failed.\n\nSubject: =?utf-8?Q?L=C3=A4mp?=\n", content_id=_OURS), "Lämp"),
    ],
)  # fmt: skip
def test_a_report_refers_to_the_mail_that_it_tells_of(parsed: ParsedMail, subject: str) -> None:
    assert parsed.machine is not None
    assert (parsed.references, parsed.returned_subject) == ([_OURS], subject)


def test_a_header_quoted_by_a_person_is_not_a_reference() -> None:
    parsed = parse(letter("text/plain", f"I got this:\r\n\r\nMessage-ID: {_OURS}\r\n".encode(), subject="Lamp"))
    assert (parsed.references, parsed.returned_subject) == ([], "")


def test_a_bounce_of_many_ids_names_the_first_few() -> None:
    text = "".join(f"Message-ID: <{n}@x.example>\n" for n in range(5000))
    assert words(text).references == [f"<{n}@x.example>" for n in range(5)]


@pytest.mark.parametrize("junk", ["message-id:" * 20_000, "Message-ID: <" * 20_000, "> " * 100_000, "subject" * 30_000])
def test_no_report_takes_for_ever(junk: str) -> None:
    assert not words(junk).unreadable
