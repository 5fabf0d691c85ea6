"""A server of another make: a process of this test run on 127.0.0.1, in its own folder, never as root."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from local.places import SwitchUser, account, dies_with_parent, free_port
from tests.unpacked import unpacked
from tests.waiting import eventually


class OtherServer(ABC):
    """An unpacked server on this machine. `part` is its name in scripts/unpacked-parts; `prefix` begins the names of
    all its folders except INBOX."""

    part: str
    prefix = ""
    separator = "/"

    def __init__(self) -> None:
        self.unpacked = unpacked(self.part)
        self.account = account()
        self.port = free_port()
        self.base = Path(tempfile.mkdtemp(prefix=f"signalbox-{self.part}-"))
        self.base.chmod(0o755)
        self.account.owns(self.base)
        self.prepare()
        self._give_away()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Write the configuration."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command that runs the server in the foreground."""

    @abstractmethod
    def environment(self) -> dict[str, str]: ...

    def started_as(self) -> SwitchUser:
        return self.account.switch()

    @abstractmethod
    def add_user(self, name: str, password: str) -> None: ...

    def start(self) -> None:
        with (self.base / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=self.base,
                env=self.environment(), start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
                **self.started_as(),
            )  # fmt: skip
        eventually(self._answers_or_died)
        if self._process.poll() is not None:
            pytest.fail(f"{self.part} did not start: {(self.base / 'console.log').read_text(errors='replace')}")

    def stop(self) -> None:
        """End it and every session with it, like a power cut."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def end_sessions(self) -> None:
        """End every session, and leave the server alone."""
        assert self._process is not None
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended already
                pid, name, *rest = re.split(r" \(|\) ", stat.read_text())
                if name == "imapd" and int(rest[0].split()[2]) == self._process.pid:
                    os.kill(int(pid), signal.SIGTERM)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def run(self, *command: str, stdin: str = "") -> None:
        """Run a program of this server to its end, as the server's user."""
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, cwd=self.base,
            env=self.environment(), **self.account.switch(),
        )  # fmt: skip
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def _answers_or_died(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                return connection.recv(4) == b"* OK"
        except OSError:
            return False

    def _give_away(self) -> None:
        for path in self.base.rglob("*"):
            os.chown(path, self.account.uid, self.account.gid)


@contextmanager
def running(server: OtherServer) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.remove()
