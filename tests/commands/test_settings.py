"""What every command needs: valid settings, keys, and a database of this version."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app import commands, db
from app.secrets import SecretError, seal, unseal
from config import Config, ConfigError
from tests.forked import Program
from tests.waiting import PATIENCE


def flask(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command as a person runs it: another process, in the project's folder."""
    without = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        code = Program("flask", *args, environment=without | env, out=out, errors=errors).wait(2 * PATIENCE)
        return subprocess.CompletedProcess(args, code, out.read_text(), errors.read_text())


def test_the_first_command_makes_keys_and_tables_and_is_repeated_without_harm(
    empty_database: str, tmp_path: Path
) -> None:
    env = {"SIGNALBOX_DATABASE_URL": empty_database, "SIGNALBOX_HOME": str(tmp_path)}
    done = flask("member", "list", **env)
    assert (done.returncode, done.stderr) == (1, "Error: The database has no tables yet. Run `flask migrate`.\n")
    assert flask("migrate", **env).returncode == 0
    assert "already" in flask("migrate", **env).stdout
    refused = flask("migrate", **env, SIGNALBOX_WEB_DATABASE_ROLE="postgres")
    assert (refused.returncode, "Make another" in refused.stderr, refused.stderr.count("\n")) == (1, True, 1)
    assert flask("member", "list", **env).returncode == 0
    assert oct((tmp_path / "seal_key").stat().st_mode)[-3:] == "600"


def test_a_wrong_setting_is_named_in_one_line(tmp_path: Path) -> None:
    done = flask("member", "list", SIGNALBOX_HOME=str(tmp_path), SIGNALBOX_SYNC_SECONDS="soon")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: SIGNALBOX_SYNC_SECONDS: 'soon' is not valid; expected")
    assert len(done.stderr.splitlines()) == 1


def test_with_json_each_of_these_failures_is_a_document(empty_database: str, tmp_path: Path) -> None:
    env = {"SIGNALBOX_HOME": str(tmp_path), "SIGNALBOX_DATABASE_URL": empty_database}
    for wrong in ({}, {"SIGNALBOX_SYNC_SECONDS": "soon"}, {"SIGNALBOX_DATABASE_URL": "postgresql://n@127.0.0.1:1/n"}):
        done = flask("mailbox", "list", "--json", **env | wrong)
        document = json.loads(done.stdout)
        assert (done.returncode, document["ok"]) == (1, False)
        assert done.stderr == f"Error: {document['error']}\n"


def test_a_database_of_a_newer_version_is_left_alone_and_said_so(database: str, tmp_path: Path) -> None:
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for words in (["migrate"], ["member", "list"]):
        done = flask(*words, SIGNALBOX_DATABASE_URL=database, SIGNALBOX_HOME=str(tmp_path))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("Error: A newer Signalbox made this database (version 9999)")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("SIGNALBOX_HOME", "/proc/nowhere", "SIGNALBOX_HOME: /proc/nowhere/"),
        ("SIGNALBOX_DATABASE_URL", "postgresql://u:secret@host:port/name", "SIGNALBOX_DATABASE_URL: its value is not"),
        ("SIGNALBOX_WEB_DATABASE_ROLE", "a role", "SIGNALBOX_WEB_DATABASE_ROLE: 'a role' is not valid"),
    ],
)
def test_a_place_that_cannot_be_is_one_line(tmp_path: Path, setting: str, value: str, said: str) -> None:
    done = flask("member", "list", **{"SIGNALBOX_HOME": str(tmp_path), setting: value})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: {said}")


def test_without_any_database_the_command_says_where_one_comes_from(tmp_path: Path) -> None:
    done = flask("member", "list", SIGNALBOX_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "make demo" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    keys = {"secret_key", "seal_key", "seal_public_key"}
    assert {path.name for path in tmp_path.iterdir()} == keys, "a command that only reports makes no database"


def test_a_database_that_is_away_is_one_line(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    app = Flask("signalbox")
    db.connect(url.replace("postgresql:", "postgresql+psycopg:"))
    env = {"SIGNALBOX_DATABASE_URL": url, "SIGNALBOX_HOME": str(tmp_path)}
    commands.init_app(app, Config.from_env(env, opens_secrets=True))
    done = app.test_cli_runner().invoke(args=["mailbox", "list"])
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The database of SIGNALBOX_DATABASE_URL does not answer")
    assert len(done.stderr.splitlines()) == 1


def test_the_web_process_neither_makes_nor_reads_the_key_that_opens_passwords(tmp_path: Path) -> None:
    env = {"SIGNALBOX_HOME": str(tmp_path)}
    with pytest.raises(ConfigError, match="Run `flask migrate` first"):
        Config.from_env(env)
    assert not (tmp_path / "seal_key").exists()
    command = Config.from_env(env, opens_secrets=True)
    (tmp_path / "seal_key").unlink()  # the web process cannot read the key, so it cannot need it
    web = Config.from_env(env)
    assert web.seal_key is None
    assert web.seal_public_key == command.seal_public_key


def test_two_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    def load(_: int) -> tuple[bytes | None, bytes, bytes]:
        config = Config.from_env({"SIGNALBOX_HOME": str(tmp_path)}, opens_secrets=True)
        return config.seal_key, config.seal_public_key, config.secret_key

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(load, range(16)))) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seal_key", "seal_public_key", "secret_key"]


def test_keys_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    key = base64.b64encode(bytes(32)).decode()
    env = {"SIGNALBOX_HOME": str(tmp_path), "SIGNALBOX_SEAL_PUBLIC_KEY": key}
    with pytest.raises(ConfigError, match="SIGNALBOX_SEAL_KEY is missing"):
        Config.from_env(env, opens_secrets=True)
    with pytest.raises(ConfigError, match="does not belong"):
        Config.from_env({**env, "SIGNALBOX_SEAL_KEY": base64.b64encode(b"k" * 32).decode()}, opens_secrets=True)


def test_a_sealed_password_opens_only_with_its_own_key(tmp_path: Path) -> None:
    ours = Config.from_env({"SIGNALBOX_HOME": str(tmp_path / "a")}, opens_secrets=True)
    other = Config.from_env({"SIGNALBOX_HOME": str(tmp_path / "b")}, opens_secrets=True)
    sealed = seal("pässword", ours.seal_public_key)
    assert unseal(sealed, ours.seal_key) == "pässword"
    with pytest.raises(SecretError, match="another key"):
        unseal(sealed, other.seal_key)
    with pytest.raises(SecretError, match="no key"):
        unseal(sealed, None)


def test_a_long_job_of_the_timetable_is_not_logged() -> None:
    program = (
        "import logging; from app.log import configure; configure('text');"
        "logging.getLogger('apscheduler.scheduler').warning('skipped');"
        "logging.getLogger('apscheduler.executors.default').error('failed')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ("skipped" in done.stderr, "failed" in done.stderr) == (False, True)
