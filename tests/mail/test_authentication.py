"""A server's result for a sender, and forged results."""

from __future__ import annotations

import pytest

from app.mail.authentication import authentications, likely_ids
from app.mail.parse import parse


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("mx.halden.example; dmarc=pass header.from=x.example", "pass"),
        ("mx.halden.example; spf=pass smtp.mailfrom=a@x.example; dkim=pass header.d=x.example; dmarc=fail", "fail"),
        ("mx.halden.example 1; dkim=pass (good) header.d=x.example", "pass"),
        ("mx.halden.example; dkim=pass header.i=@x.example", "pass"),
        ("mx.halden.example; spf=pass smtp.mailfrom=bounce@x.example", "pass"),
        ("mx.halden.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", "none"),
        ("mx.halden.example; dkim=pass header.d=example", "none"),
        ("mx.halden.example; dkim=fail header.d=x.example", "fail"),
        ("mx.halden.example; (dmarc=pass) none", "none"),
        ("mx.halden.example; none", "none"),
    ],
)
def test_a_pass_speaks_for_the_domain_of_the_sender(field: str, expected: str) -> None:
    assert authentications([field], "a@x.example") == (("mx.halden.example", expected),)


@pytest.mark.parametrize(
    "results",
    [
        'spf=none smtp.mailfrom="a; dmarc=pass "@evil.example',
        'spf=none smtp.mailfrom="a\\"; dmarc=pass "@evil.example',
        'spf=none (mx: domain of "x) ; dmarc=pass (y"@evil.example) smtp.mailfrom=evil.example',
        "spf=none (domain of (x); dmarc=pass) smtp.mailfrom=evil.example",
        "spf=none (" + "(" * 50 + "x" + ")" * 50 + "; dmarc=pass (x)",
        'spf=none smtp.mailfrom="x; dmarc=pass',
        "dkim=pass header.s=header.d=x.example header.d=evil.example",
        "spf=pass smtp.helo=smtp.mailfrom=x.example smtp.mailfrom=evil.example",
    ],
)
def test_a_senders_words_in_a_servers_field_prove_nothing(results: str) -> None:
    fields = [f"mx.halden.example; {results}", "mx.halden.example; dmarc=pass"]
    assert authentications(fields, "a@x.example") == (("mx.halden.example", "none"),)


def test_a_failure_counts_despite_a_pass_beside_it() -> None:
    for results in ("dmarc=fail; dmarc=pass", "dmarc=pass; dmarc=fail"):
        assert authentications([f"mx.example; {results}"], "a@x.example") == (("mx.example", "fail"),)


def test_only_the_topmost_field_of_a_server_counts() -> None:
    fields = ["mx.halden.example; dmarc=fail", "other.example; dmarc=pass", "MX.halden.example; dmarc=pass"]
    assert authentications(fields, "a@x.example") == (("mx.halden.example", "fail"), ("other.example", "pass"))


def test_nobody_is_proven_where_a_mail_names_two_senders() -> None:
    head = b"Authentication-Results: mx.example; dmarc=pass\r\n"
    assert parse(head + b"From: a@x.example\r\n\r\nx").authentication == (("mx.example", "pass"),)
    assert parse(head + b"From: a@x.example, b@x.example\r\n\r\nx").authentication == ()


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([["mx.halden.example; spf=pass"]] * 3, ["mx.halden.example"]),
        ([["MX.halden.example 1; dkim=none", "evil.example; dmarc=pass"]] * 5, ["mx.halden.example"]),
        ([["mx.halden.example; spf=pass"]] * 4 + [[]], ["mx.halden.example"]),
        ([["mx.halden.example; spf=pass"]] * 4 + [["evil.example; spf=pass"]], []),
        ([["mx.halden.example; spf=pass"]] * 2, []),
        ([["no name"]] * 4, []),
        ([[]] * 4, []),
        ([], []),
    ],
)
def test_the_name_that_all_recent_mails_have_on_top_is_proposed(mails: list[list[str]], expected: list[str]) -> None:
    assert likely_ids(mails) == expected
