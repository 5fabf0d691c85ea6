"""What every test may ask for: a database of its own on a real Postgres, and the cast.

Each pytest worker runs one Postgres, migrates one template, and gives every test a copy of it.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import db, schema
from app.local.postgres import LocalPostgres
from tests.cast import Cast, bring_on_stage
from tests.dovecot import account, any_account, maildir_account, maildir_server, sdbox_server

__all__ = ["account", "any_account", "maildir_account", "maildir_server", "sdbox_server"]

_TEMPLATE = "template_signalbox"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A running server without our tables; it goes away with the test run."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-test-"))
    home.chmod(0o755)  # under root Postgres runs as another user, who has to get in
    server = LocalPostgres(home, fast=True)
    server.start()
    yield server
    server.stop()
    server.remove()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def empty_database(postgres: LocalPostgres) -> Iterator[str]:
    """The URL of a database without any table."""
    with _database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def _template(postgres: LocalPostgres) -> str:
    postgres.ensure_database(_TEMPLATE)
    engine = create_engine(postgres.url(_TEMPLATE), poolclass=NullPool)
    schema.upgrade(engine)
    engine.dispose()
    return _TEMPLATE


@pytest.fixture
def database(postgres: LocalPostgres, _template: str) -> Iterator[str]:
    """The URL of a migrated, empty database; `app.db` is bound to it."""
    with _database(postgres, _template) as url:
        engine = db.connect(url)
        yield url
        engine.dispose()


@pytest.fixture
def cast(database: str) -> Cast:
    """Ana, Ben, Carla and Dora with their mailboxes, committed."""
    with db.transaction() as session:
        return bring_on_stage(session)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """One open transaction; what the test does not commit is rolled back."""
    with db.new_session() as session:
        yield session


@contextlib.contextmanager
def _database(server: LocalPostgres, template: str = "template1") -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        try:
            yield server.url(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
