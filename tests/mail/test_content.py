"""The text of a mail is what is searched and previewed: which parts are text, which are files, and their content."""

from __future__ import annotations

from typing import Any

import pytest

from app.mail.parse import ParsedMail, parse
from app.searchable import searchable
from tests.mail.letters import letter
from tests.vectors import words_of

PDF = letter("application/pdf; name=r.pdf", b"%PDF-1.4", how="base64", content_disposition="attachment")


def mail(kind: str, *content: bytes | str, **fields: Any) -> ParsedMail:
    """A whole mail, parsed."""
    raw = [part if isinstance(part, bytes) else part.encode() for part in content]
    return parse(letter(kind, *raw, subject="Hello", **fields))


def text(words: str, kind: str = "text/plain", **fields: Any) -> bytes:
    return letter(f"{kind}; charset=utf-8", words.encode(), **fields)


def names(parsed: ParsedMail) -> list[str]:
    return [part.filename for part in parsed.attachments]


def is_found(parsed: ParsedMail, words: str) -> bool:
    """Whether these words are found in this order by a search."""
    return " ".join(searchable(words).split()) in " ".join(words_of(parsed.searched))


HTML = "text/html"
ORDER = b"Order 77"


def placed(disposition: str, name: str, words: bytes = ORDER, kind: str = "text/plain") -> bytes:
    return letter(kind, words, content_disposition=f'{disposition}; filename="{name}"')


@pytest.mark.parametrize(
    ("raw", "words", "files"),
    [
        (placed("inline", "a.htm", b"<p>Order 77</p>", HTML), "Order 77", ["a.htm"]),
        (placed("attachment", "a.txt"), "Order 77", ["a.txt"]),
        (letter("text/plain; name=a.txt", ORDER), "Order 77", ["a.txt"]),
        ([placed("inline", "m.txt"), PDF], "Order 77", ["m.txt", "r.pdf"]),
        ([PDF, placed("attachment", "m.txt")], "Order 77", ["r.pdf", "m.txt"]),
        ([placed("attachment", "l.txt", b"log"), placed("inline", "m.txt")], "Order 77", ["l.txt", "m.txt"]),
        ([text("See file."), text("log line", "text/plain; name=l.txt")], "See file.", ["l.txt"]),
        ([text("log line", "text/plain; name=l.txt"), text("See file.")], "See file.", ["l.txt"]),
        ([text(" \r\n"), placed("inline", "m.txt")], "Order 77", ["m.txt"]),
        ([text("<html><body>&nbsp;</body></html>", HTML), placed("inline", "m.txt")], "Order 77", ["m.txt"]),
        (letter("text/markdown", b"# Order 77"), "# Order 77", []),
    ],
)
def test_named_text_is_the_body_exactly_where_no_other_text_is(
    raw: bytes | list[bytes], words: str, files: list[str]
) -> None:
    parsed = parse(raw) if isinstance(raw, bytes) else mail("multipart/mixed", *raw)
    assert (parsed.text.strip(), parsed.preview, names(parsed)) == (words, words, files)
    assert is_found(parsed, words)


FOOTER = "_______________________________________________\nLamps mailing list\nlamps@lists.example\n"
DISCLAIMER = (
    "<hr><p>This message is confidential and intended only for the named recipient. If you have received it in error, "
    "notify the sender and delete it from your system at once, with all of its attachments.</p>"
)


