"""Mails and answers that nobody would write: the parser reads all of them, the tokenizer reads or rejects them.

`make faults` tries for some minutes; every check tries a few. Each find is kept as a mail in tests/mails or as an
example.
"""

from __future__ import annotations

import contextlib
import os
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.mail import answers
from app.mail.errors import Broken
from app.mail.filenames import safe_filename
from app.mail.html import text_from_html
from app.mail.mime import MAX_PARTS, described
from app.mail.parse import ParsedMail, parse
from app.mail.rows import rows
from tests.mail.test_parse import EVERY_MAIL, raw

_LONG = os.environ.get("SIGNALBOX_FAULTS") == "long"
FUZZ = settings(
    max_examples=4_000 if _LONG else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600 if _LONG else 180)]

# Pieces with a meaning for a parser, in any order and number, with junk between them.
WORDS = st.sampled_from(
    [
        "utf-8", "iso-8859-15", "utf-16", "utf-7", "idna", "x-unknown", "8bit", "base64", "quoted-printable",
        "uuencode",
        "=?utf-8?q?a=C3?=", "=?utf-8?b?w7w", "=?gb2312?B?1uw=?=", "=?x?q?=00=0d=0a?=", "name*0*=utf-8''a%C3",
        "name*1=%BC", "name*=iso-8859-1'x'%E4", "boundary=x", 'boundary="x', "boundary=''", "filename=../../etc/passwd",
        'filename="C:\\CON"', "format=flowed", "delsp=yes", "report-type=delivery-status", "smime-type=enveloped-data",
        "text/plain", "text/html", "multipart/mixed", "multipart/alternative", "multipart/digest", "message/rfc822",
        "application/ms-tnef", "inline", "attachment", "<a@b>", "<<a>@b>", "a@b, c@d", "undisclosed-recipients:;",
        '"', "\\", "(", ")", ";", ",", ":", "\0", "\r", "\t", "é", "\u202e", "🛰", "--x", "--x--", "<a@b",
    ]
)  # fmt: skip
VALUES = st.lists(WORDS | st.text(max_size=12), max_size=8).map(" ".join)
NAMES = st.sampled_from(
    [
        "From", "To", "Cc", "Reply-To", "Sender", "Subject", "Date", "Message-ID", "References", "In-Reply-To",
        "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Auto-Submitted",
        "Return-Path", "X", "", "From ", " X",
    ]
)  # fmt: skip
ENDS = st.sampled_from(["\r\n", "\n", "\r", "\r\n ", "\n\t", ""])
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from([": ", ":", " : ", ""]), VALUES, ENDS).map("".join), max_size=10)
BODIES = st.lists(st.sampled_from(["--x\r\n", "--x--\r\n", "--x", "\r\n\r\n", "\n", "\0", "begin 644 a\r\n"]) | VALUES)
PARTS = st.builds(lambda fields, body: "".join(fields) + "\r\n\r\n" + "\r\n".join(body), FIELDS, BODIES)
MAILS = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "\r\n--x\r\n".join(parts))
CHARSETS = st.sampled_from(["utf-8", "latin-1", "utf-16", "cp1252"])
BYTES = st.builds(lambda text, charset: text.encode(charset, "replace"), MAILS, CHARSETS)


@FUZZ
@given(BYTES)
def test_any_mixture_of_pieces_of_mails_is_read(mail: bytes) -> None:
    assert_can_be_kept(parse(mail))


@FUZZ
@given(st.sampled_from(EVERY_MAIL), st.sampled_from(EVERY_MAIL), st.data())
def test_any_cut_of_two_real_mails_is_read(one: str, other: str, data: st.DataObject) -> None:
    first, second = raw(one)[:8000], raw(other)[:8000]
    at, to = data.draw(st.integers(0, len(first))), data.draw(st.integers(0, len(second)))
    assert_can_be_kept(parse(first[:at] + data.draw(st.binary(max_size=5)) + second[to:]))


