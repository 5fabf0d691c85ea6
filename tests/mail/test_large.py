"""A large mail gives the same result as a small one, and all of its text is read.

On a real Dovecot, which fills in missing values and cuts names at a space."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from app.mail import textstream
from app.mail.imap import ImapSession
from app.mail.parse import MailSource, ParsedMail, parse
from app.mail.textstream import TextStream
from app.mail.transfer import decoded_part
from app.searchable import searchable
from tests.dovecot import Account
from tests.mail.letters import letter
from tests.mail.test_calendar import BERLIN
from tests.mail.test_content import INNER, REPORT
from tests.vectors import places_of

#: Beside one of these, small or large, everything else gives the same result.
SMALL, LARGE = (letter("application/pdf; name=a.pdf", b"x" * size, how="base64") for size in (10, 300_000))
KOI8 = '<html><head><meta charset="koi8-r"></head><body>Привет</body></html>'
ODDITIES: dict[str, list[bytes]] = {
    "charset in meta only": [letter("text/html", KOI8.encode("koi8-r"))],
    "no charset": [letter("text/plain", "Grüße".encode("latin-1"))],
    "no charset, utf-8": [letter("text/plain", "Grüße".encode())],
    "us-ascii that is utf-8": [letter("text/plain; charset=us-ascii", "Grüße".encode(), how="quoted-printable")],
    "no type at all": [b"Content-Type: text charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"],
    "wrong charset": [letter("text/plain; charset=utf-8", "Grüße – Köln".encode("cp1252"))],
    "unknown charset": [letter("text/plain; charset=x-unknown", "Señor".encode("latin-1"))],
    "no content type": [b"\r\nJust text.\r\n"],
    "name with spaces": [
        letter("text/plain", b"x"),
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=Bill 4711 (Copy).pdf\r\n\r\nx\r\n",
    ],
    "encoded name": [letter('application/pdf; name="=?utf-8?Q?Z=C3=A4hler.pdf?="', b"x"), letter("text/plain", b"x")],
    "name in sections": [
        letter(
            "application/pdf",
            b"x",
            content_disposition="attachment; filename*0*=utf-8''Angebot%20f%C3%BCr; filename*1*=%20W.pdf",
        )
    ],
    "named text alone": [letter("text/plain; name=msg.txt", b"The only words.")],
    "named text beside text": [letter("text/plain", b"Words."), letter("text/plain; name=log.txt", b"log")],
    "empty text, then named": [letter("text/plain", b"\r\n"), letter("text/plain; name=msg.txt", b"The only words.")],
    "inline text, then a footer": [
        letter("text/plain", b"The only words.", content_disposition="inline; filename=msg.txt"),
        letter("text/plain", b"_______________________\nLamps mailing list\n"),
    ],
    "named text, then a footer": [
        letter("text/plain; name=msg.txt", b"The only words."),
        letter("text/plain", b"_______________________\nLamps mailing list\n"),
    ],
    "amp alone": [letter("multipart/alternative", letter("text/x-amp-html", b"<p>Parcel 7788</p>"))],
    "amp beside an empty text": [
        letter("multipart/alternative", letter("text/plain", b""), letter("text/x-amp-html", b"<p>Parcel 7788</p>"))
    ],
    "enriched": [letter("text/enriched", b"<bold>Parcel</bold> 7788")],
    "flowed": [letter("text/plain; format=flowed", b"This was wrapped \r\nfor the way.\r\n")],
    "bare equals signs": [
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na == b=20c\r\n"
    ],
    "base64 with junk": [b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVs\r\n!!bG8=\r\n"],
    "invitation": [letter("text/calendar; method=REQUEST; charset=utf-8", BERLIN.encode())],
    "attached mail": [letter("text/plain", b"See below."), letter("message/rfc822", INNER)],
    "mail as a file": [
        letter("text/plain", b"See below."),
        letter("application/octet-stream", INNER, how="base64", content_disposition="attachment; filename=a.eml"),
    ],
    "attached mail alone": [letter("message/rfc822", INNER)],
    "report": [letter("text/plain", b"It failed."), letter("message/delivery-status", REPORT)],
    "alternative": [
        letter(
            "multipart/alternative",
            letter("text/plain", b"stub"),
            letter("text/x-amp-html", b"<p>amp"),
            letter("text/html", b"<p>Parcel 7788</p>"),
        )
    ],
    "description": [letter("application/octet-stream", b"x", content_description="Note 88.docx")],
}


@pytest.fixture
def session(account: Account) -> Iterator[ImapSession]:
    with account.open() as opened:
        opened.select("INBOX")
        yield opened


def fetched(account: Account, session: ImapSession, raw: bytes) -> ParsedMail:
    """The mail as the sync reads it."""
    uid = account.append(raw)
    session.select("INBOX")
    (found,) = session.fetch([uid])
    assert found.complete == (len(raw) <= 256 * 1024)
    return parse(MailSource(found.raw, found.size, found.outline))


def is_found(parsed: ParsedMail, words: str) -> bool:
    return set(searchable(words).split()) <= places_of(parsed.searched).keys()


def test_whatever_is_odd_is_read_alike_in_small_and_large_mails(account: Account, session: ImapSession) -> None:
    for name, parts in ODDITIES.items():
        small, large = (
            fetched(account, session, letter("multipart/mixed", *parts, file, subject="Odd")) for file in (SMALL, LARGE)
        )
        for field in ("text", "html", "preview", "searched"):
            assert (name, getattr(large, field)) == (name, getattr(small, field))
        told = [[(p.number, p.filename, p.type, p.encoding) for p in one.attachments] for one in (small, large)]
        assert (name, told[0]) == (name, told[1])


def test_words_behind_a_pasted_screenshot_are_read(account: Account, session: ImapSession) -> None:
    for size in (225_000, 900_000, 6_000_000):
        picture = base64.b64encode(bytes(range(250)) * (size // 250)).decode()
        pasted = f'<img alt="screen" src="data:image/png;base64,{picture}">'
        html = f"<p>My screen shows this:</p>{pasted}<p>Cancel HB-99999.</p>"
        for how in ("8bit", "base64", "quoted-printable"):
            raw = letter(
                "multipart/mixed", letter("text/html; charset=utf-8", html.encode(), how=how), subject="Screen"
            )
            parsed = fetched(account, session, raw)
            assert "Cancel HB-99999." in parsed.text
            assert is_found(parsed, "hb 99999")
            assert not parsed.truncated
            assert (picture in (parsed.html or "")) == (size < 1_000_000)


def test_the_last_line_of_a_long_log_is_read_and_found(account: Account, session: ImapSession) -> None:
    line = "2026-11-30 12:{m:02d}:{s:02d} worker {n:x}f served /path/{n} in {ms} ms\r\n"
    log = "".join(line.format(m=n // 60 % 60, s=n % 60, n=n, ms=n % 977) for n in range(5000))
    parsed = fetched(
        account, session, letter("text/plain", (log + "Please call me back: Zebulon.\r\n").encode(), subject="Log")
    )
    assert parsed.text.count("\n") == 5000
    assert parsed.text.endswith("Please call me back: Zebulon.")
    assert is_found(parsed, "zebulon 1387f 4999")
    assert not parsed.truncated


def test_a_newsletter_of_two_thousand_articles_is_read_to_its_end(account: Account, session: ImapSession) -> None:
    article = (
        "<h2>Article {0}</h2><p style='color:#333;font-family:Arial'>"
        + "Some words of it. " * 90
        + "</p><a href='https://x.example/{0}'>on</a><hr>"
    )
    html = "".join(article.format(n) + "\n" for n in range(2000))
    parsed = fetched(
        account,
        session,
        letter("text/html; charset=utf-8", f"{html}<p>Unsubscribe: Quagga</p>".encode(), subject="News"),
    )
    assert "Article 1999" in parsed.text
    assert parsed.text.endswith("Unsubscribe: Quagga")
    assert is_found(parsed, "quagga 1999")
    assert not parsed.truncated


def test_a_mail_that_is_longer_still_says_so(account: Account, session: ImapSession) -> None:
    lines = b"".join(b"%08d and some more words in this line of the text\r\n" % n for n in range(180_000))
    parsed = fetched(account, session, letter("text/plain", lines, subject="Endless"))
    assert parsed.truncated
    assert 3_900_000 < len(parsed.text) <= 4_000_000


PIECES = [1, 7, 64, 4096]


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize("how", ["8bit", "base64", "quoted-printable"])
def test_a_text_is_the_same_whatever_the_pieces_are(size: int, how: str) -> None:
    html = '<p>Grüße</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><p>a=b data:image/x data:</p>' + "x" * 300
    raw = letter("text/html", html.encode(), how=how).split(b"\r\n\r\n", 1)[1]  # type: ignore[arg-type]  # the three it knows
    for room, kept in ((1000, html), (10, html.replace("R0lGODlhAQABAAAAACw=", ""))):
        stream = TextStream(how, html=True, pictures=room)
        for at in range(0, len(raw), size):
            stream.feed(raw[at : at + size])
        stream.close()
        assert stream.content.decode().rstrip() == kept
    assert decoded_part(raw, how).decode().rstrip() == html
    assert textstream.MOST_TEXT > 4_000_000


@pytest.mark.parametrize(
    "boundaries",
    [("abc", "xyz", "xyz"), ("abc", "abc", None), ("abc", "abc", "abd"), ("abc", "abc_1", "abc_1"), ("", "x", "x")],
)
def test_a_large_mail_with_a_wrong_boundary_is_read_whole(
    account: Account, session: ImapSession, boundaries: tuple[str, str, str | None]
) -> None:
    announced, used, last = boundaries
    parts = (letter("text/plain; charset=utf-8", "Größe XL".encode()), LARGE)
    body = b"".join(f"--{used}\r\n".encode() + part + b"\r\n" for part in parts)
    body += f"--{last}--\r\n".encode() if last else b""
    uid = account.append(f"Subject: Odd\r\nContent-Type: multipart/mixed; boundary={announced}\r\n\r\n".encode() + body)
    session.select("INBOX")
    (found,) = session.fetch([uid])
    parsed = parse(MailSource(found.raw, found.size, found.outline))
    assert parsed.text.strip() == "Größe XL"
    assert [part.filename for part in parsed.attachments] == ["a.pdf"]
    assert session.fetch_part(uid, parsed.attachments[0].number).startswith(b"xxxx")


@pytest.mark.parametrize(
    ("charset", "label", "words", "name"),
    [
        ("koi8-r", "; charset=koi8-r", "Добрый день", 'filename="Счёт 4711.pdf"'),
        ("koi8-r", "", "Добрый день, прошу прислать счёт за лампу.", 'filename="Счёт за лампу.pdf"'),
        ("gbk", "; charset=gb2312", "您好", 'filename="报价单.pdf"'),
        ("cp1250", "", "Dzień dobry, proszę o fakturę za ostatnie zamówienie.", 'filename="Zażółć gęślą.pdf"'),
        ("cp1254", "; charset=windows-1254", "Merhaba", 'filename="Işık.pdf"'),
        ("utf-8", "; charset=utf-8", "Hello", "filename*=koi8-r''%F3%DE%A3%D4.pdf"),
        ("utf-8", "; charset=utf-8", "Hello", "filename*0*=windows-1251''%D1%F7; filename*1*=%B8%F2.pdf"),
        ("utf-8", "; charset=utf-8", "Hello", 'filename="=?koi8-r?B?896j1A==?=.pdf"'),
        ("utf-8", "; charset=utf-8", "Hello", 'filename="=?koi8-r?Q?=F3=DE=A3=D4?=.pdf"'),
        ("utf-8", "; charset=utf-8", "Hello", 'filename="Größe 5.pdf"'),
    ],
)
def test_the_name_of_a_file_is_read_alike_in_small_and_large_mails(
    account: Account, session: ImapSession, charset: str, label: str, words: str, name: str
) -> None:
    names = []
    for size in (10, 300_000):
        body = (
            f"Subject: {words}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            f"Content-Type: text/plain{label}\r\n\r\n{words}\r\n--b\r\nContent-Type: application/pdf\r\n"
            f"Content-Disposition: attachment; {name}\r\n\r\n"
        ).encode(charset)
        parsed = fetched(account, session, body + b"x" * size + b"\r\n--b--\r\n")
        assert (parsed.subject, parsed.text.strip()) == (words, words)
        names += [part.filename for part in parsed.attachments]
    assert names[0] == names[1]
    assert names[0] == (name.split('"')[1] if '"' in name and "=?" not in name else "Счёт.pdf")
