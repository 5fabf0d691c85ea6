"""Servers for outgoing mail: real ones on this machine that deliver nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.mail.server import Security, Server
from local.places import free_port

USER, PASSWORD = "help@halden.example", "pässwörd-ñ-密"


class StartSmtp(Protocol):
    def __call__(self, security: Security, *, mechanisms: Sequence[str] = ...) -> Server: ...


@dataclass(frozen=True)
class Authority:
    pem: str
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def authority() -> Authority:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return Authority(ca.cert_pem.bytes().decode(), context)


@pytest.fixture
def start_smtp(authority: Authority) -> Iterator[StartSmtp]:
    """Start a server with this security and one account. Returns its address."""
    running: list[Controller] = []

    def start(security: Security, *, mechanisms: Sequence[str] = ("LOGIN", "PLAIN")) -> Server:
        secured: dict[Security, dict[str, Any]] = {
            "tls": {"ssl_context": authority.context, "auth_require_tls": False},
            "starttls": {"tls_context": authority.context},
            "none": {"auth_require_tls": False},
        }
        port = free_port()
        told = secured[security] | {"auth_exclude_mechanism": {"LOGIN", "PLAIN"} - set(mechanisms)}
        handler = _OAuth() if "XOAUTH2" in mechanisms else Sink()
        running.append(Controller(handler, "127.0.0.1", port, authenticator=_known, **told))
        running[-1].start()
        return Server("127.0.0.1", port, security, USER, PASSWORD, authority.pem)

    yield start
    for controller in running:
        controller.stop()


class _OAuth(Sink):
    async def auth_XOAUTH2(self, _server: SMTP, _words: list[str]) -> AuthResult:  # noqa: N802  aiosmtpd finds it by name
        return AuthResult(success=False, handled=False)


def _known(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=given == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)
