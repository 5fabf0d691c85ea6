"""Every nasty mail in tests/mails (one oddity each, named for it) is read as a person would read it."""

from __future__ import annotations

import pickle
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.parse import ParsedMail, parse
from app.vectors import EMPTY
from tests.vectors import words_of

MAILS = Path(__file__).parents[1] / "mails"
EVERY_MAIL = sorted(path.stem for path in MAILS.glob("*.eml"))


def raw(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def read(name: str) -> ParsedMail:
    return parse(raw(name))


def people(name: str, field: str = "from_") -> list[tuple[str, str]]:
    return [(one.name, one.address) for one in getattr(read(name), field)]


@pytest.mark.parametrize("name", EVERY_MAIL)
def test_no_mail_is_unreadable_and_every_text_can_be_stored(name: str) -> None:
    mail = read(name)
    assert not mail.unreadable
    assert len(mail.identity) == 32
    for text in (mail.subject, mail.text, mail.html or "", mail.preview, *_texts(mail)):
        assert "\0" not in text
        text.encode("utf-8")
    assert pickle.loads(pickle.dumps(mail)) == mail


def _texts(mail: ParsedMail) -> list[str]:
    written = [*mail.from_, *mail.to, *mail.cc, *mail.reply_to]
    names = [part.filename for part in mail.attachments]
    return [*names, *(one.name + one.address for one in written), *mail.references]


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("no-message-id", "message_id", None),
        ("two-message-ids-the-first-broken", "message_id", "<second@x>"),
        ("message-id-without-brackets", "message_id", "<bare@customer.example>"),
        ("references-with-commas-and-folds", "references", ["<a@b>", "<c@d>", "<e@f>", "<g@h>"]),
        ("references-with-commas-and-folds", "in_reply_to", "<c@d>"),
        ("no-header-at-all", "text", "Just a text."),
        ("nothing-but-a-header", "subject", "empty"),
        ("bare-line-feeds", "text", "one\ntwo"),
        ("header-line-without-colon", "subject", "After it"),
        ("mbox-from-line", "message_id", "<mbox@x>"),
        ("undeclared-latin-1", "subject", "Grüße aus Köln"),
        ("undeclared-latin-1", "text", "Viele Grüße"),
        ("declared-utf-8-but-windows-1252", "text", "“Señor” – 5 €"),
        ("unknown-charset", "text", "Señor"),
        ("charset-that-is-a-python-codec", "text", r"a\u0000b"),
        ("gb2312-with-a-letter-of-gbk", "text", "朱镕基"),
        ("gb2312-with-a-letter-of-gbk", "subject", "镕订单"),
        ("iso-2022-jp", "subject", "ご注文"),
        ("iso-2022-jp", "text", "ありがとう"),
        ("html-with-charset-in-meta-only", "text", "Привет"),
        ("nul-bytes", "subject", "ab"),
        ("nul-bytes", "text", "cd"),
        ("subject-cut-within-a-letter", "subject", "Grüße ü plain"),
        ("subject-with-broken-encoded-word", "subject", "café=?utf-8?Q?open"),
        ("subject-with-a-line-end-encoded", "subject", "Hello Bcc: eve@x"),
        ("base64-with-junk", "text", "Grüße aus Köln"),
        ("unknown-transfer-encoding", "text", "uryyb"),
        ("alternative", "text", "plain words"),
        ("alternative", "html", "<p>html words</p>"),
        ("alternative-with-empty-text", "text", "only here"),
        ("text-between-two-attachments", "text", "first\n\nsecond"),
        ("last-boundary-missing", "text", "still here"),
        ("boundary-never-used", "text", "The words of a mail whose parts were lost."),
        ("boundary-begins-another", "text", "inner"),
        ("forwarded-as-attachment", "text", "see below"),
        ("format-flowed-delsp", "text", "注文番号"),
        ("signed-s-mime", "text", "signed words"),
        ("encrypted-pgp", "text", ""),
        ("invitation", "text", "Meeting at ten"),
        ("reply-with-quotes", "preview", "Sí, muchas gracias."),
        ("plain", "machine", None),
        ("date-missing", "date", None),
        ("date-broken", "date", None),
        ("date-in-year-10000", "date", None),
        ("date-in-year-9999", "date", None),
        ("date-with-impossible-zone", "date", None),
        ("date-without-zone", "date", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("plain", "date", datetime(2026, 11, 2, 9, tzinfo=UTC)),
    ],
)
def test_an_odd_mail_is_read_as_a_person_would(name: str, field: str, expected: Any) -> None:
    assert getattr(read(name), field) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("from-with-unquoted-comma", [("Doe, John", "john@x.example")]),
        ("from-with-open-quote", [("foo", "a@b.example")]),
        ("from-missing", []),
        ("from-with-comment", [("Ana Belén", "a@b.example")]),
        ("from-encoded-with-comma", [("Müller, Zoë", "zoe@x.example")]),
        ("from-pretends-another-address", [("ceo@bank.example", "eve@evil.example")]),
        ("from-twice", [("", "a@b.example"), ("", "c@d.example")]),
    ],
)
def test_the_sender_is_the_recipient_of_an_answer(name: str, expected: list[tuple[str, str]]) -> None:
    assert people(name) == expected


