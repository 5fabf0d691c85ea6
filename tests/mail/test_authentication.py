"""What a server says of a sender, and what anybody could have written there."""

from __future__ import annotations

import pytest

from app.mail.authentication import authentications
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


def test_only_the_topmost_field_of_a_server_counts() -> None:
    fields = ["mx.halden.example; dmarc=fail", "other.example; dmarc=pass", "MX.halden.example; dmarc=pass"]
    assert authentications(fields, "a@x.example") == (("mx.halden.example", "fail"), ("other.example", "pass"))


def test_nobody_is_proven_where_a_mail_names_two_senders() -> None:
    head = b"Authentication-Results: mx.example; dmarc=pass\r\n"
    assert parse(head + b"From: a@x.example\r\n\r\nx").authentication == (("mx.example", "pass"),)
    assert parse(head + b"From: a@x.example, b@x.example\r\n\r\nx").authentication == ()
