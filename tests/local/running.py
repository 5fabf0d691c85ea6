"""`make demo` and `make run` as processes: started on free ports, followed until they print the expected text, and
stopped like by Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.places import free_port
from tests.waiting import PATIENCE, eventually


@dataclass
class Running:
    """A running process and its output."""

    process: subprocess.Popen[str]
    said: str

    def told(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        assert found, f"{pattern} in:\n{self.said}"
        return found[1]


@contextmanager
def running(*module: str, until: str, **settings: str) -> Iterator[Running]:
    """Running when it prints `until`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        env={**environment, "SIGNALBOX_BIND": f"127.0.0.1:{free_port()}", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    try:
        assert process.stdout
        for line in process.stdout:
            said += line
            if until in line:
                break
        yield Running(process, said)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=2 * PATIENCE)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def nothing_outlives(home: Path) -> None:
    """Every process with this home in its command or environment has ended, or ends now."""
    eventually(lambda: not _processes_of(home))


def _processes_of(home: Path) -> list[bytes]:
    found = []
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it is not a process, has ended, or is not ours
            told = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            found += [told] if str(home).encode() in told else []
    return found
