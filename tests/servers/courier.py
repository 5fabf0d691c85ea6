"""A real Courier-IMAP on Maildir: no UIDNEXT in SELECT, no CONDSTORE, no MOVE.

Its `imapd` serves one client that has signed in. Courier's own login programs need root and fixed places, so
`courier_login.py` replaces them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.places import SwitchUser
from tests.servers.process import OtherServer

_FOLDERS = ("", ".Sent", ".Drafts", ".Trash", ".Junk", ".Archive")


class Courier(OtherServer):
    part = "courier"
    prefix = "INBOX."
    separator = "."

    def prepare(self) -> None:
        (self.base / "users").mkdir()

    def command(self) -> Sequence[str]:
        imapd, fam = self.unpacked.program("usr/bin/imapd"), self.unpacked.program("usr/libexec/gam_server")
        program, user = Path(__file__).with_name("courier_login.py"), self.account
        return [sys.executable, str(program), *map(str, (self.port, user.uid, user.gid)), imapd, fam]

    def started_as(self) -> SwitchUser:
        """It changes the user itself, because that user may not be able to enter Python's folder."""
        return {}

    def environment(self) -> dict[str, str]:
        return self.unpacked.environment(
            GAM_CLIENT_ID=f"signalbox-{self.port}", IMAP_KEYWORDS="1", IMAP_USELOCKS="1", IMAP_ENHANCEDIDLE="1",
            IMAP_CHECK_ALL_FOLDERS="0", IMAP_OBSOLETE_CLIENT="0", IMAP_UMASK="022", IMAP_ACL="0",
            IMAP_IDLE_TIMEOUT="60", IMAP_SHAREDINDEXFILE="/none", PROTOCOL="IMAP",
        )  # fmt: skip

    def add_user(self, name: str, password: str) -> None:
        home = self.base / "users" / name
        for folder in _FOLDERS:
            for part in ("cur", "new", "tmp"):
                (home / "Maildir" / folder / part).mkdir(parents=True)
            if folder:
                (home / "Maildir" / folder / "maildirfolder").touch()
        (home / "password").write_text(json.dumps(password))
        for path in (home, *home.rglob("*")):
            os.chown(path, self.account.uid, self.account.gid)
