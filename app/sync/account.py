"""The settings for reaching a mailbox's servers, and codes for their errors."""

from __future__ import annotations

from typing import cast

from psycopg.errors import DiskFull

from app.inbox.mailboxes.servers import Servers
from app.mail.errors import (
    Broken,
    FolderGone,
    LoginRefused,
    OverQuota,
    Refused,
    Unavailable,
    Unreachable,
    Untrusted,
)
from app.mail.server import Security, Server
from app.secrets import SecretError, ServersChanged, unseal

#: Errors as short codes, which pages translate.
CODES: tuple[tuple[type[Exception], str], ...] = (
    (Untrusted, "untrusted"),
    (Unavailable, "unavailable"),
    (Unreachable, "unreachable"),
    (LoginRefused, "login_refused"),
    (FolderGone, "folder_gone"),
    (OverQuota, "over_quota"),
    (Refused, "refused"),
    (Broken, "broken"),
    (ServersChanged, "servers_changed"),
    (SecretError, "secret"),
    (DiskFull, "disk_full"),
)


def server_of(servers: Servers, private_key: bytes | None) -> Server:
    """The address and sign-in of the IMAP server. Raises SecretError."""
    return Server(
        host=servers.imap_host,
        port=servers.imap_port,
        security=cast(Security, servers.imap_security),
        user=servers.imap_user,
        password=_password(servers, "imap", private_key),
        ca_pem=servers.imap_ca,
    )


def outgoing_of(servers: Servers, private_key: bytes | None) -> Server | None:
    """The address and sign-in of the outgoing server, if the mailbox has one. Raises SecretError."""
    if servers.smtp_host is None:
        return None
    return Server(
        host=servers.smtp_host,
        port=servers.smtp_port or 0,
        security=cast(Security, servers.smtp_security),
        user=servers.smtp_user or "",
        password=_password(servers, "smtp", private_key) if servers.smtp_secret else "",
        ca_pem=servers.imap_ca,
    )


def _password(servers: Servers, protocol: str, private_key: bytes | None) -> str:
    return servers.password(protocol, lambda sealed: unseal(sealed, private_key))


def code_of(error: BaseException) -> str:
    """One of `CODES`, or `internal`."""
    cause = getattr(error, "orig", error)  # the error from Postgres inside the one from SQLAlchemy
    return next((code for kind, code in CODES if isinstance(cause, kind)), "internal")
