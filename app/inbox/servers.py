"""Servers: where an account lives and how to sign in, as a mailbox and an attempt to connect one both keep it.

Secrets are sealed (app/secrets.py): only the worker and the commands can open them.
"""

from __future__ import annotations

from ipaddress import ip_address

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.errors import Invalid

SECURITIES = ("tls", "starttls", "none")


class Servers:
    """The columns. Without `smtp_user` no sign-in is tried at the outgoing server."""

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

    def same_account(self, other: Servers, protocol: str) -> bool:
        """Whether a password that was given for one would go to the same server, as safely, for the same user."""
        parts = (f"{protocol}_{part}" for part in ("host", "port", "security", "user"))
        return all(getattr(self, part) == getattr(other, part) for part in parts)


def check_server(protocol: str, host: str, port: str, security: str) -> tuple[str, int, str]:
    """Host, port and security of a form as they will be kept. Raises Invalid."""
    host = host.strip().removeprefix("[").removesuffix("]")
    if not host or len(host) > 253 or any(c.isspace() or c in "/@" for c in host):
        raise Invalid(f"{protocol}_host", "host", f"“{host}” is not the name of a server.")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise Invalid(f"{protocol}_port", "port", f"“{port}” is no port.")
    if security not in SECURITIES:
        raise Invalid(f"{protocol}_security", "choice", f"“{security}” is not offered.")
    if security == "none" and not is_loopback(host):
        raise Invalid(f"{protocol}_security", "clear", "Without encryption the password would be sent in the clear.")
    return host, int(port), security


def is_loopback(host: str) -> bool:
    """Whether what is said to this host stays on this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
