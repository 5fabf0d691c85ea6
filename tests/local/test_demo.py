"""The first minutes with the demo: it starts with its mailbox, gives the web no key, stops, and continues."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from local.demo import MAILS
from local.sample import ADDRESS
from tests.local.running import Running, nothing_outlives, running


def demo(home: Path) -> AbstractContextManager[Running]:
    """The demo in this home, once it has printed its welcome."""
    return running("local.demo", "--home", str(home), until="starts over")


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
        second = [sys.executable, "-m", "local.demo", "--home", str(home)]
        refused = subprocess.run(second, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 1
        assert f"process {first.process.pid}" in refused.stderr

    with demo(home) as again:
        assert again.told(r"\n    password (\S+)") == password
        assert "sample mails" not in again.said
        assert mails_in(int(again.told(r"IMAP +127\.0\.0\.1 port (\d+)")), password) == MAILS
    nothing_outlives(home)
