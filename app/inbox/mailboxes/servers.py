"""Servers: the servers of an account and how to sign in, for a mailbox and for an attempt to connect one.

Secrets are sealed together with their account (app/secrets.py). Only the worker and the commands can open them, and
only for the servers for which they were entered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.errors import N_, Invalid
from app.secrets import bind, release

SECURITIES = ("tls", "starttls", "none")


@dataclass(frozen=True)
class ServersForm:
    """The values of the form. An empty password means the stored one, if it would go to the same server. An empty one
    for outgoing mail means the same as for the mailbox."""

    imap_host: str
    imap_port: str
    imap_security: str
    imap_user: str
    imap_password: str = ""
    imap_ca: str = ""
    smtp_host: str = ""
    smtp_port: str = ""
    smtp_security: str = "tls"
    smtp_user: str = ""
    smtp_password: str = ""


class Servers:
    """The columns. Without `smtp_user` no sign-in is tested at the outgoing server."""

    imap_host: Mapped[str]
    imap_port: Mapped[int]
    imap_security: Mapped[str]  # tls, starttls, none
    imap_ca: Mapped[str | None]  # PEM of a private certificate authority
    imap_user: Mapped[str]
    imap_secret: Mapped[bytes] = mapped_column(LargeBinary)
    smtp_host: Mapped[str | None]
    smtp_port: Mapped[int | None]
    smtp_security: Mapped[str | None]
    smtp_user: Mapped[str | None]
    smtp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)

    def copy_servers(self, other: Servers) -> None:
        for column in Servers.__annotations__:
            setattr(self, column, getattr(other, column))

    def account(self, protocol: str) -> dict[str, Any]:
        """The account to which the password for `imap` or `smtp` is bound."""
        parts = {part: getattr(self, f"{protocol}_{part}") for part in ("host", "port", "security", "user")}
        ca = sha256(self.imap_ca.encode()).hexdigest() if self.imap_ca else None
        return {"protocol": protocol, **parts, "ca": ca}

    def set_password(self, protocol: str, password: str, seal: Callable[[str], bytes]) -> None:
        """Seal the password for the present account."""
        setattr(self, f"{protocol}_secret", seal(bind(password, self.account(protocol))))

    def password(self, protocol: str, unseal: Callable[[bytes], str]) -> str:
        """The password, for the present account. Raises SecretError, also if the account differs from the one for which
        the password was sealed."""
        return release(unseal(getattr(self, f"{protocol}_secret")), self.account(protocol))

    def set_servers(self, form: ServersForm, *, seal: Callable[[str], bytes], kept: Servers | None) -> None:
        """Set servers and passwords from a form. Raises Invalid for impossible values, and for a missing password: only
        a person who knows the password can send it to another server than before."""
        self.imap_host, self.imap_port, self.imap_security = _place(
            "imap", form.imap_host, form.imap_port, form.imap_security
        )
        self.imap_user = _user("imap_user", form.imap_user)
        if not self.imap_user:
            raise Invalid("imap_user", N_("Enter the user name for the mail server."))
        self.imap_ca = _authority(form.imap_ca)
        self._set_outgoing(form)
        self._set_or_keep("imap", form.imap_password, seal, kept)
        if self.smtp_user:
            self._set_or_keep("smtp", form.smtp_password or form.imap_password, seal, kept)
        else:
            self.smtp_secret = None

    def _set_outgoing(self, form: ServersForm) -> None:
        if not form.smtp_host.strip():
            self.smtp_host = self.smtp_port = self.smtp_security = self.smtp_user = None
            return
        self.smtp_host, self.smtp_port, self.smtp_security = _place(
            "smtp", form.smtp_host, form.smtp_port, form.smtp_security
        )
        self.smtp_user = _user("smtp_user", form.smtp_user) or None

    def _set_or_keep(self, protocol: str, password: str, seal: Callable[[str], bytes], kept: Servers | None) -> None:
        if password:
            self.set_password(protocol, password, seal)
            return
        secret = getattr(kept, f"{protocol}_secret", None)
        if kept is None or secret is None or self.account(protocol) != kept.account(protocol):
            raise Invalid(f"{protocol}_password", N_("Enter the password. A different server or user needs it again."))
        setattr(self, f"{protocol}_secret", secret)


def _place(protocol: str, host: str, port: str, security: str) -> tuple[str, int, str]:
    """Host, port and security as they will be stored."""
    host = host.strip().removeprefix("[").removesuffix("]")
    if not host or len(host) > 253 or any(c.isspace() or c in "/@" for c in host):
        raise Invalid(
            f"{protocol}_host",
            N_("“%(host)s” is not a server name. Enter a host name such as imap.example.com."),
            host=host,
        )
    port = port.strip()
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise Invalid(f"{protocol}_port", N_("“%(port)s” is not a port. Enter a number from 1 to 65535."), port=port)
    if security not in SECURITIES:
        raise Invalid(f"{protocol}_security", N_("“%(value)s” is not one of the choices."), value=security)
    if security == "none" and not is_loopback(host):
        raise Invalid(
            f"{protocol}_security",
            N_("Without encryption others could read the password. Only this machine can be reached without it."),
        )
    return host, int(port), security


def _user(field: str, user: str) -> str:
    user = user.strip()
    if len(user) > 320 or not user.isprintable():
        raise Invalid(field, N_("This is not a valid user name for a mail server."))
    return user


def _authority(pem: str) -> str | None:
    pem = pem.strip()
    if pem and not (pem.isascii() and "-----BEGIN CERTIFICATE-----" in pem and len(pem) < 100_000):
        raise Invalid(
            "imap_ca", N_("This is not a PEM certificate. Paste one that begins with -----BEGIN CERTIFICATE-----.")
        )
    return pem or None


def is_loopback(host: str) -> bool:
    """Whether traffic to this host stays on this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
