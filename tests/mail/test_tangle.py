"""The cost of one mail: shapes made to be costly are recognised before parsing, or ended at a limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.mail.child import MailParser
from app.mail.parse import MailSource, identified, parse, unreadable
from app.mail.safe_html import clean
from app.mail.shown import shown_body
from app.mail.tangle import is_tangled
from local.sample.hostile import FORMATTING, hostile_html, hostile_mails

_TANGLED = [
    *(f"{tag} and p" for tag in FORMATTING),
    "formatting without blocks", "formatting, then blocks", "formatting ended in the wrong order", "links in links",
    "blocks in blocks", "styled blocks in blocks", "quotes in quotes", "lists in lists", "tables in tables",
    "formatting in tables in tables", "formulas", "selections", "templates", "attributes", "attributes without spaces",
    "ampersands", "references", "begins without names", "declarations", "ends without begins",
]  # fmt: skip


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.mark.parametrize("name", _TANGLED)
def test_html_that_grows_in_a_parser_is_recognised_by_its_tags(name: str) -> None:
    assert is_tangled(hostile_html()[name])
    assert shown_body("words", hostile_html()[name], {}).form == "tangled"


@pytest.mark.parametrize(
    "html",
    [
        "<p>one line<br>" * 3_000,
        "<ul>" + "<li>one" * 3_000 + "</ul>",
        "<dl>" + "<dt>a<dd>b" * 2_000 + "</dl>",
        "<table>" + "<tr><td>a<td>b<td>c" * 2_000 + "</table>",
        "<table>" + "<tr><td>a</td><td><b>b</b></td></tr>" * 2_000 + "</table>",
        "<font face=Arial><b>" + "<div>words</div>" * 5_000,
        "<font face=Arial>" * 400 + "words" + "<p>words" * 400,
        "<div><blockquote type=cite><div>" * 200 + "first" + "</div>answer</blockquote></div>" * 200,
        "<p class=MsoNormal><b><span lang=EN-US style='color:#1F497D'>words<o:p></o:p></span></b></p>" * 1_000,
        "<a href='https://x.example/'><img src='https://x.example/a.png'></a>" * 3_000,
        "<table width=600><tr><td>" * 40 + "deep" + "</td></tr></table>" * 40,
        "<img src='data:image/png;base64," + "QUJD\n" * 100_000 + "'>",
        "<p>" + "words and words " * 50_000 + "<br>" * 500,
        "a &amp; b &lt; c " * 10_000,
        "<!--[if mso]><v:shape id=a></v:shape><![endif]-->" * 1_000 + "<p>words",
    ],
    ids=lambda html: html[:40],
)
def test_html_that_people_send_is_not_tangled(html: str) -> None:
    assert not is_tangled(html)
    assert clean(html, {})


def test_the_deepest_nesting_that_is_cleaned_can_be_cleaned_with_rules() -> None:
    html = "<style>div div{color:red} *{margin:0}</style>" + "<div><span>" * 499 + "words"
    assert not is_tangled(html)
    assert "words" in clean(html, {})


def test_of_hostile_mails_the_words_or_at_least_the_header_are_read(parser: MailParser) -> None:
    raws = [raw for raw, _ in zip(hostile_mails(), range(2 * len(hostile_html())), strict=False)]
    for number, mail in enumerate(parser.parse([MailSource(raw, len(raw)) for raw in raws])):
        assert mail.message_id == f"<hostile-{number}@vance.example>"
        assert len(mail.html or "") <= 3_000_000


def test_a_copy_of_a_mail_beyond_every_limit_is_known_as_the_same_mail(parser: MailParser) -> None:
    header = b"".join(b"To: a%d@x.example\r\n" % n for n in range(50)) + b"Message-ID: <a@x.example>\r\n"
    source = MailSource(header + b"\r\n" + b"words", len(header) + 7)
    [mail] = parser.parse([source])
    assert mail.identity == parse(source).identity
    assert {mail.identity} == {unreadable(source).identity, identified(source).identity}


@pytest.mark.parametrize("unit", ["<", "< ", "<\n", "<3", "<p><", "<p>< "])
def test_of_html_made_of_signs_the_whole_text_is_read_in_its_time(parser: MailParser, unit: str) -> None:
    body = "<p>Order 17</p>" + unit * (1_500_000 // len(unit))
    head = b"From: Mia <mia@kunde.example>\r\nContent-Type: text/html\r\n\r\n"
    raw = head + body.encode()
    [mail] = parser.parse([MailSource(raw, len(raw))])
    assert not mail.unreadable
    assert mail.text.startswith("Order 17")
    assert mail.text[-1] == unit.strip()[-1]
