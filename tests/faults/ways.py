"""Ways to reach a mail server: over TLS and STARTTLS, and through a proxy that hides extensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from app.mail.imap import ImapSession
from app.mail.server import Security, Server
from local.dovecot import LocalDovecot, Tls
from local.places import free_port
from tests.dovecot import Account, fresh_account, running_dovecot
from tests.proxy import NEW_KEYWORDS, SELECT_UIDNEXT, STATUS_UIDNEXT, proxied

#: The extensions that the way with this name hides.
HIDES: dict[str, tuple[str, ...]] = {
    "no QRESYNC": ("QRESYNC",),
    "no CONDSTORE": ("CONDSTORE",),
    "no MOVE": ("MOVE",),
    "no UIDPLUS": ("UIDPLUS",),
    "neither MOVE nor UIDPLUS": ("MOVE", "UIDPLUS"),
    "no IDLE": ("IDLE",),
    "no NOTIFY": ("NOTIFY",),
    "no SPECIAL-USE": ("SPECIAL-USE",),
    "no new keywords": (NEW_KEYWORDS,),
    "no UIDNEXT": (SELECT_UIDNEXT, STATUS_UIDNEXT, "CONDSTORE"),
    "IMAP4rev1 alone": (
        "CONDSTORE", "ENABLE", "ESEARCH", "ID", "IDLE", "LIST-EXTENDED", "LITERAL+", "MOVE", "NAMESPACE", "NOTIFY",
        "SASL-IR", "SPECIAL-USE", "UIDPLUS", "UNSELECT",
    ),
}  # fmt: skip
SECURE: dict[str, Security] = {"TLS": "tls", "STARTTLS": "starttls"}
WAYS = (*HIDES, *SECURE)


@dataclass(frozen=True)
class Through(Account):
    """An account that our code reaches by another way than `doveadm`."""

    way: Server

    @property
    def server(self) -> Server:
        return self.way

    def open_directly(self) -> ImapSession:
        return Account(self.dovecot, self.user).open()


def through(account: Account, port: int) -> Through:
    return Through(account.dovecot, account.user, replace(account.server, port=port))


class Servers:
    """The servers for all ways, each started at its first use."""

    def __init__(self, plain: LocalDovecot) -> None:
        self._plain = plain
        self._stack = ExitStack()
        self.secure = cache(self._start_secure)

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def account(self, way: str) -> Iterator[Through]:
        """A fresh account, reached by this way."""
        if way in SECURE:
            dovecot, ports, ca_pem = self.secure()
            account = fresh_account(dovecot)
            security = SECURE[way]
            server = replace(account.server, port=ports[security], security=security, ca_pem=ca_pem)
            yield Through(account.dovecot, account.user, server)
            return
        with proxied(self._plain.port, hides=HIDES[way]) as proxy:
            yield through(fresh_account(self._plain), proxy.port)

    def _start_secure(self) -> tuple[LocalDovecot, dict[Security, int], str]:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="signalbox-tls-")))
        tls = Tls(folder / "cert.pem", folder / "key.pem", free_port())
        certificate.cert_chain_pems[0].write_to_path(str(tls.certificate))
        certificate.private_key_pem.write_to_path(str(tls.key))
        dovecot = self._stack.enter_context(running_dovecot("sdbox", tls=tls))
        return dovecot, {"tls": tls.port, "starttls": dovecot.port}, authority.cert_pem.bytes().decode()
