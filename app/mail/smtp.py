"""Connects to the server for outgoing mail: secures the connection and signs in. submission.py sends the mails."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from base64 import b64encode
from time import monotonic
from typing import Any

from app.mail.errors import LoginRefused, Unreachable
from app.mail.server import NO_STARTTLS, Server, hint, tls_context, untrusted

#: The methods that smtplib supports. Only the first carries UTF-8 (RFC 4616).
_BY_PASSWORD = ("PLAIN", "LOGIN", "CRAM-MD5")
#: Bytes of an answer to one command. The longest real ones, to EHLO, have less than 2,000.
_LONGEST_ANSWER = 64 * 1024
_OUR_NAME = "[127.0.0.1]"


class Client(smtplib.SMTP):
    """smtplib with a limit on the length of an answer and on the time for all of it."""

    _patience: float | None = None

    def wait_at_most(self, seconds: float) -> None:
        """The time for each answer, and for sending, from now on."""
        self._patience = seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def getreply(self) -> tuple[int, bytes]:
        client: Any = self  # the type stubs do not know `file`
        if client.file is None:
            client.file = _Answers(client.sock)
        seconds = self._patience or self.timeout
        client.file.expect(seconds)
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(seconds)

    def leave(self) -> None:
        """Say goodbye if the server still listens. What it took is sent, whatever it says now."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self.wait_at_most(5.0)
            self.quit()
        self.close()


class _TlsClient(Client, smtplib.SMTP_SSL):
    pass


class _Answers:
    """The lines that a server says, as smtplib reads them."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._ends, self._left = 0.0, 0

    def expect(self, seconds: float) -> None:
        self._ends, self._left = monotonic() + seconds, _LONGEST_ANSWER

    def readline(self, limit: int) -> bytes:
        """A line with its end, or what came before the connection ended. Raises TimeoutError and
        SMTPServerDisconnected beyond the limits."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            seconds = self._ends - monotonic()
            if seconds <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(seconds)
            if not (data := self._sock.recv(4096)):
                break
            self._buffer += data
        line, end, rest = self._buffer[:limit].partition(b"\n")
        self._buffer = rest + self._buffer[limit:]
        self._left -= len(line + end)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("an answer without end")
        return line + end

    def close(self) -> None:
        self._buffer = b""


def try_out(server: Server, *, timeout: float = 15.0) -> None:
    """Connect, greet, secure, sign in if there is a user, and disconnect. Raises MailError."""
    connect(server, timeout).leave()


def connect(server: Server, timeout: float, our_name: str = _OUR_NAME) -> Client:
    """A connection with the security that the server is set to, signed in if there is a user. `our_name` goes into the
    greeting. Raises MailError."""
    try:
        client = _connected(server, timeout, our_name)
        try:
            client.ehlo_or_helo_if_needed()
            if server.user:
                _sign_in(client, server)
        except BaseException:
            client.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise untrusted(server, error) from error
    except (OSError, UnicodeError) as error:  # what smtplib raises is an OSError
        told = f"No SMTP server answers at {server.host}:{server.port}.{hint(server, error)}"
        raise Unreachable(told, answer=_answer(error)) from error
    return client


def _connected(server: Server, timeout: float, our_name: str) -> Client:
    if server.security == "tls":
        context = tls_context(server)
        return _TlsClient(server.host, server.port, our_name, timeout=timeout, context=context)
    client = Client(server.host, server.port, our_name, timeout=timeout)
    if server.security == "starttls":
        try:
            client.starttls(context=tls_context(server))
        except smtplib.SMTPNotSupportedError as error:
            client.close()
            raise Unreachable(f"The SMTP server {NO_STARTTLS}", answer=str(error)) from error
        except BaseException:
            client.close()
            raise
    return client


def _sign_in(client: Client, server: Server) -> None:
    if not client.has_extn("auth"):
        instead = (
            "before STARTTLS. Set its security to starttls"
            if client.has_extn("starttls")
            else "at all. Leave out its user"
        )
        raise LoginRefused(f"The SMTP server accepts no sign-in {instead}.")
    if server.by_token:
        _sign_in_by_token(client, server)
        return
    ascii_only = (server.user + server.password).isascii()
    offered = set(client.esmtp_features["auth"].upper().split())
    if offered.isdisjoint(_BY_PASSWORD if ascii_only else _BY_PASSWORD[:1]):
        how = "a password" if ascii_only else "a user and password that are not ASCII"
        raise LoginRefused(f"The SMTP server does not accept {how}. It offers {', '.join(sorted(offered))}.")
    try:
        if ascii_only:
            client.login(server.user, server.password)
        else:  # smtplib's own sign-in supports only ASCII
            words = b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
            code, text = client.docmd("AUTH PLAIN", words)
            if code != 235:
                raise smtplib.SMTPAuthenticationError(code, text)
    except smtplib.SMTPAuthenticationError as error:
        raise _refused(server, error) from error


def _sign_in_by_token(client: Client, server: Server) -> None:
    """XOAUTH2, as Google and Microsoft describe it. A refusal is a challenge with the reason, which wants an answer."""
    if "XOAUTH2" not in client.esmtp_features["auth"].upper().split():
        raise LoginRefused("The SMTP server does not accept access tokens (XOAUTH2).")
    words = b64encode(f"user={server.user}\1auth=Bearer {server.password}\1\1".encode()).decode()
    code, text = client.docmd("AUTH XOAUTH2", words)
    if code == 334:
        code, text = client.docmd("")
    if code != 235:
        raise _refused(server, smtplib.SMTPAuthenticationError(code, text))


def _refused(server: Server, error: smtplib.SMTPAuthenticationError) -> Unreachable | LoginRefused:
    if error.smtp_code < 500:
        return Unreachable("The SMTP server cannot accept a sign-in now. Try again later.", answer=_answer(error))
    return LoginRefused(f"The SMTP server rejected this password for {server.user}.", answer=_answer(error))


def _answer(error: Exception) -> str:
    text = error.smtp_error if isinstance(error, smtplib.SMTPResponseException) else str(error)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
