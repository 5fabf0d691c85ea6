"""offlineimap3, which keeps a Maildir and an account the same. It carries the keywords that its configuration gives a
letter, and it writes a mail anew, with Python's `email`, when it uploads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.mail.server import Server
from tests.clients.maildir import LocalMaildir
from tests.clients.programs import Program, program

#: The keywords that are shown as letters of a file's name.
LETTERS = {"a": "assigned-carla", "b": "assigned-ben", "c": "state-closed", "p": "state-pending", "t": "billing"}

_CONFIG = """\
[general]
metadata = {home}/metadata
accounts = shop
ui = quiet
fsync = False

[Account shop]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = {home}/mail
{letters}

[Repository remote]
type = IMAP
remotehost = {server.host}
remoteport = {server.port}
ssl = no
starttls = no
auth_mechanisms = LOGIN
remoteuser = {server.user}
remotepass = {server.password}
folderfilter = lambda name: not name.startswith("Public")
"""


@dataclass(frozen=True)
class OfflineImap:
    """A machine on which somebody works with a Maildir."""

    program: Program
    mail: LocalMaildir

    @classmethod
    def of(cls, home: Path, server: Server) -> OfflineImap:
        found = program("offlineimap", home)
        letters = "\n".join(f"customflag_{letter} = {keyword}" for letter, keyword in LETTERS.items())
        (home / ".offlineimaprc").write_text(_CONFIG.format(server=server, home=home, letters=letters))
        return cls(found, LocalMaildir(home / "mail"))

    def sync(self, *folders: str) -> None:
        """All folders, or just these, in this order."""
        for chosen in [["-f", folder] for folder in folders] or [[]]:
            self.program.run("-o", *chosen)

    def letters(self, *keywords: str) -> str:
        return "".join(letter for letter, keyword in LETTERS.items() if keyword in keywords)

    def shows(self, subject: str) -> tuple[str, ...]:
        """The keywords that the name of a mail's file shows."""
        return tuple(sorted(LETTERS[letter] for letter in self.mail.flags(subject) & LETTERS.keys()))
