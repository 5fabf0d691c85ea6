"""mbsync (isync), which syncs a Maildir with an account. It uploads moved mails with an additional `X-TUID` line, then
deletes the original. It does not sync keywords."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.mail.server import Server
from tests.clients.maildir import LocalMaildir
from tests.clients.programs import Program, program

_CONFIG = """\
FSync no

IMAPStore server
Host {server.host}
Port {server.port}
User {server.user}
Pass {server.password}
SSLType None
AuthMechs LOGIN

MaildirStore local
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel shop
Far :server:
Near :local:
Patterns * !Public*
Create Near
Expunge Both
SyncState *
"""


@dataclass(frozen=True)
class Mbsync:
    """The machine of a person who works with a Maildir."""

    program: Program
    mail: LocalMaildir

    @classmethod
    def of(cls, home: Path, server: Server) -> Mbsync:
        found = program("mbsync", home)
        (home / "mail").mkdir()
        (home / ".mbsyncrc").write_text(_CONFIG.format(server=server, home=home))
        return cls(found, LocalMaildir(home / "mail"))

    def sync(self, *folders: str) -> None:
        """All folders, or only these, in this order."""
        for what in [f"shop:{folder}" for folder in folders] or ["shop"]:
            self.program.run(what)