@pytest.mark.parametrize(
    ("parts", "words", "files"),
    [
        ([placed("inline", "m.txt"), text(FOOTER)], ["Order 77", "Lamps mailing list"], ["m.txt"]),
        ([text(FOOTER), placed("inline", "m.txt")], ["Lamps mailing list", "Order 77"], ["m.txt"]),
        ([text("CAUTION: external mail."), placed("inline", "m.txt")], ["CAUTION", "Order 77"], ["m.txt"]),
        ([text("Before"), placed("inline", "m.txt"), text("After")], ["Before", "Order 77", "After"], ["m.txt"]),
        ([letter("text/plain; name=m.txt", ORDER), text(FOOTER)], ["Order 77", "Lamps mailing list"], ["m.txt"]),
        ([placed("attachment", "m.txt"), text(DISCLAIMER, HTML)], ["Order 77", "confidential"], ["m.txt"]),
        ([text("Order 77"), text(DISCLAIMER, HTML)], ["Order 77", "confidential"], []),
        ([placed("inline", "m.htm", b"<p>Order 77</p>", HTML), text("-- \nLamps Ltd")], ["Order 77", "Ltd"], ["m.htm"]),
        ([placed("inline", "m.txt"), placed("inline", "note.htm", DISCLAIMER.encode(), HTML)],
         ["Order 77", "confidential"], ["m.txt", "note.htm"]),
    ],
)  # fmt: skip
def test_inline_text_is_shown_beside_footers_and_disclaimers(
    parts: list[bytes], words: list[str], files: list[str]
) -> None:
    parsed = mail("multipart/mixed", *parts)
    places = [parsed.text.index(word) for word in words]
    assert places == sorted(places)
    assert (names(parsed), all(is_found(parsed, word) for word in words)) == (files, True)


def test_a_long_file_placed_inline_stays_a_file() -> None:
    parsed = mail("multipart/mixed", text("See the log."), placed("inline", "l.txt", b"log line\n" * 10_000))
    assert (parsed.text.strip(), names(parsed)) == ("See the log.", ["l.txt"])


def test_both_forms_of_a_named_alternative_are_the_body() -> None:
    forms = [placed("inline", "m.txt"), placed("inline", "m.htm", b"<b>Order 77</b>", HTML)]
    parsed = mail("multipart/mixed", letter("multipart/alternative", *forms), PDF)
    assert (parsed.text, parsed.html) == ("Order 77", "<b>Order 77</b>")
    assert names(parsed) == ["m.txt", "m.htm", "r.pdf"]


def test_words_of_both_forms_are_found_and_the_preview_is_of_the_form_that_is_shown() -> None:
    forms = [text("Needs an HTML program. Only here."), text("<p>Parcel <b>778899-XY</b> is here</p>", HTML)]
    parsed = mail("multipart/alternative", *forms)
    assert parsed.preview == "Parcel 778899-XY is here"
    for words in ("only here", "778899-XY is here"):
        assert is_found(parsed, words)


def test_equal_forms_are_searched_once() -> None:
    parsed = mail("multipart/alternative", text("Order 77 is here."), text("<p>Order <b>77</b> is here.</p>", HTML))
    assert words_of(parsed.searched) == ["order", "77", "is", "here"]


@pytest.mark.parametrize(
    "plain", ["<p>Dear Ana,</p><br>Your <b>bill</b>", "<div>Dear Ana,</div>\r\n<div>Your bill</div>"]
)
def test_tags_in_the_plain_form_are_no_text(plain: str) -> None:
    parsed = mail("multipart/alternative", text(plain), text("<p>Dear Ana,</p><p>Your <b>bill</b></p>", HTML))
    assert (parsed.text, parsed.preview) == ("Dear Ana,\n\nYour bill", "Dear Ana, Your bill")
    assert words_of(parsed.searched) == ["dear", "ana", "your", "bill"]


@pytest.mark.parametrize("seen", ["<div>&nbsp;</div>", '<img src="https://t.example/o.gif" width="1" height="1">'])
def test_where_the_html_shows_nothing_the_plain_form_is_read(seen: str) -> None:
    page = f"<html><head><title>x</title></head><body>{seen}</body></html>"
    parsed = mail("multipart/alternative", text("Order 77 is here."), text(page, HTML))
    assert (parsed.html_form, parsed.html, parsed.preview) == ("none", None, "Order 77 is here.")


def test_html_of_pictures_stays_beside_a_plain_form() -> None:
    page = '<img src="https://t.example/o.png" width="600">'
    assert mail("multipart/alternative", text("See the web page."), text(page, HTML)).html_form == "shown"


