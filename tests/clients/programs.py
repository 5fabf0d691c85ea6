"""Runs the programs of mail clients: unpacked, with their own home folder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.unpacked import Unpacked, unpacked

#: A client that takes longer hangs.
PATIENCE = 60.0
#: offlineimap3 of Debian 12 needs modules that Python 3.12 no longer has.
_PYTHON = sys.executable if sys.version_info < (3, 12) else "/usr/bin/python3"


class Failed(Exception):
    """A client ended with an error; its output."""


@dataclass(frozen=True)
class Program:
    """`command` runs it. `home`: separate from the home of the person who runs the tests."""

    part: Unpacked
    command: tuple[str, ...]
    home: Path

    def environment(self) -> dict[str, str]:
        return self.part.environment(HOME=str(self.home), TERM="xterm", LINES="40", COLUMNS="120")

    def run(self, *args: str) -> None:
        """Run it to its end. Raises Failed."""
        done = subprocess.run(
            [*self.command, *args],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise Failed(done.stdout.decode(errors="replace")[-3000:])


def program(name: str, home: Path) -> Program:
    """mbsync, offlineimap or neomutt. The test fails if it is missing."""
    part = unpacked(name)
    home.mkdir()
    if name == "offlineimap":
        return Program(part, (_PYTHON, part.program("usr/share/offlineimap3/run")), home)
    return Program(part, (part.program(f"usr/bin/{name}"),), home)
