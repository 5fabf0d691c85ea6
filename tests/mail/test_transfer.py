"""The content of a part is found, whatever its transfer encoding claims to be. Small and large mails give the same
result."""

from __future__ import annotations

import base64
import binascii

import pytest

from app.mail.mime import encoding_named
from app.mail.parse import parse
from app.mail.textstream import TextStream
from app.mail.transfer import decoded_part

WORDS = "Guten Tag, wo bleibt meine Lampe? Grüße aus Köln, Straße 5 – bitte um Antwort."
RAW = WORDS.encode()
LINES = base64.encodebytes(RAW)
FOOTER = b"\n_______________________________________________\nList mailing list\nhttps://list.example/info\n"


def streamed(raw: bytes, encoding: str, size: int) -> bytes:
    stream = TextStream(encoding, html=False)
    for at in range(0, len(raw), size):
        stream.feed(raw[at : at + size])
    stream.close()
    return stream.content


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # base64 that programs damaged
        (LINES, RAW),
        (LINES.replace(b"\n", b"\r\n"), RAW),
        (LINES.replace(b"=", b""), RAW),
        (LINES.replace(b"\n", b""), RAW),
        (LINES.replace(b"\n", b" \n"), RAW),
        (LINES.replace(b"\n", b"\n\n\n"), RAW),
        (b"> " + LINES.replace(b"\n", b"\n> "), RAW),
        (base64.urlsafe_b64encode("Größe?~ÿþ".encode()), "Größe?~ÿþ".encode()),
        (b"SGVsbG8s\nIHdv\ncmxk\n", b"Hello, world"),
        (b"SGVsbG8sIA==\nd29ybGQ=\n", b"Hello, world"),
        # text labelled as base64
        (RAW, RAW),
        (b"Hello, where is my lamp?\r\nMia\r\n", b"Hello, where is my lamp?\r\nMia\r\n"),
        (b"where is my lamp", b"where is my lamp"),
        (b"Danke", b"Danke"),
        (b"ok", b"ok"),
        (b"https://shop.example/order/4711", b"https://shop.example/order/4711"),
        (b"mia@customer.example", b"mia@customer.example"),
        (b"--\r\nMia", b"--\r\nMia"),
        ("Где мой заказ?".encode(), "Где мой заказ?".encode()),
        (b"<p>Where is my lamp?</p>", b"<p>Where is my lamp?</p>"),
        # text that a mailing list or a scanner added
        (LINES + FOOTER, RAW + b"\n" + FOOTER.lstrip()),
        (LINES + b"\n--\nThis mail was checked for viruses.\n", RAW + b"\n--\nThis mail was checked for viruses.\n"),
        (b"", b""),
    ],
)
def test_base64_is_undone_where_it_is_base64(raw: bytes, expected: bytes) -> None:
    assert decoded_part(raw, "base64", is_text=True).strip() == expected.strip()
    for size in (10_000, 300):
        assert streamed(raw, "base64", size).strip() == expected.strip()


@pytest.mark.parametrize("size", [76, 1000, 65_536])
def test_text_below_a_long_base64_is_kept_in_a_large_mail(size: int) -> None:
    long = RAW * 2_000
    found = streamed(base64.encodebytes(long) + FOOTER, "base64", size)
    assert found.startswith(long)
    assert b"List mailing list\nhttps://list.example/info" in found


def test_junk_within_the_base64_of_a_file_is_left_out() -> None:
    assert decoded_part(b"JVBE Ri0x\n!!LjQA /w==\n", "base64") == b"%PDF-1.4\x00\xff"
    assert decoded_part(b"Name;Price\nLamp;12,50\n", "base64") == b"Name;Price\nLamp;12,50\n"


def test_text_below_a_file_is_not_part_of_the_file() -> None:
    assert decoded_part(base64.encodebytes(b"%PDF-1.4\x00\xff") + FOOTER, "base64") == b"%PDF-1.4\x00\xff"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Gr=C3=BC=C3=9Fe", "Grüße".encode()),
        ("Grüße x=47".encode(), "Grüße x=47".encode()),
        ("Grüße, Breite=100 id=4711\n".encode(), "Grüße, Breite=100 id=4711\n".encode()),
        (b"width=100 a == b x=y", b"width=100 a == b x=y"),
        (b"https://x.example/?a=1&b=2", b"https://x.example/?a=1&b=2"),
        (b"a=3Db =\nc= \nd", b"a=b cd"),
        (b"a=3D=10", b"a=\x10"),
        (b"=1B$B$", b"\x1b$B$"),
    ],
)
def test_quoted_printable_is_undone_where_a_program_wrote_it(raw: bytes, expected: bytes) -> None:
    assert decoded_part(raw, "quoted-printable", is_text=True) == expected


def test_a_text_with_its_uuencoded_file_is_undone() -> None:
    line = binascii.b2a_uu(b"Hello, world")
    assert decoded_part(b"begin 644 a.txt\n" + line + b"`\nend\n", "uuencode") == b"Hello, world"
    assert decoded_part(b"begin-base64 644 a.txt\nSGVsbG8=\n====\n", "uuencode") == b"Hello"
    assert decoded_part(b"no file at all", "uuencode") == b"no file at all"
    assert decoded_part(b"we begin 10 minutes later", "x-uuencode") == b"we begin 10 minutes later"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("BASE64", "base64"),
        ('"base64"', "base64"),
        ("base64;", "base64"),
        ("base-64", "base64"),
        ("X-Base64", "base64"),
        ("b64", "base64"),
        ("(really) base64", "base64"),
        ("Quoted-Printable", "quoted-printable"),
        ("quoted_printable", "quoted-printable"),
        ("quotedprintable", "quoted-printable"),
        ("QP", "quoted-printable"),
        ("8-bit", "8bit"),
        ("", "7bit"),
        ("utf-8", "utf-8"),
    ],
)
def test_a_transfer_encoding_is_known_however_it_is_spelt(written: str, expected: str) -> None:
    assert encoding_named(written) == expected


@pytest.mark.parametrize("label", ["foo", "utf-8", "iso-8859-1", "mime", "encoded"])
def test_under_an_unknown_encoding_the_content_tells(label: str) -> None:
    assert decoded_part(RAW, label) == RAW
    assert decoded_part(LINES, label) == RAW
    assert decoded_part(b"Gr=C3=BC=\n=C3=9Fe", label) == "Grüße".encode()
    assert decoded_part(b"a=b", label) == b"a=b"


@pytest.mark.parametrize("label", ["base64", "quoted-printable", "x-uuencode", "foo"])
def test_a_mail_with_a_false_label_is_readable(label: str) -> None:
    mail = parse(
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {label}\r\n\r\n".encode() + RAW
    )
    assert (mail.text.strip(), mail.unreadable) == (WORDS, False)


@pytest.mark.parametrize("label", ["base64", "quoted-printable", "uuencode", "foo"])
@pytest.mark.parametrize("junk", [b"=", b"a b\n", b"A" * 77 + b"\n", b"begin 644 x\n", b"!", b"\xff", b"-\n"])
def test_no_content_takes_for_ever(label: str, junk: bytes) -> None:
    raw = junk * (1_000_000 // len(junk))
    assert isinstance(decoded_part(raw, label, is_text=True), bytes)
    assert isinstance(streamed(raw, label, 65_536), bytes)
