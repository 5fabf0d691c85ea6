"""What a reply is made of: its recipients, its text and its quote."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox.arriving.own import OwnAddresses
from app.inbox.replies.address_list import people_of, written
from app.inbox.replies.recipients import Person, recipients, sender
from app.inbox.replies.rich_text import cleaned, html_of_text, text_of_html

OWN = OwnAddresses(["help@halden.example", "sales@halden.example"], ["ben@halden.example"])


@dataclass
class Mail:
    direction: str = "in"
    from_name: str = "Zoe"
    from_address: str = "zoe@x.example"
    reply_to: list[Person] = field(default_factory=list)
    to: list[Person] = field(default_factory=lambda: [("Help", "help@halden.example")])
    cc: list[Person] = field(default_factory=list)


def everybody(mail: Mail) -> tuple[list[str], list[str]]:
    chosen = recipients(mail, OWN, everybody=True)
    return [address for _, address in chosen.to], [address for _, address in chosen.cc]


def alone(mail: Mail) -> list[str]:
    return [address for _, address in recipients(mail, OWN, everybody=False).to]


def test_a_reply_goes_to_the_sender_and_not_to_us() -> None:
    mail = Mail(
        to=[("", "help@halden.example"), ("", "bo@x.example")], cc=[("", "SALES@halden.example"), ("", "cy@x.example")]
    )
    assert alone(mail) == ["zoe@x.example"]
    assert everybody(mail) == (["zoe@x.example", "bo@x.example"], ["cy@x.example"])


def test_nobody_gets_it_twice() -> None:
    mail = Mail(to=[("", "Zoe@X.example"), ("", "bo@x.example")], cc=[("", "bo@x.example"), ("", "zoe@x.example")])
    assert everybody(mail) == (["zoe@x.example", "bo@x.example"], [])


@pytest.mark.parametrize(
    ("reply_to", "expected"),
    [
        ([("Desk", "desk@x.example")], "desk@x.example"),
        ([("broken", "nobody")], "zoe@x.example"),
        ([("Help", "help@halden.example")], "zoe@x.example"),
        ([("Help", "help@halden.example"), ("Desk", "desk@x.example")], "desk@x.example"),
    ],
)
def test_reply_to_counts_if_it_can_be_written_to(reply_to: list[Person], expected: str) -> None:
    assert alone(Mail(reply_to=reply_to)) == [expected]


def test_a_contact_form_that_sends_in_our_name_is_answered_to_the_customer() -> None:
    form = Mail(from_address="help@halden.example", reply_to=[("Zoe", "zoe@x.example")])
    assert alone(form) == ["zoe@x.example"]


def test_our_own_mail_is_followed_by_one_to_the_same_people() -> None:
    mail = Mail("out", from_address="help@halden.example", to=[("", "zoe@x.example")], cc=[("", "bo@x.example")])
    assert everybody(mail) == (["zoe@x.example"], ["bo@x.example"])
    assert alone(mail) == ["zoe@x.example"]


def test_the_sender_is_the_alias_that_was_written_to() -> None:
    aliases = ["sales@halden.example"]
    assert sender(Mail(to=[("", "Sales@Halden.example")]), "help@halden.example", aliases) == "sales@halden.example"
    both = Mail(to=[("", "sales@halden.example"), ("", "help@halden.example")])
    assert sender(both, "help@halden.example", aliases) == "help@halden.example"
    assert sender(None, "help@halden.example", aliases) == "help@halden.example"


@pytest.mark.parametrize(
    ("typed", "people"),
    [
        ("a@x", [("", "a@x")]),
        ("A, B <x@y>; z@w", [("A, B", "x@y"), ("", "z@w")]),
        ('"Ruiz, Carla" <carla@x>, ben@x', [("Ruiz, Carla", "carla@x"), ("", "ben@x")]),
        ("a@x\nb@x\r\n\n c@x ", [("", "a@x"), ("", "b@x"), ("", "c@x")]),
        ("nobody; a@x", [("", "nobody"), ("", "a@x")]),
        ("", []),
        (",;,", []),
        ('"open quote <a@x>', [('"open quote', "a@x")]),
        ("<a@x>", [("", "a@x")]),
    ],
)
def test_pasted_people_are_told_apart(typed: str, people: list[tuple[str, str]]) -> None:
    assert people_of(typed) == people


@given(
    st.lists(st.tuples(st.text(max_size=30), st.from_regex(r"[a-z0-9.]{1,10}@[a-z]{1,10}", fullmatch=True)), max_size=5)
)
def test_people_come_back_as_they_were_written(people: list[tuple[str, str]]) -> None:
    clean = [(" ".join(name.replace("\r", " ").split()), address) for name, address in people]
    clean = [(name.strip("<>").strip() if name.strip("<>") != name else name, address) for name, address in clean]
    assert people_of(written(clean)) == clean


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree\n"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d</p>", "- a\n- b\n  - c\n\nd\n"),
        ('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b\n"),
        ('<p>See <a href="https://x.example/">the page</a></p>', "See the page <https://x.example/>\n"),
        ('<p><a href="https://x.example">https://x.example</a></p>', "https://x.example\n"),
        ('<p><a href="mailto:a@x">a@x</a></p>', "a@x\n"),
        ("<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>", "> a\n>\n> > b\n"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a\tb\nc\td\n"),
        ("<p>a &lt;b&gt; &amp;  c</p>", "a <b> & c\n"),
    ],
)
def test_text_and_html_say_the_same(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("given_html", "kept"),
    [
        ("<p onclick=x>a<script>alert(1)</script></p>", "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
        (
            '<img src="https://x.example/pixel.gif"><img src="cid:1@x" alt="plan">',
            '<img><img src="cid:1@x" alt="plan">',
        ),
        ("<style>p{}</style><p style='color:red' class=x>a</p>", "<p>a</p>"),
        ("<h1>Title</h1><o:p>word</o:p>", "Titleword"),
        ('<form action="https://x.example"><input name=a></form>', ""),
    ],
)
def test_only_the_tags_of_the_editor_are_kept(given_html: str, kept: str) -> None:
    assert cleaned(given_html) == kept


def test_plain_text_becomes_paragraphs_with_links() -> None:
    html = html_of_text("Hi <Zoe>\n\nsee https://x.example/a?b=1&c=2.\nBye\n")
    assert html == (
        "<p>Hi &lt;Zoe&gt;</p>"
        '<p>see <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>Bye</p>'
    )
    assert text_of_html(html) == "Hi <Zoe>\n\nsee https://x.example/a?b=1&c=2.\nBye\n"
