"""Mails that we write, as two parsers of others read them: nothing is lost, nothing is added."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest

from app.mail.addresses import Address
from app.mail.compose import fields
from app.mail.compose.message import OutgoingFile, OutgoingMail, with_bcc, written
from app.mail.parse import parse
from tests.mail.judges import Judged, judged

MADRID = dt.timezone(dt.timedelta(hours=1))
MAIL = OutgoingMail(
    message_id="<1@halden.example>",
    date=dt.datetime(2026, 12, 1, 10, 30, tzinfo=MADRID),
    sender=Address("Support", "help@halden.example"),
    to=[Address("Zoe", "zoe@customer.example")],
    subject="Hello",
    text="Hello\n",
    html="<p>Hello</p>",
)
NAMES = [
    "Müller, Anna",
    "Support (Billing)",
    '"x"',
    "a@b",
    "back\\slash",
    "O'Neil",
    "J. R. Ewing",
    "emoji 🙂 name",
    "名前 太郎",
    "محمد",
    "x" * 200,
    "ü" * 200,
    "a very long name, with comma, and more than seventy-eight letters, all ASCII",
    "=?utf-8?q?encoded?=",
    "semi;colon",
    "angle <brackets>",
    "two  blanks",
    "Ana\tTab",
    "e\u0301 combined",
    "#1",
    "[x]:",
    "Zoë" + " Zoë" * 40,
    "Dr. Ø",
    "”typographic“",
    'x,y;z:@\\"',
    "ﬀ ligature",
    "-",
    "0",
    "name\u00a0with\u00a0nbsp",
]
SUBJECTS = [
    "Re: lamp",
    "",
    "x" * 300,
    "word " * 80,
    "ü" * 300,
    "日本語の件名" * 20,
    "🙂" * 60,
    "=?utf-8?q?a=0D=0ABcc=3A_evil=40x?=",
    "a=0D=0ABcc: evil@x",
    "tab\there",
    "Subject: in subject",
    "Bcc: nobody@x",
    "two  blanks",
    "ends with =?",
    "\u200bzero width",
    "RTL \u202e override",
    "x" * 79,
    "x" * 77 + " y",
    "long " * 15 + "x" * 150,
    "a" * 76,
    "%s %d {} {{x}}",
    "\\r\\n",
    "é",
]
FILES = [
    "plan.pdf",
    "für – ñ.pdf",
    "a%20b.txt",
    "..",
    'quo"te.txt',
    "semi;colon.txt",
    "x" * 200 + ".png",
    "ü" * 200 + ".png",
    "日本語.docx",
    "🙂.gif",
    "back\\slash.txt",
    "no ending",
    "a'b.txt",
    "=?odd?=.txt",
    "two  blanks.txt",
    "percent%.txt",
]


def read(*mails: OutgoingMail) -> list[list[Judged]]:
    return judged([written(mail) for mail in mails])


def test_names_of_every_kind_come_back_with_their_addresses() -> None:
    mails = [
        replace(MAIL, sender=Address(name, "help@halden.example"), to=[Address(name, f"a{n}@x.example"), *MAIL.to])
        for n, name in enumerate(NAMES)
    ]
    for n, (name, readings) in enumerate(zip(NAMES, read(*mails), strict=True)):
        for judge in readings:
            assert judge.sender == [(_one_blank(name), "help@halden.example")], name
            assert judge.to == [(_one_blank(name), f"a{n}@x.example"), ("Zoe", "zoe@customer.example")], name


def test_subjects_of_every_kind_come_back_and_add_no_field() -> None:
    usual = {"date", "from", "to", "subject", "message-id", "mime-version", "content-type"}
    for subject, readings in zip(SUBJECTS, read(*(replace(MAIL, subject=s) for s in SUBJECTS)), strict=True):
        for judge in readings:
            assert _one_blank(judge.subject) == _one_blank(subject)
            assert judge.headers <= usual, subject


def test_files_of_every_name_come_back_byte_for_byte() -> None:
    data = bytes(range(256)) * 3
    mails = [replace(MAIL, files=[OutgoingFile(name, "application/pdf", data)]) for name in FILES]
    for name, readings in zip(FILES, read(*mails), strict=True):
        for judge in readings:
            assert judge.files == [(name, "application/pdf", "", data)], name


@pytest.mark.parametrize("length", [20, 77, 78, 120, 300])
def test_ids_of_every_length_keep_the_thread(length: int) -> None:
    parent = f"<{'x' * (length - 12)}@a.example>"
    for judge in read(replace(MAIL, references=["<first@a.example>", parent]))[0]:
        assert judge.in_reply_to == parent
        assert judge.references == ["<first@a.example>", parent]


def test_long_references_keep_the_first_and_the_last() -> None:
    ids = [f"<{n:04}.{'x' * 60}@mail.example>" for n in range(100)]
    kept = fields.references(ids)
    assert (kept[0], kept[-1]) == (ids[0], ids[-1])
    assert sum(map(len, kept)) < 1000
    assert kept[1:] == ids[-len(kept) + 1 :]


@pytest.mark.parametrize(
    "bad", ["<no blank@x y>", "no brackets", "<ünï@x>", "<a@x>\r\nBcc: b@x", "<" + "x" * 1000 + "@x>"]
)
def test_an_id_that_cannot_be_written_is_left_out(bad: str) -> None:
    for judge in read(replace(MAIL, references=["<a@x.example>", bad]))[0]:
        assert (judge.references, judge.in_reply_to) in ((["<a@x.example>"], "<a@x.example>"), ("<a@x.example>",) * 2)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\0"])
@pytest.mark.parametrize("field", ["subject", "name", "address", "file"])
def test_a_line_end_in_a_field_is_refused(field: str, end: str) -> None:
    value = f"x{end}Bcc: evil@x.example"
    changes: dict[str, dict[str, Any]] = {
        "subject": {"subject": value},
        "name": {"sender": Address(value, "help@halden.example")},
        "address": {"to": [Address("", f"a{value}@x.example")]},
        "file": {"files": [OutgoingFile(value, "text/plain", b"")]},
    }
    with pytest.raises(ValueError, match="line end"):
        written(replace(MAIL, **changes[field]))


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
        ("zoe@faß.example", "zoe@xn--fa-hia.example"),
        ("a b@x.example", '"a b"@x.example'),
        ("a,b@x.example", '"a,b"@x.example'),
        ("a..b@x.example", '"a..b"@x.example'),
        ('"a b"@x.example', '"a b"@x.example'),
        ("zoe@[192.0.2.1]", "zoe@[192.0.2.1]"),
        ("ZOE+x@X.example", "ZOE+x@X.example"),
    ],
)
def test_addresses_are_written_as_servers_take_them(given: str, spelt: str) -> None:
    assert fields.address(given) == spelt


@pytest.mark.parametrize("given", ["nobody", "@x.example", "a@", "a@b c", "a@-\u2028.example", "a@x>y"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        fields.address(given)


TEXTS = [
    "From here\nFrom there\n",
    ".\n..\n.x\n",
    "x" * 3000 + "\n",
    "trailing blanks   \nand tab\t\n",
    "ünï 🙂 日本\n",
    "https://x.example/" + "a" * 2000 + "\n",
    "=3D literal =\n",
    "\n\nempty lines\n\n\nkept\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_arrives_unchanged_in_short_lines(text: str) -> None:
    mail = replace(MAIL, text=text, html=f"<pre>{text}</pre>")
    raw = written(mail)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    for judge in judged([raw])[0]:
        assert judge.text.replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
        assert judge.html.replace("\r\n", "\n").rstrip("\n") == f"<pre>{text}</pre>".rstrip("\n")


def test_a_shown_picture_and_an_attached_file_both_arrive() -> None:
    files = [
        OutgoingFile("p.png", "image/png", b"\x89PNG", "p1@halden.example"),
        OutgoingFile("a.txt", "text/plain", b"a\n"),
    ]
    mail = replace(MAIL, html='<p><img src="cid:p1@halden.example"></p>', files=files)
    for judge in read(mail)[0]:
        assert sorted(judge.files) == [
            ("a.txt", "text/plain", "", b"a\n"),
            ("p.png", "image/png", "p1@halden.example", b"\x89PNG"),
        ]
        assert 'src="cid:p1@halden.example"' in judge.html


def test_an_attached_mail_keeps_its_name_and_its_bytes() -> None:
    inner = written(MAIL)
    umlaut = inner.replace(b"Hello", "Hällo".encode())
    for data, type_ in ((inner, "message/rfc822"), (umlaut, "application/octet-stream")):
        raw = written(replace(MAIL, files=[OutgoingFile("original.eml", "message/rfc822", data)]))
        assert [(part.filename, part.type) for part in parse(raw).attachments] == [("original.eml", type_)]


def test_only_our_own_copy_says_who_got_a_blind_copy() -> None:
    raw = written(MAIL)
    copy = with_bcc(raw, [Address("Boss, the", "boss@halden.example")])
    assert copy.endswith(raw)
    for judge, ours in zip(judged([raw])[0], judged([copy])[0], strict=True):
        assert (judge.bcc, ours.bcc) == ([], [("Boss, the", "boss@halden.example")])


def test_a_mail_to_blind_copies_alone_names_nobody() -> None:
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in written(replace(MAIL, to=[]))


def test_the_date_has_the_offset_of_the_mailbox() -> None:
    assert b"Date: Tue, 01 Dec 2026 10:30:00 +0100\r\n" in written(MAIL)


def test_the_same_mail_is_the_same_to_our_own_parser() -> None:
    for name, subject in itertools.product(NAMES[:12], SUBJECTS[:6]):
        parsed = parse(written(replace(MAIL, to=[Address(name, "a@x.example")], subject=subject)))
        assert [(p.name, p.address) for p in parsed.to] == [(_unquoted(name), "a@x.example")]
        assert parsed.subject == _one_blank(subject)


def _one_blank(text: str) -> str:
    return " ".join(text.split(" ")).strip() if "\t" not in text else text


def _unquoted(name: str) -> str:
    return name[1:-1] if name == '"x"' else " ".join(name.split())
