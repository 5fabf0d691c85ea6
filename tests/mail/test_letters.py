"""Letters are decoded as written, whatever the mail says about its charset."""

from __future__ import annotations

import base64
import random

import pytest

from app.mail.charset import codec, decoded
from app.mail.child import MailParser
from app.mail.headers import Headers, decoded_words
from app.mail.parse import MailSource, parse
from app.searchable import searchable


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("UTF-8 ", "utf-8"),
        ("'utf8'", "utf-8"),
        ("iso-8859-1", "windows-1252"),
        ("latin-1", "windows-1252"),
        ("us-ascii", "utf-8"),
        ("win-1251", "windows-1251"),
        ("cp936", "gb18030"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("x-sjis", "cp932"),
        ("big5-hkscs", "cp950"),
        ("unicode-1-1-utf-7", "utf-7"),
        ("hz-gb-2312", "hz"),
        ("iso-8859-8-i", "iso8859-8"),
        ("x-user-defined", None),
        ("unknown-8bit", None),
        ("hex", None),
        ("idna", None),
    ],
)
def test_a_label_has_the_meaning_of_browsers(label: str, expected: str | None) -> None:
    assert codec(label) == expected


@pytest.mark.parametrize(
    ("written", "made_with", "label"),
    [
        ("價格碁裏 120 €", "cp950", "big5"),
        ("香港啲嘢", "big5hkscs", "big5"),
        ("①㈱ カタカナ ｶﾀｶﾅ", "cp932", "shift_jis"),
        ("한국어 뷁", "cp949", "euc-kr"),
        ("朱镕基", "gb18030", "gb2312"),
        ("“Señor” – 5 €", "cp1252", "iso-8859-1"),
        # bytes that are UTF-8 under another label
        ("Schöne Grüße, 20 €", "utf-8", "iso-8859-1"),
        ("Größe", "utf-8", "windows-1252"),
        ("Привет", "utf-8", "koi8-r"),
        ("你好，世界", "utf-8", "gb2312"),
        ("Größe", "utf-8", "gb2312"),
        # letters of the label that could be UTF-8
        ("CAFÉ» geschlossen", "latin-1", "iso-8859-1"),
        ("QUALITÉ\xa0: 1", "latin-1", "iso-8859-1"),
        ("Spaß”", "cp1252", "iso-8859-1"),
        ("Grüße aus Köln", "latin-1", "iso-8859-1"),
        # a label of the right language and the wrong charset
        ("注文番号です", "euc-jp", "iso-2022-jp"),
        ("注文番号です", "cp932", "iso-2022-jp"),
        ("ご注文", "iso2022_jp", "shift_jis"),
        # no label
        ("Вопрос о лампе", "cp1251", None),
        ("Вопрос о лампе", "koi8-r", None),
        ("客户邮件乱码", "gbk", None),
        ("제품 문의드립니다", "cp949", None),
        ("お見積り", "euc-jp", None),
        ("¿Qué tal, señor?", "latin-1", None),
        ("Tel. Café", "latin-1", None),
        ("Elle a été", "latin-1", "utf-8"),
    ],
)
def test_letters_come_out_as_they_were_written(written: str, made_with: str, label: str | None) -> None:
    assert decoded(written.encode(made_with), label) == written


@pytest.mark.parametrize(
    ("raw", "label", "expected"),
    [
        (b"\x1b$B3t<02q<R-j-!\x1b(B", "iso-2022-jp", "株式会社㈱①"),
        (b"\x1b(I6@6E\x1b(B \x1b$B0J>e\x1b(B", "iso-2022-jp", "ｶﾀｶﾅ 以上"),
        (b"\x0e6@6E\x0f ok", "iso-2022-jp", "ｶﾀｶﾅ ok"),
        (b"\xad\xa1\xa4\xa2", "euc-jp", "①あ"),
        (b"\xb5\xe3\x80 5", "gbk", "点€ 5"),
        (b"\xb1z\xa6n \xff\xff \xb1z\xa6n", "big5", "您好 \ufffd 您好"),
        (b"\xef\xbb\xbfhi \xc3\xa9", "utf-8", "hi é"),
        (b"\xff\xfeh\x00i\x00", "utf-16", "hi"),
    ],
)
def test_letters_that_pythons_codecs_lack_are_decoded(raw: bytes, label: str, expected: str) -> None:
    assert decoded(raw, label) == expected


