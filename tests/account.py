"""An IMAP account on a real server, with another mail client at work on it. Each kind of server has its own class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from app.mail.imap import ImapSession, Server

#: The keywords on a folder's mails, by UID.
Shown = dict[int, frozenset[str]]


class AnyAccount(ABC):
    """Changes that tests make to an account without our own session."""

    @property
    @abstractmethod
    def server(self) -> Server:
        """How our own code connects."""

    def spelt(self, folder: str) -> str:
        """The folder's name on this server, which may have its own prefix or separator."""
        return folder

    def open(self) -> ImapSession:
        return ImapSession.open(self.server, connect_timeout=10, read_timeout=30)

    def open_directly(self) -> ImapSession:
        """Open a session by a way that no test breaks."""
        return self.open()

    def opened(self, password: str) -> ImapSession:
        return ImapSession.open(replace(self.server, password=password))

    def append(self, raw: bytes, folder: str = "INBOX") -> int:
        """Deliver a mail; returns its UID."""
        self.deliver(raw, folder)
        return max(self.uids(folder))

    def uids(self, folder: str = "INBOX") -> list[int]:
        return sorted(self.shown(folder))

    def flags(self, uid: int, folder: str = "INBOX") -> set[str]:
        return set(self.shown(folder)[uid])

    @abstractmethod
    def deliver(self, raw: bytes, folder: str) -> None: ...

    @abstractmethod
    def shown(self, folder: str) -> Shown: ...

    @abstractmethod
    def add_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None:
        """Add flags, as a mail client adds a tag."""

    @abstractmethod
    def remove_flags(self, uid: int, *names: str, folder: str = "INBOX") -> None: ...

    @abstractmethod
    def move(self, uid: int, to: str, folder: str = "INBOX") -> None: ...

    @abstractmethod
    def copy(self, uid: int, to: str, folder: str = "INBOX") -> None: ...

    @abstractmethod
    def expunge(self, uid: int, folder: str = "INBOX") -> None: ...

    @abstractmethod
    def create_folder(self, name: str) -> None: ...

    @abstractmethod
    def delete_folder(self, name: str) -> None: ...

    @abstractmethod
    def folder_names(self) -> list[str]: ...

    @abstractmethod
    def kick(self) -> None:
        """End every connection of this account, as a restart of the server would."""