def test_groups_and_undisclosed_recipients_are_flattened() -> None:
    assert people("to-undisclosed", "to") == []
    expected = [("", "ana@x.example"), ("Ben", "ben@x.example"), ("", "carla@x.example")]
    assert people("to-undisclosed", "cc") == expected


def test_a_few_damaged_letters_do_not_spoil_the_others() -> None:
    assert "Ärger über größere Änderungen, schöne Grüße" in read("utf-8-with-one-damaged-letter").text
    assert read("quoted-printable-cut").text.startswith("Grüße")


def test_html_alone_becomes_lines_of_text_without_scripts_and_styles() -> None:
    assert read("html-only").text == "Dear team,\n\none\ntwo\n\nbye <b>\n\na b"


def test_wrapped_lines_are_joined_and_quotes_and_signature_kept() -> None:
    text = "This line was wrapped for the journey.\n> a quote that was wrapped\n>> deeper\nFrom the start\n-- \nZoe"
    assert read("format-flowed").text == text


def test_attachments_have_the_numbers_names_and_sizes_that_the_server_knows() -> None:
    (pdf,) = read("text-between-two-attachments").attachments
    assert (pdf.number, pdf.filename, pdf.type, pdf.size) == ("2", "a.pdf", "application/pdf", 4)
    (inner,) = read("forwarded-as-attachment").attachments
    assert (inner.number, inner.filename, inner.type) == ("2", "inner.eml", "message/rfc822")
    assert [part.number for part in read("digest").attachments] == ["1", "2"]
    (only,) = read("uuencoded").attachments
    assert (only.number, only.size) == ("1", len("hello\n"))
    assert [part.type for part in read("winmail").attachments] == ["application/ms-tnef"]


def test_the_search_covers_people_subject_text_and_file_names() -> None:
    head = "From: Mía <mia@customer.example>\nReply-To: Desk <desk@customer.example>\nTo: Help <help@halden.example>\n"
    head += "Cc: Bo <bo@other.example>\nSubject: Größe 42\nContent-Type: multipart/mixed; boundary=x\n\n"
    body = "--x\nContent-Type: text/plain; charset=utf-8\n\nCafé, bitte.\n"
    file = (
        "--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename=INV-2026.txt\n\nnot searched\n--x--\n"
    )
    parsed = parse((head + body + file).encode())
    assert {weight: words_of(parsed.searched, weight) for weight in ("A", "B", "C", "")} == {
        "A": ["grosse", "42"],
        "B": ["mia", "mia", "customer", "example", "desk", "desk", "customer", "example"],
        "C": ["help", "help", "halden", "example", "bo", "bo", "other", "example"],
        "": ["inv", "2026", "txt", "cafe", "bitte", "inv2026"],
    }
    assert parse(b"").searched == EMPTY


def test_an_attachment_that_is_cut_within_a_line_leaves_its_mail_readable() -> None:
    whole = raw("uuencoded")
    for end in range(whole.index(b"begin"), len(whole)):
        assert not parse(whole[:end]).unreadable


def test_a_picture_is_inline_only_when_the_html_shows_it() -> None:
    shown = {part.filename: part.inline for part in read("inline-picture-shown").attachments}
    assert shown == {"pic.png": True, "hidden.png": False}


def test_a_file_name_is_only_a_name() -> None:
    names = [part.filename for part in read("filename-climbs-out").attachments]
    assert names[:5] == ["passwd", "evil.exe", "gnp._exe.txt", "htaccess", "attachment.png"]
    assert len(names[5]) <= 150
    assert names[5].endswith(".pdf")
    assert not any(re.search(r"[\x00-\x1f/\\\u202e]", name) for name in names)


