"""Message-IDs are found in any program's form, and nothing else is mistaken for one."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.headers import Headers
from app.mail.ids import message_id, reference_ids
from app.mail.parse import parse

_LONG = "<" + "x" * 60 + ".PR05MB6834@eurprd05.prod.outlook.example>"
_LONGER = "<CAF=" + "y+_" * 60 + "@mail.customer.example>"
_PEOPLE = frozenset({"help@halden.example", "mia@customer.example"})


def _parent(field: str) -> str | None:
    return reference_ids(Headers(f"In-Reply-To: {field}\r\n".encode()), _PEOPLE)[0]


def _chain(field: str) -> list[str]:
    return reference_ids(Headers(f"References: {field}\r\n".encode()), _PEOPLE)[1]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("<a@x.example>", "<a@x.example>"),
        ("a@x.example", "<a@x.example>"),
        ("<a@x.example", "<a@x.example>"),
        ("< a@x.example >", "<a@x.example>"),
        ("<part-one.\r\n part-two@x.example>", "<part-one.part-two@x.example>"),
        ('<"part one"@x.example>', "<partone@x.example>"),
        ('<"01KF8JCEOCBS0045PS"@x.example>', "<01KF8JCEOCBS0045PS@x.example>"),
        ("=?utf-8?q?=3Ca=40x=2Eexample=3E?=", "<a@x.example>"),
        ("=?us-ascii?B?PGFAeC5leGFtcGxlPg==?=", "<a@x.example>"),
        ("<=?utf-8?q?a=40x=2Eexample?=>", "<a@x.example>"),
        ("<a@x.example> (Mia's message of Monday)", "<a@x.example>"),
        ("<a@x.example> (Help <help@halden.example>, Monday)", "<a@x.example>"),
        ('<a@x.example> from "Mia" <mia@customer.example> at Nov 1', "<a@x.example>"),
        ('Message from Help <help@halden.example>\r\n of "Mon, 02 Nov 2026" <a@x.example>', "<a@x.example>"),
        ('Message from Tom <tom@elsewhere.example> of "Monday" <a@x.example>', "<a@x.example>"),
        ('Your message of "Mon, 2 Nov" <a@x.example>', "<a@x.example>"),
        ("<b@x.example> <a@x.example>", "<a@x.example>"),
        ("<20261102.123456.ABCDEF.localhost>", "<20261102.123456.ABCDEF.localhost>"),
        ("&lt;a@x.example&gt;", "<a@x.example>"),
        ("&#60;a@x.example&#62;", "<a@x.example>"),
        ("&amp;lt;a@x.example&amp;gt;", "<a@x.example>"),
        ('"a@x.example"', "<a@x.example>"),
        ("'a@x.example'", "<a@x.example>"),
        ("[a@x.example]", "<a@x.example>"),
        ('<"a@x.example">', "<a@x.example>"),
        ('<"a@x"@y.example>', "<a@x@y.example>"),
        ("<a @x.example>", "<a@x.example>"),
        ("<a%40x.example>", "<a@x.example>"),
        ("%3Ca%40x.example%3E", "<a@x.example>"),
        ("<mid:a@x.example>", "<a@x.example>"),
        ("<a%40b@x.example>", "<a%40b@x.example>"),
        ("<a@x.example>.", "<a@x.example>"),
        ("a@x.example;", "<a@x.example>"),
        ("<m.1@[192.0.2.1]>", "<m.1@[192.0.2.1]>"),
        ("m.1@[192.0.2.1]", "<m.1@[192.0.2.1]>"),
        ("<<a@x.example>>", "<a@x.example>"),
        ("<a@x.example> (Mia (of sales) wrote)", "<a@x.example>"),
        ("&lt;mia@customer.example&gt;", None),
        ('"mia@customer.example"', None),
        ("<mia%40customer.example>", None),
        ("<help@halden.example>", None),
        ("<Help@HALDEN.example>", None),
        ("<mailto:help@halden.example>", None),
        ("mia@customer.example", None),
        ("Mia wrote from mia.private@customer.example", None),
        ("<yes>", None),
        ("yes", None),
        ("y", None),
        ("<>", None),
        ("<@x.example>", None),
        ("<x@>", None),
        ("", None),
    ],
)
def test_the_mail_that_is_answered_is_found(field: str, expected: str | None) -> None:
    assert _parent(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("<a@x>,<b@x>\r\n\t<c@x>", ["<a@x>", "<b@x>", "<c@x>"]),
        ("<a@x><b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x> <a@x> <b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x,b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x b@x;c@x>", ["<a@x>", "<b@x>", "<c@x>"]),
        ("&lt;a@x&gt;, &lt;b@x&gt;", ["<a@x>", "<b@x>"]),
        ('"a@x", "b@x"', ["<a@x>", "<b@x>"]),
        ("<a@x> (first), <b@x> (second (and last))", ["<a@x>", "<b@x>"]),
        ("a@x b@x", ["<a@x>", "<b@x>"]),
        ("<a@x> b@x", ["<a@x>", "<b@x>"]),
        ("<a@x> <yes> <mia@customer.example> <b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x> <b-cut-\r\n in-two@x>", ["<a@x>", "<b-cut-in-two@x>"]),
        ("<a@x> =?utf-8?q?=3Cb=40x=3E_=3Cc=40x?=\r\n =?utf-8?q?=3E?= <d@x>", ["<a@x>", "<b@x>", "<c@x>", "<d@x>"]),
    ],
)
def test_all_ids_of_a_chain_are_found(field: str, expected: list[str]) -> None:
    assert _chain(field) == expected


def test_other_ids_of_in_reply_to_are_references() -> None:
    headers = Headers(b"In-Reply-To: <a@x> <b@x>\r\nReferences: <c@x>\r\n")
    assert reference_ids(headers, ()) == ("<b@x>", ["<a@x>", "<c@x>"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Message-ID: <a@x>", "<a@x>"),
        ("Message-ID: a@x", "<a@x>"),
        ("Message-ID: =?utf-8?q?=3Ca=40x=3E?=", "<a@x>"),
        ("Message-ID: <long-\r\n part@x>", "<long-part@x>"),
        ("Message-ID: <foo bar@x>\r\nMessage-ID: <second@x>", "<second@x>"),
        ("Message-ID: <first@x>\r\nMessage-ID: <second@x>", "<first@x>"),
        ("Message-ID: <a@x>\r\n (added by the gateway)", "<a@x>"),
        ("Message-ID: <without-a-domain>", "<without-a-domain>"),
        ("Message-ID:", None),
        ("Message-ID: <>", None),
        ("Message-ID: &lt;a@x&gt;", "<a@x>"),
        ('Message-ID: "a@x"', "<a@x>"),
        ("Message-ID: <a%40x>", "<a@x>"),
        ("Message-ID: none", None),
    ],
)
def test_the_mails_own_id_is_found(fields: str, expected: str | None) -> None:
    assert message_id(Headers(f"{fields}\r\n".encode())) == expected


@pytest.mark.parametrize("rules", [policy.default, policy.SMTP, policy.default.clone(max_line_length=40)])
@pytest.mark.parametrize("ids", [[_LONG], [_LONG, _LONGER], ["<short@x>", _LONG, "<short2@x>", _LONGER]])
def test_ids_that_pythons_email_library_folds_are_those_that_were_set(
    rules: policy.EmailPolicy[EmailMessage], ids: list[str]
) -> None:
    answer = EmailMessage(rules)
    answer["From"], answer["In-Reply-To"], answer["References"] = "mia@customer.example", ids[-1], " ".join(ids)
    answer.set_content("Hello")
    parsed = parse(answer.as_bytes())
    assert (parsed.in_reply_to, parsed.references) == (ids[-1], ids)


def test_an_endless_id_becomes_its_hash_everywhere() -> None:
    endless = f"<{'x' * 5_000}@x.example>"
    own = message_id(Headers(f"Message-ID: {endless}\r\n".encode()))
    assert own is not None
    assert len(own) < 100
    assert _parent(endless) == own
    assert _chain(f"<a@x> {endless}") == ["<a@x>", own]
    assert _parent(f"<{'x' * 5_001}@x.example>") != own


@pytest.mark.parametrize("junk", ["<", '<"', '<"\\', "<a@", "=?utf-8?q?", "(", "((", "<a@x>(", "a@", '"a', "<a@x>"])
def test_a_hostile_field_is_read_no_further_than_it_can_mean_something(junk: str) -> None:
    field = junk * (2_000_000 // len(junk))
    assert len(_chain(field)) <= 1
    assert message_id(Headers(f"Message-ID: {field}\r\n".encode())) in (None, _parent(field), "<a@x>")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_every_id_is_complete_and_in_brackets_for_any_input(field: str) -> None:
    parent, chain = reference_ids(
        Headers(f"In-Reply-To: {field}\r\nReferences: {field}\r\n".encode("utf-8", "replace")), ()
    )
    for id_ in [*chain, *([parent] if parent else [])]:
        assert id_.startswith("<")
        assert id_.endswith(">")
        assert not set(id_) & set(" \t\r\n\0")
