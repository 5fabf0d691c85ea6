"""A newcomer's first minutes: the demo comes up with its mailbox, keeps no key in the web, stops, and continues."""

from __future__ import annotations

import contextlib
import imaplib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.local.demo import MAILS
from app.local.places import free_port
from app.local.sample import ADDRESS


@dataclass
class Running:
    """A demo that is up, and all it has said."""

    process: subprocess.Popen[str]
    said: str

    def told(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        assert found, f"{pattern} in:\n{self.said}"
        return found[1]


@contextmanager
def demo(home: Path) -> Iterator[Running]:
    """Start the demo in this home, wait for its welcome, and stop it as Ctrl-C does."""
    bind = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "app.local.demo", "--home", str(home)],
        env={**os.environ, "SIGNALBOX_BIND": bind},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    try:
        assert process.stdout
        for line in process.stdout:
            said += line
            if "starts over" in line:
                break
        yield Running(process, said)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def mails_in(port: int, password: str) -> int:
    with imaplib.IMAP4("127.0.0.1", port) as connection:
        connection.login(ADDRESS, password)
        return sum(
            int(connection.select(folder, readonly=True)[1][0] or 0) for folder in ("INBOX", "Sent", "Archive", "Junk")
        )


def environment_of_web(demo: subprocess.Popen[str]) -> list[str]:
    """The environments of all processes of the demo that serve pages."""
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
    return [
        Path(f"/proc/{child}/environ").read_bytes().decode()
        for child in children
        if b"gunicorn" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


@pytest.mark.timeout(400)
def test_the_demo_comes_up_with_its_mailbox_stops_and_continues(home: Path) -> None:
    with demo(home) as first:
        address, password = first.told(r"runs at (http://\S+)"), first.told(r"\n    password (\S+)")
        port = int(first.told(r"IMAP +127\.0\.0\.1 port (\d+)"))
        with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
            assert answer.status == 200
        assert mails_in(port, password) == MAILS
        web = environment_of_web(first.process)
        assert len(web) == 1
        assert "SIGNALBOX_SEAL_PUBLIC_KEY=" in web[0]
        assert "SIGNALBOX_SEAL_KEY" not in web[0]
        second = [sys.executable, "-m", "app.local.demo", "--home", str(home)]
        refused = subprocess.run(second, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 1
        assert f"process {first.process.pid}" in refused.stderr

    with demo(home) as again:
        assert again.told(r"\n    password (\S+)") == password
        assert "sample mails" not in again.said
        assert mails_in(int(again.told(r"IMAP +127\.0\.0\.1 port (\d+)")), password) == MAILS
    deadline = time.monotonic() + 30
    while outlived := processes_of(home):
        assert time.monotonic() < deadline, f"outlived the demo: {outlived}"
        time.sleep(0.1)


def processes_of(home: Path) -> list[bytes]:
    """The command lines of processes that name this home."""
    found = []
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it is no process, or has ended meanwhile
            line = (path / "cmdline").read_bytes()
            found += [line] if str(home).encode() in line else []
    return found