@pytest.mark.parametrize("kind", ["plain/text", "text", "Text/Plain; x"])
@pytest.mark.parametrize("encoding", ['"quoted-printable"', "Quoted-Printable (by a script)", " quoted-printable;"])
def test_labels_that_scripts_misspell_are_understood(kind: str, encoding: str) -> None:
    raw = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\nGr=C3=BC=C3=9Fe"
    assert parse(raw.encode()).text == "Grüße"


def test_html_that_says_it_is_plain_is_shown_as_html() -> None:
    assert mail("text/plain", "<!DOCTYPE html><html><body><p>Hi</p></body></html>").text == "Hi"
    assert mail("text/plain", "Write <html> at the top.").html is None


@pytest.mark.parametrize("kind", ["text/x-amp-html", "text/watch-html"])
def test_forms_for_other_programs_are_no_files(kind: str) -> None:
    forms = [text("Tomorrow."), text("<html amp4email></html>", kind), text("<p>Tomorrow.</p>", HTML)]
    assert names(mail("multipart/alternative", *forms)) == []
    assert names(mail("multipart/mixed", text("Look"), text("<p>x</p>", kind))) == ["attachment"]


AMP = (
    '<!doctype html><html amp4email><head><meta charset="utf-8"><script async src="https://cdn.ampproject.org/v0.js">'
    "</script><style amp4email-boilerplate>body{visibility:hidden}</style><style amp-custom>p{color:red}</style></head>"
    "<body><p>Parcel 7788 is here.</p></body></html>"
)
ENRICHED = "<bold>Parcel 7788</bold>\nis <color><param>red</param>here</color>.\n\nIt is 3 << 4."
RICHTEXT = "<bold>Parcel 7788</bold>\nis here.<nl>It is 3 <lt> 4.<comment>no</comment>"


@pytest.mark.parametrize(
    ("kind", "words", "read"),
    [
        ("text/x-amp-html", AMP, "Parcel 7788 is here."),
        ("text/watch-html", "<b>Parcel 7788</b> is here.", "Parcel 7788 is here."),
        ("text/enriched", ENRICHED, "Parcel 7788 is here.\nIt is 3 < 4."),
        ("text/richtext", RICHTEXT, "Parcel 7788 is here.\nIt is 3 < 4."),
        ("text/markdown", "**Parcel 7788** is here.", "**Parcel 7788** is here."),
        ("text/x-setext", "Parcel 7788 is here.", "Parcel 7788 is here."),
    ],
)
def test_a_mail_with_only_another_type_of_text_is_not_empty(kind: str, words: str, read: str) -> None:
    form = text(words, kind)
    for parsed in (
        parse(letter(f"{kind}; charset=utf-8", words.encode(), subject="Hello")),
        mail("multipart/alternative", form),
        mail("multipart/alternative", text(""), form),
        mail("multipart/alternative", form, text("\r\n")),
        mail("multipart/alternative", text(" \r\n"), form, text("<html><body></body></html>", HTML)),
        mail("multipart/mixed", letter("multipart/alternative", text(""), form), PDF),
    ):
        assert (parsed.text.strip(), names(parsed)) == (read, [p for p in names(parsed) if p == "r.pdf"])
        assert is_found(parsed, "Parcel 7788")


def test_of_several_forms_for_other_programs_the_words_are_shown_once() -> None:
    forms = [text("", "text/plain"), text("<p>Parcel</p>", "text/watch-html"), text(AMP, "text/x-amp-html")]
    assert mail("multipart/alternative", *forms).text == "Parcel 7788 is here."


