"""Our own mail client for any server: one connection for each act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from imapclient import IMAPClient

from app.mail.imap import Server
from tests.account import AnyAccount, Shown
from tests.dovecot import PASSWORD
from tests.servers.process import OtherServer


@dataclass(frozen=True)
class ClientAccount(AnyAccount):
    other: OtherServer
    user: str

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self.other.port, "none", self.user, PASSWORD)

    def spelt(self, folder: str) -> str:
        prefix = self.other.prefix
        if folder == "INBOX" or (prefix and folder.startswith(prefix)):
            return folder
        return prefix + folder.replace("/", self.other.separator)

    def deliver(self, raw: bytes, folder: str) -> None:
        with self.client() as client:
            client.append(self.spelt(folder), raw)

    def shown(self, folder: str) -> Shown:
        with self.client(folder) as client:
            uids = client.search("ALL")
            rows = client.fetch(uids, ["FLAGS"]) if uids else {}
            return {uid: frozenset(map(bytes.decode, row[b"FLAGS"])) - {"\\Recent"} for uid, row in rows.items()}

    def add_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None:
        with self.client(folder) as client:
            client.add_flags([uid], names)

    def remove_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None:
        with self.client(folder) as client:
            client.remove_flags([uid], names)

    def move(self, uid: int, to: str, folder: str = "INBOX") -> None:
        with self.client(folder) as client:
            if client.has_capability("MOVE"):
                client.move([uid], self.spelt(to))
                return
            client.copy([uid], self.spelt(to))
            client.add_flags([uid], ["\\Deleted"])
            client.uid_expunge([uid])

    def copy(self, uid: int, to: str, folder: str = "INBOX") -> None:
        with self.client(folder) as client:
            client.copy([uid], self.spelt(to))

    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        with self.client(folder) as client:
            client.add_flags([uid], ["\\Deleted"])
            client.uid_expunge([uid])

    def create_folder(self, name: str) -> None:
        with self.client() as client:
            client.create_folder(self.spelt(name))

    def delete_folder(self, name: str) -> None:
        with self.client() as client:
            client.delete_folder(self.spelt(name))

    def folder_names(self) -> list[str]:
        with self.client() as client:
            return sorted(name for _, _, name in client.list_folders())

    def kick(self) -> None:
        """Those of all accounts."""
        self.other.end_sessions()

    @contextmanager
    def client(self, folder: str | None = None) -> Iterator[IMAPClient]:
        """Signed in, with this folder open."""
        with IMAPClient("127.0.0.1", self.other.port, ssl=False, timeout=30) as client:
            client.login(self.user, PASSWORD)
            if folder is not None:
                client.select_folder(self.spelt(folder))
            yield client
