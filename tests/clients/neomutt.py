"""neomutt, which works directly on the account, in an invisible terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from app.mail.server import Server
from tests.clients.programs import PATIENCE, Program, program

_CONFIG = """\
set folder = "imap://{server.host}:{server.port}/"
set spoolfile = "+INBOX"
set imap_user = "{server.user}"
set imap_pass = "{server.password}"
set imap_authenticators = "login"
set ssl_starttls = no
set ssl_force_tls = no
set header_cache = ""
set quit = yes
set delete = yes
set move = no
set confirmappend = no
set wait_key = no
set sleep_time = 0
set resolve = no
set crypt_use_gpgme = no
set mail_check = 1000
set timeout = 1
"""


@dataclass(frozen=True)
class NeoMutt:
    """A person who uses neomutt."""

    program: Program

    @classmethod
    def of(cls, home: Path, server: Server) -> NeoMutt:
        found = program("neomutt", home)
        (home / "neomuttrc").write_text(_CONFIG.format(server=server))
        return cls(found)

    def press(self, keys: str, *, folder: str = "INBOX", settings: str = "") -> None:
        """Open the folder, press these keys, then quit. `settings`: lines of its configuration."""
        rc = self.program.home / "rc"
        rc.write_text(f'source "{self.program.home}/neomuttrc"\n{settings}\npush "{keys}<quit>"\n')
        terminal, inside = pty.openpty()
        try:
            process = subprocess.Popen(
                [*self.program.command, "-n", "-F", str(rc), "-f", f"+{folder}"],
                env=self.program.environment(),
                stdin=inside,
                stdout=inside,
                stderr=inside,
                start_new_session=True,
            )
            os.close(inside)
            with process:
                screen = _until_the_end(terminal)
                process.kill()  # if it still waits for a key
            assert process.returncode == 0, screen[-3000:]
        finally:
            os.close(terminal)

    def on(self, subject: str, keys: str, *, folder: str = "INBOX", settings: str = "") -> None:
        """The same for all mails with these words in the subject. An empty folder accepts no keys."""
        keys = f"<tag-pattern>=s {subject}<enter><tag-prefix-cond>{keys}<end-cond>"
        self.press(keys, folder=folder, settings=settings)


def _until_the_end(terminal: int) -> str:
    """The screen's content until it quit, or until the time limit."""
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
    return shown.decode("utf-8", "replace")
