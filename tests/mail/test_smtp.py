"""Outgoing servers are tested up to the sign-in, and errors say what to set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.mail.errors import LoginRefused, MailError, Unreachable, Untrusted
from app.mail.server import Security, Server
from app.mail.smtp import try_out
from local.places import free_port
from tests.smtp import USER, StartSmtp, authority, start_smtp

__all__ = ["authority", "start_smtp"]


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_server_that_lets_us_in_is_in_order(start_smtp: StartSmtp, security: Security) -> None:
    server = start_smtp(security)
    try_out(server)
    with pytest.raises(LoginRefused, match=f"rejected this password for {USER}"):
        try_out(replace(server, password="wrong"))
    with pytest.raises(LoginRefused, match=f"rejected this password for {USER}"):
        try_out(replace(server, password="fälsch"))


def test_without_a_user_no_sign_in_is_tried(start_smtp: StartSmtp) -> None:
    try_out(replace(start_smtp("none"), user="", password=""))


def test_a_server_without_password_sign_in_lists_its_methods(start_smtp: StartSmtp) -> None:
    with pytest.raises(LoginRefused, match=r"does not accept a password\. It offers XOAUTH2\.$"):
        try_out(replace(start_smtp("none", mechanisms=["XOAUTH2"]), password="ascii"))
    with pytest.raises(LoginRefused, match=r"not ASCII\. It offers LOGIN\.$"):
        try_out(start_smtp("none", mechanisms=["LOGIN"]))


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_password_goes_to_nobody_we_do_not_trust(start_smtp: StartSmtp, security: Security) -> None:
    with pytest.raises(Untrusted, match=r"The certificate of 127\.0\.0\.1 is not trusted"):
        try_out(replace(start_smtp(security), ca_pem=None))


@pytest.mark.parametrize(
    ("theirs", "ours", "hint"),
    [
        ("none", "tls", "Its security may be starttls, or none"),
        ("none", "starttls", r"does not offer STARTTLS\. Its security may be none"),
        ("tls", "none", "Its security may be tls"),
        ("tls", "starttls", "Its security may be tls"),
        ("starttls", "none", "Set its security to starttls"),
    ],
)
def test_a_wrong_security_gives_advice(start_smtp: StartSmtp, theirs: Security, ours: Security, hint: str) -> None:
    with pytest.raises(MailError, match=hint):
        try_out(replace(start_smtp(theirs), security=ours), timeout=2)


def test_where_nobody_listens_nobody_answers() -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=rf"No SMTP server answers at 127\.0\.0\.1:{port}\.$"):
        try_out(Server("127.0.0.1", port, "tls", "", ""))