@pytest.mark.parametrize("kind", ["text/vcard", "text/rtf", "text/x-vcard", "text/css"])
def test_text_for_programs_is_a_file(kind: str) -> None:
    parsed = mail("multipart/mixed", text(""), text("BEGIN", kind))
    assert (parsed.text.strip(), len(parsed.attachments)) == ("", 1)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<select><option>Austria<option>Belgium</select>Chosen: Chile", "Chosen: Chile"),
        ("<iframe>no frames</iframe><noframes>old</noframes><xmp><b>x</b></xmp><noscript>js</noscript>Text", "Text"),
        ("<title>Template v3</title><p>Dear Eva</p>", "Dear Eva"),
        ("<pre>one\n  two\n</pre>three", "one\ntwo\n\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ('<img src="https://x.example/a.png" alt="Your parcel arrives &amp; waits">', "Your parcel arrives & waits"),
        ("a<table><tr><td>b</td><td>c</td></tr></table>", "a\n\nb c"),
        ("1 &lt; 2 &amp;amp; 3", "1 < 2 &amp; 3"),
    ],
)
def test_the_text_of_html_is_the_visible_text(html: str, words: str) -> None:
    assert mail("text/html; charset=utf-8", html).text == words


def test_a_preview_has_no_filler_and_no_quote() -> None:
    filler = "<div>Your parcel" + "&zwnj;&nbsp;&#847; &shy;" * 60 + "</div><p>Hi Ana</p>"
    assert mail("text/html; charset=utf-8", filler).preview == "Your parcel Hi Ana"
    assert mail("text/plain; charset=utf-8", "Rech\u00adnung می\u200cخواهم").preview == "Rechnung می\u200cخواهم"
    introduced = '<div class="gmail_attr">On Mon, Nov 3, 2026 at 10:00 AM Ana &lt;ana@x.example&gt; wrote:</div>'
    quoted = f'<div class="gmail_quote">{introduced}<blockquote class="gmail_quote">Really?</blockquote></div>'
    parsed = mail("text/html; charset=utf-8", f"<div>Yes.</div>{quoted}")
    assert parsed.preview == "Yes."
    assert is_found(parsed, "really")


# other parts of a mail -------------------------------------------------------------------------------------------

INNER = b"From: Pia <pia@x.example>\r\nSubject: Complaint W/200\r\n\r\nThe scale: membrane broken.\r\n"


def test_an_attached_mail_is_named_by_its_subject_and_its_words_are_found() -> None:
    parsed = mail("multipart/mixed", text("See below."), letter("message/rfc822", INNER))
    assert names(parsed) == ["Complaint W-200.eml"]
    assert parsed.text == "See below."
    for words in ("membrane broken", "pia@x.example", "Complaint W/200"):
        assert is_found(parsed, words)


def test_an_attached_mail_is_shown_where_a_mail_has_no_words_of_its_own() -> None:
    parsed = mail("multipart/mixed", text("\r\n"), letter("message/rfc822", INNER))
    assert parsed.text == "From: Pia <pia@x.example>\nSubject: Complaint W/200\n\nThe scale: membrane broken."
    assert parsed.preview.endswith("membrane broken.")


@pytest.mark.parametrize(
    "media_type", ["application/octet-stream", "message/news", "message/partial; number=1; total=2"]
)
def test_an_attached_mail_is_found_by_whatever_name_its_type_goes(media_type: str) -> None:
    file = letter(media_type, INNER, how="base64", content_disposition='attachment; filename="Complaint.EML"')
    parsed = mail("multipart/mixed", text("See below."), file)
    assert names(parsed) == ["Complaint.EML"]
    for words in ("membrane broken", "pia@x.example", "Complaint W/200"):
        assert is_found(parsed, words)
    assert parsed.text == "See below."


def test_pieces_of_a_mail_that_was_sent_in_pieces_are_shown() -> None:
    first = mail('message/partial; id="a@x"; number=1; total=2', INNER)
    assert first.text.endswith("Subject: Complaint W/200\n\nThe scale: membrane broken.")
    second = mail('message/partial; id="a@x"; number=2; total=2', b"The belt: torn.\r\nThe rest is well.\r\n")
    assert second.text == "The belt: torn.\nThe rest is well."


def test_mails_attached_in_each_other_end_somewhere() -> None:
    raw = INNER
    for _ in range(40):
        raw = letter("multipart/mixed", letter("message/rfc822", raw), subject="Fwd")
    parsed = parse(raw)
    assert not parsed.unreadable
    assert names(parsed) == ["Fwd.eml"]


