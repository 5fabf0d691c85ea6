"""Fixtures for all tests: a clean database on a real Postgres, and the cast.

Each pytest worker runs one Postgres and migrates one template. Its tests use one copy of it in turn, and it is cleaned
after each test.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import db, schema
from app.clock import now
from app.inbox.people import password
from app.mail import probe
from local.postgres import LocalPostgres
from tests.cast import Cast, bring_eva_and_sales, bring_on_stage
from tests.chromium import chromium
from tests.database import ReusedDatabase, Scenes, new_database
from tests.dovecot import account, any_account, maildir_account, maildir_server, sdbox_server

__all__ = ["account", "any_account", "chromium", "maildir_account", "maildir_server", "sdbox_server"]

_AS_IN_PRODUCTION = {name: vars(password)[name] for name in ("_hasher", "_NOBODYS_HASH")}
_TEMPLATE = "template_signalbox"


@pytest.fixture(scope="session", autouse=True)
def settled() -> None:
    """Their servers need no time after a move. Their passwords need no protection, so hashing one is quick."""
    probe.SETTLING_SECONDS = 0.0
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    password._hasher, password._NOBODYS_HASH = quick, quick.hash("nobody's")


@pytest.fixture
def slow_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing one takes as long as in production."""
    for name, value in _AS_IN_PRODUCTION.items():
        monkeypatch.setattr(password, name, value)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A running server without our tables, for this test run only."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-test-", dir=_fastest_place()))
    home.chmod(0o755)  # under root Postgres runs as another user, who has to enter the folder
    server = LocalPostgres(home, fast=True)
    server.start()
    yield server
    server.stop()
    server.remove()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def empty_database(postgres: LocalPostgres) -> Iterator[str]:
    """The URL of a database without any table."""
    with new_database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres: LocalPostgres) -> str:
    postgres.ensure_database(_TEMPLATE)
    engine = create_engine(postgres.url(_TEMPLATE), poolclass=NullPool)
    schema.upgrade(engine)
    engine.dispose()
    return _TEMPLATE


@pytest.fixture(scope="session")
def reused_database(postgres: LocalPostgres, template: str) -> Iterator[ReusedDatabase]:
    database = ReusedDatabase(postgres, template)
    yield database
    database.remove()


@pytest.fixture
def database(reused_database: ReusedDatabase) -> Iterator[str]:
    """The URL of a migrated, empty database; `app.db` is bound to it."""
    db.bind(reused_database.engine)
    yield reused_database.url
    reused_database.clean()


@pytest.fixture(scope="session")
def scenes() -> Scenes:
    return Scenes()


@pytest.fixture
def cast(database: str, scenes: Scenes) -> Cast:
    """Ana, Ben, Carla and Dora with their mailboxes, committed."""
    return scenes.bring(bring_on_stage)


@pytest.fixture
def whole_cast(cast: Cast) -> Cast:
    """With Eva, who administers and is an agent, and Sales, which does not exist for Ben."""
    with db.transaction() as session:
        bring_eva_and_sales(session)
    return cast


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """One open transaction. Changes that the test does not commit are rolled back."""
    with Session(db.engine(), expire_on_commit=False) as session:
        yield session


def _fastest_place() -> Path | None:
    """Memory, if there is enough, because a database is many small files. None: the usual temporary folder."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


class Clock:
    """The value of `now` everywhere in app. It stays where it was set."""

    def __init__(self) -> None:
        self.at = now()

    def set(self, at: str) -> None:
        self.at = dt.datetime.fromisoformat(at).astimezone(dt.UTC)

    def pass_(self, **how_long: float) -> None:
        self.at += dt.timedelta(**how_long)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock controlled by the test."""
    held = Clock()
    for name, module in list(sys.modules.items()):
        if name.startswith("app.") and vars(module).get("now") is now:
            monkeypatch.setattr(module, "now", lambda: held.at)
    return held
