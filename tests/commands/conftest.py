"""Runs commands as `flask` does, in this process, with a separate database."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import commands
from config import Config
from tests.dovecot import account, sdbox_server
from tests.sync.stage import KEY

__all__ = ["account", "sdbox_server"]

Run = Callable[..., Result]


@pytest.fixture
def config(database: str, tmp_path: Path) -> Config:
    env = {"SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(tmp_path)}
    return Config.from_env(env, opens_secrets=True)


@pytest.fixture
def run(config: Config) -> Run:
    """`run("member", "list", input="…")` → the result, with exit_code, stdout and stderr."""
    return _run_with(config)


def run_on(database: str, home: Path) -> Run:
    """The same with the mailbox key that `tests.sync.stage` uses."""
    key = b64encode(bytes(KEY)).decode()
    env = {"SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(home), "SIGNALBOX_SEAL_KEY": key}
    return _run_with(Config.from_env(env, opens_secrets=True))


def _run_with(config: Config) -> Run:
    app = Flask("signalbox")
    commands.init_app(app, config)
    runner = app.test_cli_runner()

    def run(*args: str, input: str | bytes | None = None) -> Result:  # noqa: A002  (click's own word)
        return runner.invoke(args=list(args), input=input, catch_exceptions=False)

    return run