def test_one_unknown_pair_of_big5_does_not_shift_the_others() -> None:
    raw = "您好請看".encode("big5") + b"\x81\x7e" + "價格".encode("big5")
    assert decoded(raw, "big5").endswith("價格")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?UTF-8?Q?Wie geht es weiter? Ger=C3=A4t W-200?=", "Wie geht es weiter? Gerät W-200"),
        ("=?utf-8?Q?Qu=C3=A9?=20tal?=", "Qué? tal"),
        ("=?utf-8?Q?a?=DE", "aDE"),
        ("=?utf-8?Q??= x", " x"),
        ("=?utf-8?Q?a == b?=", "a == b"),
        ("=?utf-8?B?w5xiZXJzaWNo", "Übersich"),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus=", "Grüße aus"),
        ("x =?utf-8?Q?open", "x =?utf-8?Q?open"),
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"),
        ("=?utf-8*de?Q?=C3=BC?=", "ü"),
        ("=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?ISO-2022-JP?B?GyRCM3Q8MDJxPFIbKEIbJEItai0hGyhC?=", "株式会社㈱①"),
        ("(=?utf-8?q?a?=) =?utf-8?q?b?= c =?utf-8?q?d?=", "(a) b c d"),
    ],
)
def test_encoded_words_are_read_as_real_programs_write_them(value: str, expected: str) -> None:
    assert decoded_words(value) == expected


def test_raw_letters_in_an_encoded_word_have_its_charset() -> None:
    headers = Headers("Subject: =?iso-8859-1?Q?K\xfcchen?= und Gr\xfc\xdfe\r\n".encode("latin-1"))
    assert headers.text("subject") == "Küchen und Grüße"
    assert Headers("Subject: =?iso-8859-1?Q?Küchen?=\r\n".encode()).text("subject") == "Küchen"


@pytest.mark.parametrize(("charset", "words"), [("koi8-r", "Счёт"), ("gbk", "报价单"), ("windows-1254", "Işık")])
@pytest.mark.parametrize("is_multipart", [False, True])
def test_raw_letters_in_a_header_have_the_charset_of_the_text(charset: str, words: str, is_multipart: bool) -> None:
    kind = f"text/plain; charset={charset}"
    body = "x"
    if is_multipart:
        body = (
            f'--b\r\nContent-Type: {kind}\r\n\r\nx\r\n--b\r\nContent-Disposition: attachment; filename="{words}.pdf"'
            "\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--"
        )
        kind = "multipart/mixed; boundary=b"
    raw = f"From: {words} <a@x.example>\r\nSubject: {words} 1\r\nContent-Type: {kind}\r\n\r\n{body}".encode(charset)
    mail = parse(raw)
    assert (mail.from_[0].name, mail.subject) == (words, f"{words} 1")
    assert [part.filename for part in mail.attachments] == ([f"{words}.pdf"] if is_multipart else [])


def test_a_subject_and_a_name_hold_nothing_that_turns_letters_round() -> None:
    mail = parse("Subject: a\u202egnp.exe\u2066 b\r\nFrom: A\u202eb <a@x.example>\r\n\r\nx".encode())
    assert (mail.subject, mail.from_[0].name) == ("agnp.exe b", "Ab")


@pytest.mark.parametrize("label", ["big5", "gbk", "iso-2022-jp", "utf-8", "iso-8859-1", "shift_jis", None])
def test_any_bytes_become_some_text(label: str | None) -> None:
    junk = random.Random(7).randbytes(200_000)
    for raw in (junk, junk + b"\x1b$B", b"\x1b$B!!\x1b(B" * 60_000, b"\x81\x40" * 100_000, b"\x81\x8d " * 60_000):
        assert decoded(raw, label).encode("utf-8")


@pytest.mark.parametrize("junk", ["=?a?q?", "=?a?b?", "?=AA", "=C3", "=?utf-8?q?a?= "])
def test_no_run_of_encoded_words_takes_for_ever(junk: str) -> None:
    assert isinstance(decoded_words("=?utf-8?Q?" + junk * 100_000), str)


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/html; charset=utf-8", "text/plain; charset=utf-16"])
@pytest.mark.parametrize("how", ["utf-16", "utf-16-be"])
def test_a_mark_of_byte_order_counts_more_than_the_label(kind: str, how: str) -> None:
    body = "\ufeff<p>Größe, Привет</p>" if how == "utf-16-be" else "<p>Größe, Привет</p>"
    raw = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
    assert "Größe, Привет" in parse(raw + base64.encodebytes(body.encode(how))).text


def test_letters_are_folded_one_by_one_or_together_to_the_same_words() -> None:
    ranges = ((0x20, 0x500), (0x590, 0x700), (0x900, 0xE80), (0x3040, 0x3100), (0x4E00, 0x5200), (0xAC00, 0xB000))
    letters = "".join(chr(code) for begin, end in (*ranges, (0x1F300, 0x1F600)) for code in range(begin, end))
    few = [letters[at : at + 50] for at in range(0, len(letters), 50)]
    assert " ".join(searchable(" ".join(few)).split()) == " ".join(" ".join(map(searchable, few)).split())


def test_a_long_text_in_chinese_is_read_in_its_time() -> None:
    words = "".join(chr(0x4E00 + number % 20_000) for number in range(400_000))
    raw = b"From: mia@roth.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + words.encode()
    with MailParser() as parser:
        [mail] = parser.parse([MailSource(raw, len(raw))])
    assert not mail.unreadable
    assert mail.text.startswith(words[:1000])