REPORT = b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; gone@x.example\r\nStatus: 5.1.1\r\n"


def test_reports_have_names_and_their_words_are_found() -> None:
    parts = [letter("message/delivery-status", REPORT), letter("text/rfc822-headers", b"Message-ID: <lost@x>\r\n")]
    parsed = mail("multipart/report; report-type=delivery-status", text("It failed."), *parts)
    assert names(parsed) == ["delivery-status.txt", "headers.txt"]
    assert parsed.text == "It failed."
    assert is_found(parsed, "gone@x.example")
    assert "gone@x.example" in mail("message/delivery-status", REPORT).text


@pytest.mark.parametrize(
    ("fields", "kind", "name"),
    [
        ({"content_description": "Delivery note 88.docx"}, "application/octet-stream", "Delivery note 88.docx"),
        ({"content_description": "=?utf-8?Q?Z=C3=A4hler?="}, "application/pdf", "Zähler.pdf"),
        ({}, "message/rfc822", "attachment.eml"),
        ({}, "application/pdf", "attachment.pdf"),
    ],
)
def test_a_file_without_a_name_is_named_after_its_type(fields: dict[str, Any], kind: str, name: str) -> None:
    assert names(
        mail("multipart/mixed", text("x"), letter(kind, b"x", content_disposition="attachment", **fields))
    ) == [name]


# odd encodings and parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("if (a == b) return; x===y", "if (a == b) return; x===y"),
        ("a =3D b=\r\nc = d", "a = bc = d"),
        ("100 =\r\n% =E2=82=AC =", "100 % € "),
        ("==\r\n==20x =zz", "== x =zz"),
        ("Scale W-2= \t\r\n00 is = \r\nbroken= ", "Scale W-200 is broken"),
    ],
)
def test_a_bare_equals_sign_stays(written: str, read: str) -> None:
    raw = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{written}"
    assert parse(raw.encode()).text == read


@pytest.mark.parametrize(
    ("raw", "subject", "words"),
    [
        ("Just a text.\n\nAnd more: of it.", "", "Just a text.\n\nAnd more: of it."),
        ("Just a text without an end", "", "Just a text without an end"),
        (" Subject: Late\nTo: x@x.example\n\nHi", "Late", "Hi"),
        ("\tSubject: Late\n\nHi", "Late", "Hi"),
        ("", "", ""),
    ],
)
def test_a_mail_without_a_proper_header_keeps_its_text(raw: str, subject: str, words: str) -> None:
    parsed = parse(raw.encode())
    assert (parsed.subject, parsed.text) == (subject, words)


@pytest.mark.parametrize("kind", ["multipart/*", "multipart/mixed", "MULTIPART/Mixed"])
@pytest.mark.parametrize("after", ["", " ", " part 2", "\t(text)"])
def test_parts_are_found_behind_odd_delimiters(kind: str, after: str) -> None:
    body = (
        f"--b{after}\r\n\r\nhello\r\n--b{after}\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n--b--{after}\r\nend"
    )
    parsed = parse(f"Content-Type: {kind}; boundary=b\r\n\r\n{body}".encode())
    assert (parsed.text, names(parsed)) == ("hello", ["a.png"])


@pytest.mark.parametrize("name", ["order.htm", "ORDER.HTML", "note.txt"])
def test_a_text_that_only_its_name_tells_is_shown_if_it_is_all_there_is(name: str) -> None:
    page = "Parcel 7788" if name.endswith("txt") else "<html><body><p>Parcel 7788</p></body></html>"
    file = text(page, f'application/octet-stream; name="{name}"')
    alone, beside = mail("multipart/mixed", text(""), file), mail("multipart/mixed", text("Hello"), file)
    assert (alone.text, names(alone)) == ("Parcel 7788", [name])
    assert (beside.text, names(beside)) == ("Hello", [name])