def test_a_file_name_is_read_in_every_spelling() -> None:
    names = [part.filename for part in read("filename-in-every-spelling").attachments]
    assert names == ["€ rates.txt", "€.txt", "€.txt", "two words.txt", "a _b_ c.txt"]


def test_depth_and_number_of_parts_are_limited() -> None:
    assert "--b50" in read("multipart-in-itself-sixty-deep").text
    assert read("two-thousand-parts").text.count(".") == 1000


def test_the_preview_is_short_and_ends_at_a_word() -> None:
    words = "palabra " * 100
    preview = parse(b"Subject: x\r\n\r\n" + words.encode()).preview
    assert len(preview) <= 161
    assert preview.endswith("palabra…")


@pytest.mark.parametrize(
    "body",
    [
        b"<" * 300_000,
        b"<br" * 200_000,
        b"<script>" * 100_000,
        b"<meta " * 100_000,
        b"&" * 500_000,
        b" " * 2_000_000,
        b"cid:" * 200_000,
        b"<p>" * 100_000,
        b">" * 500_000 + b"\n" * 500_000,
    ],
)
@pytest.mark.parametrize("kind", [b"text/html", b"text/plain; format=flowed"])
def test_no_body_takes_for_ever(body: bytes, kind: bytes) -> None:
    """A pattern with quadratic time would exceed the tests' time limit by hours."""
    assert not parse(b"Content-Type: " + kind + b"\r\n\r\n" + body).unreadable


@pytest.mark.parametrize(
    "field",
    [
        b"From: " + b"(" * 200_000,
        b"From: " + b'"' * 200_001,
        b"From: " + b"a@b, " * 100_000,
        b"From: " + b"<" * 200_000,
        b"Subject: " + b"=?utf-8?q?" * 50_000,
        b"Subject: " + b"=?=" * 100_000,
        b"Subject: " + b"?= " * 100_000,
        b"Content-Type: text/plain; " + b"a=b;" * 100_000,
        b"Content-Type: text/plain; " + b"a" * 500_000,
        b'Content-Type: text/plain; name="' + b"\\" * 300_000,
        b"References: " + b"<a@b" * 100_000,
        b"Message-ID: " + b"a" * 300_000,
        b"Date: " + b"1 " * 200_000,
        b"List-Id: " + b"<" * 200_000,
        b"X: y\r\n" * 100_000,
        b"a" * 1_000_000,
    ],
)
def test_no_header_takes_for_ever(field: bytes) -> None:
    assert not parse(field + b"\r\n\r\nbody\r\n").unreadable


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_make_it_raise(junk: bytes) -> None:
    assert not parse(junk).unreadable


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EVERY_MAIL), st.data())
def test_no_damage_to_a_real_mail_makes_it_raise(name: str, data: st.DataObject) -> None:
    mail = bytearray(raw(name)[:4000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(len(mail) - 1, 0)))
        mail[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    parsed = parse(bytes(mail))
    assert not parsed.unreadable
    assert "\0" not in parsed.text + parsed.subject


def test_an_endless_name_is_cut_and_an_endless_address_is_dropped() -> None:
    """One such mail made every page with its row megabytes long."""
    mail = parse(f'From: "{"N" * 500_000}" <eve@x.example>\r\nTo: {"a" * 500_000}@x.example\r\n\r\nhi'.encode())
    assert [len(one.name) for one in mail.from_] == [200]
    assert mail.to == []


@pytest.mark.parametrize(
    "line", [b"X-Trace-%d: a\r\n", b"Received: from mx%d.example by mx; Mon, 1 Jan 2024 10:00:00 +0000\r\n"]
)
def test_any_number_of_header_lines_may_stand_before_the_sender(line: bytes) -> None:
    head = b"".join(line % number for number in range(100_000))
    fields = b"From: Mia <mia@kunde.example>\r\nMessage-ID: <1@kunde.example>\r\nSubject: Invoice\r\n 12\r\n"
    mail = parse(head + fields + b"In-Reply-To: <2@x.example>\r\n\r\nHello")
    assert [(person.name, person.address) for person in mail.from_] == [("Mia", "mia@kunde.example")]
    assert (mail.message_id, mail.in_reply_to) == ("<1@kunde.example>", "<2@x.example>")
    assert (mail.subject, mail.text) == ("Invoice 12", "Hello")
