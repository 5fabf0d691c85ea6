"""Connects to the server for outgoing mail. For now this only tests it; nothing is sent yet."""

from __future__ import annotations

import smtplib
import ssl
from base64 import b64encode

from app.mail.errors import LoginRefused, Unreachable
from app.mail.server import NO_STARTTLS, Server, hint, tls_context, untrusted

#: The methods that smtplib supports. Only the first carries UTF-8 (RFC 4616).
_BY_PASSWORD = ("PLAIN", "LOGIN", "CRAM-MD5")


def try_out(server: Server, *, timeout: float = 15.0) -> None:
    """Connect, greet, secure, sign in if there is a user, and disconnect. Raises MailError."""
    try:
        with _connected(server, timeout) as client:
            client.ehlo_or_helo_if_needed()
            if server.user:
                _sign_in(client, server)
    except ssl.SSLCertVerificationError as error:
        raise untrusted(server, error) from error
    except (OSError, UnicodeError) as error:
        told = f"No SMTP server answers at {server.host}:{server.port}.{hint(server, error)}"
        raise Unreachable(told, answer=_answer(error)) from error


def _connected(server: Server, timeout: float) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=tls_context(server))
    client = smtplib.SMTP(server.host, server.port, timeout=timeout)
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


def _sign_in(client: smtplib.SMTP, server: Server) -> None:
    if not client.has_extn("auth"):
        instead = (
            "before STARTTLS. Set its security to starttls"
            if client.has_extn("starttls")
            else "at all. Leave out its user"
        )
        raise LoginRefused(f"The SMTP server accepts no sign-in {instead}.")
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
        if error.smtp_code < 500:
            raise Unreachable(
                "The SMTP server cannot accept a sign-in now. Try again later.", answer=_answer(error)
            ) from error
        raise LoginRefused(
            f"The SMTP server rejected this password for {server.user}.", answer=_answer(error)
        ) from error


def _answer(error: Exception) -> str:
    text = error.smtp_error if isinstance(error, smtplib.SMTPResponseException) else str(error)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
