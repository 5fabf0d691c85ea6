"""The web as in production: gunicorn with its processes, and its responses over the network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from tests.waiting import PATIENCE, eventually

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Answer:
    status: int  # 0: no response
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Served:
    port: int
    process: subprocess.Popen[bytes]

    def ask(self, path: str, **headers: str) -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as got:
                return Answer(got.status, got.headers, got.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
        except OSError:
            return Answer(0, Message(), b"")

    @property
    def workers(self) -> list[int]:
        """The ids of the processes that answer."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def renew(self) -> None:
        """Replace the answering processes with new forks, without streams and data of the last test."""
        old = self.workers
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(self.workers) == len(old) and not {*self.workers} & {*old})

    @property
    def processes(self) -> list[int]:
        return [self.process.pid, *self.workers]


@contextmanager
def served(environment: Mapping[str, str], port: int, *, workers: int = 2) -> Iterator[Served]:
    """Started with this environment; ended with the test."""
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    web = Served(port, process)

    def answers() -> bool:
        assert process.poll() is None, "gunicorn has stopped"
        return web.ask("/healthz").status == 200 and len(web.workers) == workers

    try:
        eventually(answers, patience=4 * PATIENCE)  # it loads everything, perhaps beside other such starts
        yield web
    finally:
        process.terminate()
        process.wait(PATIENCE)
