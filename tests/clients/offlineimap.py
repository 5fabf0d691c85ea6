"""offlineimap3, which syncs a Maildir with an account. It syncs keywords to which its configuration gives a letter. On
upload it rewrites a mail with Python's `email`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.mail.server import Server
from tests.clients.maildir import LocalMaildir
from tests.clients.programs import Program, program

#: Keywords that appear as letters in a file's name.
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
    """The machine of a person who works with a Maildir."""

    program: Program
    mail: LocalMaildir

    @classmethod
    def of(cls, home: Path, server: Server) -> OfflineImap:
        found = program("offlineimap", home)
        letters = "\n".join(f"customflag_{letter} = {keyword}" for letter, keyword in LETTERS.items())
        (home / ".offlineimaprc").write_text(_CONFIG.format(server=server, home=home, letters=letters))
        return cls(found, LocalMaildir(home / "mail"))

    def sync(self, *folders: str) -> None:
        """All folders, or only these, in this order."""
        for chosen in [["-f", folder] for folder in folders] or [[]]:
            self.program.run("-o", *chosen)

    def letters(self, *keywords: str) -> str:
        return "".join(letter for letter, keyword in LETTERS.items() if keyword in keywords)

    def shows(self, subject: str) -> tuple[str, ...]:
        """The keywords in the name of a mail's file."""
        return tuple(sorted(LETTERS[letter] for letter in self.mail.flags(subject) & LETTERS.keys()))
