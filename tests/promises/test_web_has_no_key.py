"""Promise 10: the web process is never given the key that opens mailbox passwords."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.people.token import make_token
from app.secrets import seal, unseal
from config import Config
from local.parts import web_environment
from local.places import free_port
from tests.cast import Cast, member
from tests.served import served


def open_files(pid: int) -> set[str]:
    return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}


def test_the_web_serves_without_the_key_on_the_machine(database: str, cast: Cast, tmp_path: Path) -> None:
    given = {**os.environ, "SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(tmp_path)}
    worker = Config.from_env(given, opens_secrets=True)
    assert worker.seal_key is not None
    (tmp_path / "seal_key").unlink()
    with transaction() as session:
        token = make_token(session, member(session, "carla"), by=COMMAND)
    with served(given, free_port()) as web:
        assert web.ask("/sign-in").status == 200
        assert web.ask("/api/v1/mailboxes", Authorization=f"Bearer {token}").status == 200
        assert not any("seal_key" in file for pid in web.processes for file in open_files(pid))
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
    with served(web_environment(given, Config.from_env(given, opens_secrets=True)), free_port()) as web:
        assert web.ask("/sign-in").status == 200
        for pid in web.processes:
            assert key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert [path.name for path in (tmp_path / "home").iterdir() if path.name.startswith("seal")] == []
