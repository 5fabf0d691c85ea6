"""The address of an account, and the way into its IMAP server: connect, secure, sign in. IMAPClient does all of it."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Literal

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from app.mail.errors import LoginRefused, Unavailable, Unreachable, Untrusted, code_in, is_of_a_moment

Security = Literal["tls", "starttls", "none"]

#: OpenSSL's errors for a greeting without encryption, by version.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
NO_STARTTLS = "does not offer STARTTLS. Its security may be none, or tls on another port."


@dataclass(frozen=True)
class Server:
    """The address of an account and how to sign in. `ca_pem`: certificates trusted in addition to the system's.
    `by_token`: the password is an OAuth2 access token."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    ca_pem: str | None = None
    by_token: bool = False


def tls_context(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.ca_pem:
        try:
            context.load_verify_locations(cadata=server.ca_pem)
        except ssl.SSLError as error:
            raise Untrusted("The certificate authority for the mail server is not a PEM file.") from error
    return context


def untrusted(server: Server, error: ssl.SSLCertVerificationError) -> Untrusted:
    return Untrusted(f"The certificate of {server.host} is not trusted ({error.verify_message}).", answer=str(error))


def hint(server: Server, error: Exception) -> str:
    """Advice for settings if server and client do not agree on TLS; empty for other errors."""
    if server.security == "tls" and isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return " The server does not use TLS there. Its security may be starttls, or none."
    if server.security != "tls" and (isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)):
        return " A server that expects TLS from the start is silent like this. Its security may be tls."
    return ""


def connected(server: Server, connect_timeout: float, read_timeout: float) -> IMAPClient:
    """A connection with the requested encryption, not signed in yet."""
    secure = server.security == "tls"
    context = tls_context(server) if server.security != "none" else None
    try:
        client = IMAPClient(
            server.host,
            server.port,
            ssl=secure,
            ssl_context=context if secure else None,
            timeout=SocketTimeout(connect_timeout, read_timeout),
        )
        client._imap.debug = 0  # IMAPClient sets 5, which would format every line for the log, including secrets
        if server.security == "starttls":
            _start_tls(client, context)
    except ssl.SSLCertVerificationError as error:
        raise untrusted(server, error) from error
    except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
        told = f"No IMAP server answers at {server.host}:{server.port}.{hint(server, error)}"
        raise Unreachable(told, answer=str(error)) from error
    _keep_alive(client.socket())
    return client


def _start_tls(client: IMAPClient, context: ssl.SSLContext | None) -> None:
    try:
        client.starttls(context)
    except BaseException as error:
        with contextlib.suppress(Exception):
            client.shutdown()
        if isinstance(error, imaplib.IMAP4.error):
            raise Unreachable(f"The mail server {NO_STARTTLS}", answer=str(error)) from error
        raise


def _keep_alive(sock: socket.socket) -> None:
    """Send small commands at once, and notice within two minutes that a peer has vanished."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def sign_in(client: IMAPClient, server: Server) -> None:
    if re.search(r"[\r\n\0]", server.user + server.password):
        raise LoginRefused("A user name or password cannot contain a line break.")
    try:
        # LOGIN accepts only ASCII (RFC 3501); PLAIN carries UTF-8 (RFC 4616).
        if (server.user + server.password).isascii():
            client.login(server.user, server.password)
        else:
            client.plain_login(server.user, server.password)
    except imaplib.IMAP4.error as error:
        answer = str(error).removeprefix("b'").removesuffix("'")
        # IMAPClient also raises LoginError if the connection broke during LOGIN.
        broke = isinstance(error, imaplib.IMAP4.abort) or isinstance(error.__context__, imaplib.IMAP4.abort)
        if broke or not isinstance(error, LoginError):
            raise Unreachable("The mail server cannot accept a sign-in now. Try again later.", answer=answer) from error
        if is_of_a_moment(answer) or code_in(answer) == "ALERT":
            raise Unavailable("accept a sign-in", answer=answer) from error
        raise LoginRefused(f"The mail server rejected this password for {server.user}.", answer=answer) from error
