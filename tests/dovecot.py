"""A real Dovecot for tests: one server per test run and storage format, a fresh account per test.

`Account` also plays the other mail client through `doveadm`, without our session.
"""

from __future__ import annotations

import imaplib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.mail.imap import Server
from local.dovecot import Format, LocalDovecot, Tls
from local.places import free_port
from tests.account import AnyAccount, Shown
from tests.waiting import eventually

PASSWORD = "secret-enough"
_numbers = itertools.count(1)
_IS_PLAIN = re.compile("[A-Za-z]+")
#: Bytes that a client may not upload, or that Python's own upload would change.
_IS_ODD = re.compile(b"[\r\n\0]")


@dataclass(frozen=True)
class Account(AnyAccount):
    """An IMAP account, with direct access to its server."""

    dovecot: LocalDovecot
    user: str

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self.dovecot.port, "none", self.user, PASSWORD)

    def append(self, raw: bytes, folder: str = "INBOX") -> int:
        """Upload a mail, as mail clients do, and return its UID. `deliver` and a look at the folder take longer."""
        if not _IS_PLAIN.fullmatch(folder) or _IS_ODD.search(raw.replace(b"\r\n", b"")):
            return super().append(raw, folder)
        try:
            with imaplib.IMAP4("127.0.0.1", self.dovecot.port, timeout=10) as client:
                client.login(self.user, PASSWORD)
                status, [answer] = client.append(folder, "", "", raw)
        except (imaplib.IMAP4.error, OSError):
            return super().append(raw, folder)
        uid = re.search(rb"APPENDUID \d+ (\d+)", answer)
        return int(uid[1]) if status == "OK" and uid else super().append(raw, folder)

    def deliver(self, raw: bytes, folder: str) -> None:
        self.dovecot.doveadm("save", "-u", self.user, "-m", folder, stdin=raw)

    def uids(self, folder: str = "INBOX") -> list[int]:
        said = self.dovecot.doveadm("-f", "flow", "fetch", "-u", self.user, "uid", "mailbox", folder)
        return sorted(int(line.removeprefix("uid=")) for line in said.splitlines() if line)

    def flags(self, uid: int, folder: str = "INBOX") -> set[str]:
        query = ("mailbox", folder, "uid", str(uid))
        said = self.dovecot.doveadm("-f", "flow", "fetch", "-u", self.user, "flags", *query)
        return set(said.strip().removeprefix("flags=").split()) - {"\\Recent"}

    def shown(self, folder: str) -> Shown:
        said = self.dovecot.doveadm("-f", "tab", "fetch", "-u", self.user, "uid flags", "mailbox", folder)
        rows = [line.split("\t") for line in said.splitlines()[1:]]
        return {int(uid): frozenset(flags.split()) - {"\\Recent"} for uid, flags in rows}

    def add_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None:
        self._flags("add", uid, names, folder)

    def remove_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None:
        self._flags("remove", uid, names, folder)

    def move(self, uid: int, to: str, folder: str = "INBOX") -> None:
        self.dovecot.doveadm("move", "-u", self.user, to, "mailbox", folder, "uid", str(uid))

    def copy(self, uid: int, to: str, folder: str = "INBOX") -> None:
        self.dovecot.doveadm("copy", "-u", self.user, to, "mailbox", folder, "uid", str(uid))

    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        self.dovecot.doveadm("expunge", "-u", self.user, "mailbox", folder, "uid", str(uid))

    def create_folder(self, name: str) -> None:
        self.dovecot.doveadm("mailbox", "create", "-u", self.user, name)

    def delete_folder(self, name: str) -> None:
        self.dovecot.doveadm("mailbox", "delete", "-u", self.user, name)

    def folder_names(self) -> list[str]:
        return sorted(self.dovecot.doveadm("mailbox", "list", "-u", self.user).splitlines())

    def kick(self) -> None:
        """Also wait until the last connection is gone, because its process may still write."""
        self.dovecot.doveadm("kick", self.user, check=False)
        eventually(lambda: self.user not in self.dovecot.doveadm("who", "-1", self.user, check=False))

    def _flags(self, how: str, uid: int, names: Sequence[str], folder: str) -> None:
        query = ("mailbox", folder, "uid", str(uid))
        self.dovecot.doveadm("flags", how, "-u", self.user, " ".join(names), *query)


@contextmanager
def running_dovecot(
    format: Format,  # noqa: A002  (Dovecot's own word)
    *,
    tls: Tls | None = None,
    extra_config: str = "",
) -> Iterator[LocalDovecot]:
    """A separate server. It is not in pytest's folder, which Dovecot's account cannot enter under root."""
    base = Path(tempfile.mkdtemp(prefix="signalbox-dovecot-"))
    base.chmod(0o755)
    port = free_port()
    users = {"first@example.com": PASSWORD}
    dovecot = LocalDovecot(
        base / "d", port, users=users, format=format, tls=tls, public_folders=["Team"], extra_config=extra_config
    )
    dovecot.start()
    try:
        yield dovecot
    finally:
        dovecot.stop()
        shutil.rmtree(base, ignore_errors=True)


def fresh_account(dovecot: LocalDovecot) -> Account:
    user = f"box{next(_numbers)}-{os.getpid()}@example.com"
    dovecot.add_user(user, PASSWORD)
    return Account(dovecot, user)


@pytest.fixture(scope="session")
def maildir_server() -> Iterator[LocalDovecot]:
    with running_dovecot("maildir") as dovecot:
        yield dovecot


@pytest.fixture(scope="session")
def sdbox_server() -> Iterator[LocalDovecot]:
    with running_dovecot("sdbox") as dovecot:
        yield dovecot


@pytest.fixture(params=["maildir", "sdbox"])
def any_account(request: pytest.FixtureRequest) -> Account:
    """A fresh account, once on each storage format."""
    return fresh_account(request.getfixturevalue(f"{request.param}_server"))


@pytest.fixture
def account(sdbox_server: LocalDovecot) -> Account:
    """A fresh account on sdbox, which holds any number of keywords."""
    return fresh_account(sdbox_server)


@pytest.fixture
def maildir_account(maildir_server: LocalDovecot) -> Account:
    """A fresh account on Maildir, where a folder holds 26 keywords over its lifetime."""
    return fresh_account(maildir_server)


def mail(subject: str = "Hello", body: str = "Hi there\r\n", **fields: str) -> bytes:
    """A small mail. Further header fields as keywords: `message_id="<a@x>"` makes `Message-ID: <a@x>`."""
    given = {
        "From": "Zoe <zoe@customer.example>",
        "To": "support@example.com",
        "Date": "Mon, 02 Nov 2026 10:00:00 +0000",
        "Message-ID": f"<{next(_numbers)}.{os.getpid()}@customer.example>",
    } | {name.replace("_", "-").title().replace("-Id", "-ID"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"Subject: {subject}\r\n{head}\r\n{body}".encode()
