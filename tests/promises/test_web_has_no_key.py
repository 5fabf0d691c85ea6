"""Promise 10: the web process is never given the key that opens mailbox passwords."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.token import make_token
from app.local.parts import web_environment
from app.local.places import free_port
from app.secrets import seal, unseal
from config import Config
from tests.cast import Cast, member

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0


@contextmanager
def web(environment: dict[str, str], port: int) -> Iterator[list[int]]:
    """The web as production runs it; gives the ids of all its processes."""
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while ask(port, "/healthz") != 200 or len(children(process.pid)) < 2:
            assert process.poll() is None, "gunicorn has stopped"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        yield [process.pid, *children(process.pid)]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def ask(port: int, path: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)) as got:
            return int(got.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_files(pid: int) -> set[str]:
    return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}


def test_the_web_serves_without_the_key_on_the_machine(database: str, cast: Cast, tmp_path: Path) -> None:
    given = {**os.environ, "SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(tmp_path)}
    worker = Config.from_env(given, opens_secrets=True)
    assert worker.seal_key is not None
    (tmp_path / "seal_key").unlink()
    with transaction() as session:
        token = make_token(session, member(session, "carla"), by=COMMAND)
    port = free_port()
    with web(given, port) as processes:
        assert ask(port, "/sign-in") == 200
        assert ask(port, "/api/v1/mailboxes", Authorization=f"Bearer {token}") == 200
        assert not any("seal_key" in file for pid in processes for file in open_files(pid))
    assert not (tmp_path / "seal_key").exists()
    assert (
        unseal(seal("as the web seals", Config.from_env(given).seal_public_key), worker.seal_key) == "as the web seals"
    )


def test_a_key_in_the_environment_stays_with_the_worker(database: str, cast: Cast, tmp_path: Path) -> None:
    made = Config.from_env({"SIGNALBOX_HOME": str(tmp_path / "elsewhere")}, opens_secrets=True)
    assert made.seal_key is not None
    key = b64encode(made.seal_key).decode()
    given = {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": database,
        "SIGNALBOX_HOME": str(tmp_path / "home"),
        "SIGNALBOX_SEAL_KEY": key,
    }
    port = free_port()
    with web(web_environment(given, Config.from_env(given, opens_secrets=True)), port) as processes:
        assert ask(port, "/sign-in") == 200
        for pid in processes:
            assert key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert [path.name for path in (tmp_path / "home").iterdir() if path.name.startswith("seal")] == []