def assert_can_be_kept(mail: ParsedMail) -> None:
    assert not mail.unreadable
    people = [*mail.from_, *mail.to, *mail.cc, *mail.reply_to]
    texts = [mail.subject, mail.text, mail.html or "", mail.preview, mail.message_id or "", *mail.references]
    for text in [*texts, *(words for one in people for words in (one.name, one.address))]:
        assert "\0" not in text
        text.encode("utf-8")
    assert "\n" not in mail.subject + "".join(one.name + one.address for one in people)
    assert len(mail.attachments) <= MAX_PARTS
    for part in mail.attachments:
        assert_is_only_a_name(part.filename)
        assert all(step.isdigit() for step in part.number.split("."))
    assert pickle.loads(pickle.dumps(mail)) == mail


def assert_is_only_a_name(name: str) -> None:
    name.encode("utf-8")
    assert 1 <= len(name) <= 150
    assert not set(name) & set('/\\:*?"<>|\0\r\n\u202e')
    assert not name.startswith(".")


@FUZZ
@given(
    st.text(st.characters(codec="utf-8")) | VALUES,
    st.sampled_from(["text/plain", "message/rfc822", "x/y", "", "application/pdf"]),
)
def test_any_name_of_a_file_is_only_a_name(name: str, kind: str) -> None:
    assert_is_only_a_name(safe_filename(name, kind))


TAGS = st.sampled_from(
    [
        "<p>", "</p>", "<style>", "</style>", "<script", "<!--", "-->", "<![CDATA[", "<a href='x'>", "<br", "/>",
        "&#0;",
        "&#xD800;", "&#1114112;", "&nbsp", "<td>", "<li>", "<plaintext>", "<meta charset=", "'", '"', "<svg><title>",
    ]
)  # fmt: skip
HTML = st.lists(TAGS | st.text(max_size=5)).map("".join)


@FUZZ
@given(HTML)
def test_any_html_becomes_text(html: str) -> None:
    text = text_from_html(html)
    assert "\0" not in text


ITEMS = st.sampled_from(
    [
        b"UID 7", b"UID", b"FLAGS (\\Seen a[b)", b"FLAGS ()", b"FLAGS (", b"MODSEQ (5)", b"MODSEQ 5", b"RFC822.SIZE 9",
        b'INTERNALDATE " 2-Nov-2026 10:00:00 +0100"', b"BODY[] {3}", b"BODY[] ~{3}", b'BODY[] "x"', b"BODY[] NIL",
        b"BODY[HEADER] {2}", b"BODY[1.2]<0> {1}", b"BODY[1]<", b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1)',
        b"BODYSTRUCTURE (", b"X-A (a (b", b"))", b")", b"(", b'"', b'"\\', b"{99999999999999999999}", b"{-1}", b"NIL",
        b" ", b"\\", b"]", b"[", b"\xff", b"\0", b"\r\n",
    ]
)  # fmt: skip
ANSWERS = st.lists(st.lists(ITEMS | st.binary(max_size=6)).map(b" ".join), min_size=1, max_size=5)


@FUZZ
@given(ANSWERS, st.sampled_from([b"* 1 FETCH (", b"* 1 FETCH", b"* FETCH (", b"* 99999999999999999999 FETCH ("]))
def test_any_answer_to_fetch_is_read_or_called_broken(parts: list[bytes], begin: bytes) -> None:
    with contextlib.suppress(Broken):
        for row in rows([[begin + parts[0], *parts[1:]]]):
            described(row.structure)


LINES = st.sampled_from(
    [
        b"* LIST (", b"\\HasNoChildren", b") ", b'"/" ', b"NIL ", b'"&"', b'"&AMAAbw-"', b"INBOX", b"* SEARCH 1 2 x",
        b'* ESEARCH (TAG "a") UID ALL ', b"1:4294967295", b"1,2:*", b"* VANISHED (EARLIER) ", b"0",
        b"* OK [UIDVALIDITY ",
        b"* OK [HIGHESTMODSEQ ", b"* 7 EXISTS", b"* FLAGS (", b"* OK [PERMANENTFLAGS (",
        b"99999999999999999999999", b"]",
    ]
)  # fmt: skip


@FUZZ
@given(st.lists(LINES | st.binary(max_size=6), min_size=1).map(b"".join))
def test_any_other_answer_is_read_or_called_broken(line: bytes) -> None:
    with contextlib.suppress(Broken):
        answers.folder_info([line])
        answers.vanished([[line]])
        answers.flag_rows([[line]])
        list(zip(range(1000), answers.searched([[line]]), strict=False))
