"""Signing in: TLS, STARTTLS, certificates, non-ASCII names and passwords."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme

from app.mail.errors import LoginRefused, Unreachable, Untrusted
from app.mail.imap import ImapSession
from app.mail.server import Security, Server
from local.dovecot import LocalDovecot, Tls
from local.places import free_port
from tests.dovecot import Account, fresh_account, running_dovecot
from tests.mail.script import scripted


@dataclass(frozen=True)
class SecureDovecot:
    dovecot: LocalDovecot
    ca_pem: str
    ports: dict[Security, int]

    def server(self, security: Security, ca_pem: str | None) -> Server:
        account = fresh_account(self.dovecot)
        return replace(account.server, security=security, port=self.ports[security], ca_pem=ca_pem)


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureDovecot]:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    with TemporaryDirectory(prefix="signalbox-tls-") as folder:
        tls = Tls(Path(folder) / "cert.pem", Path(folder) / "key.pem", free_port())
        certificate.cert_chain_pems[0].write_to_path(str(tls.certificate))
        certificate.private_key_pem.write_to_path(str(tls.key))
        with running_dovecot("sdbox", tls=tls) as dovecot:
            ports: dict[Security, int] = {"tls": tls.port, "starttls": dovecot.port, "none": dovecot.port}
            yield SecureDovecot(dovecot, authority.cert_pem.bytes().decode(), ports)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_connection_is_secured_under_the_authority_that_is_given(secure: SecureDovecot, security: Security) -> None:
    with ImapSession.open(secure.server(security, secure.ca_pem)) as session:
        assert isinstance(session._wire._sock, ssl.SSLSocket)
        assert session.select("INBOX").exists == 0
        assert not session.idle(0.1)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_nobody_we_know_is_not_trusted(secure: SecureDovecot, security: Security) -> None:
    with pytest.raises(Untrusted, match=r"The certificate of 127\.0\.0\.1 is not trusted"):
        ImapSession.open(secure.server(security, None))


def test_a_certificate_for_another_name_is_not_trusted(secure: SecureDovecot) -> None:
    server = replace(secure.server("tls", secure.ca_pem), host="127.0.0.2")
    with pytest.raises(Unreachable):
        ImapSession.open(server)


def test_an_authority_that_is_not_a_certificate_is_reported(secure: SecureDovecot) -> None:
    with pytest.raises(Untrusted, match="not a PEM file"):
        ImapSession.open(secure.server("tls", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"))


def test_a_server_without_starttls_never_hears_the_password(account: Account) -> None:
    with pytest.raises(Unreachable, match=r"does not offer STARTTLS\. Its security may be none"):
        ImapSession.open(replace(account.server, security="starttls"))


def test_a_wrong_security_gives_advice(account: Account, secure: SecureDovecot) -> None:
    with pytest.raises(Unreachable, match="Its security may be starttls, or none"):
        ImapSession.open(replace(account.server, security="tls"), connect_timeout=3)
    securities: tuple[Security, ...] = ("none", "starttls")
    for security in securities:
        with pytest.raises(Unreachable, match="Its security may be tls"):
            ImapSession.open(replace(secure.server("tls", None), security=security), connect_timeout=2)


def test_a_password_beyond_ascii_signs_in(account: Account) -> None:
    account.dovecot.add_user("muller@example.com", "pässwörd-ñ-密")
    server = replace(account.server, user="muller@example.com", password="pässwörd-ñ-密")
    with ImapSession.open(server) as session:
        session.folders()
    with pytest.raises(LoginRefused):
        ImapSession.open(replace(server, password="pässwörd"))


def test_a_password_with_every_sign_of_the_keyboard_signs_in(account: Account) -> None:
    password = "a\"b\\c{5}d(e)*%'`$&"
    account.dovecot.add_user("signs@example.com", password)
    with ImapSession.open(replace(account.server, user="signs@example.com", password=password)) as session:
        session.folders()


def test_a_password_is_not_shown_by_accident(account: Account) -> None:
    assert account.server.password not in repr(account.server)


@pytest.mark.parametrize(
    ("told", "program"),
    [
        (b'* ID ("NAME" "Cyrus IMAPD" "version" "3.6.1")', "Cyrus IMAPD"),
        (b'* ID ("version" "3.6.1" "name" NIL)', ""),
        (b"* ID NIL", ""),
    ],
)
def test_the_servers_name_is_known(told: bytes, program: str) -> None:
    answers: dict[str, bytes | None] = {
        r"\w+ CAPABILITY": b"* CAPABILITY IMAP4rev1 ID\r\n{tag} OK done\r\n",
        r"\w+ ID": told + b"\r\n{tag} OK done\r\n",
    }
    with scripted(answers) as server, ImapSession.open(server) as session:
        assert session.program == program
