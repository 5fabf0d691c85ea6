"""One database for all tests of a pytest worker, cleaned after each test. Creating one costs ten times as much, and
loses its connections and the statements that SQLAlchemy has compiled.

If a test changed the schema, the next one gets a new database of the same name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from sqlalchemy.orm import Session

from app import db
from local.postgres import LocalPostgres

T = TypeVar("T")
Connection = psycopg.Connection[tuple[object, ...]]

_numbers = itertools.count(1)
#: Deleted rows use space until a table is truncated. Truncating costs as much as deleting from ten small tables.
_SMALL_BYTES = 128 * 1024
#: Triggers do not fire: the history refuses deletion, and restored rows were checked before.
_QUIETLY = "SET LOCAL session_replication_role = replica"
_FILLED = """
  SELECT format('%I', relname), pg_relation_size(oid) FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
_USED_SEQUENCES = """
  SELECT format('%I', sequencename), last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
#: Connections that the next test must not meet: all except those waiting in a pool.
_BUSY = """
  SELECT pid FROM pg_stat_activity AS one WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND (state IS DISTINCT FROM 'idle'
      OR EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = one.pid AND locktype = 'advisory'))
"""
_END_ALL = """
  SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
#: Records every committed change of the schema.
_WATCH_SCHEMA = """
  CREATE SCHEMA watched;
  CREATE TABLE watched.change (tag text);
  CREATE FUNCTION watched.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN INSERT INTO watched.change VALUES (tg_tag); END $$;
  CREATE EVENT TRIGGER watched ON ddl_command_end EXECUTE FUNCTION watched.note();
"""


@dataclass(frozen=True)
class Content:
    """All rows of a database by table, and the values of its sequences."""

    rows: dict[str, bytes]
    sequences: dict[str, int]


class ReusedDatabase:
    """A migrated database with its own engine; `clean` restores its first state."""

    def __init__(self, server: LocalPostgres, template: str) -> None:
        self._server = server
        self._template = template
        self._name = f"reused_{next(_numbers)}"
        self.url = server.url(self._name)
        self.engine = db.connect(self.url)
        self._create()

    def clean(self) -> None:
        """Undo the changes of a test. If that is impossible, leave the database and create a new one."""
        try:
            is_clean = self._cleaned()
        except psycopg.Error:
            is_clean = False
        if not is_clean:
            self.remove()
            self._create()

    def remove(self) -> None:
        self.engine.dispose()
        with suppress(psycopg.Error):
            self._connection.close()
        _drop(self._server, self._name)

    def _create(self) -> None:
        _create(self._server, self._name, self._template)
        self._connection = self._connected()
        self._blank = content(self._connection)
        self._connection.execute(_WATCH_SCHEMA)

    def _connected(self) -> Connection:
        return psycopg.connect(_dsn(self.url), autocommit=True)

    def _cleaned(self) -> bool:
        self._end_busy()
        if self._connection.execute("SELECT tag FROM watched.change").fetchone():
            return False
        with self._connection.transaction():
            self._connection.execute(_QUIETLY)
            _empty(self._connection)
            restore(self._connection, self._blank)
        return True

    def _end_busy(self) -> None:
        if db.engine() is not self.engine:
            db.engine().dispose()
        try:
            busy = self._connection.execute(_BUSY).fetchall()
        except psycopg.OperationalError:  # the test has ended all connections
            self._connection = self._connected()
            busy = self._connection.execute(_BUSY).fetchall()
        if busy:
            self.engine.dispose()
            self._connection.execute(_END_ALL)


class Scenes:
    """Starting points of many tests: created once by the application, then stored as rows."""

    def __init__(self) -> None:
        self._known: dict[Callable[[Session], object], tuple[object, Content]] = {}

    def bring(self, scene: Callable[[Session], T]) -> T:
        """Create it in the database that `app.db` is bound to, which must be empty."""
        if scene not in self._known:
            with db.transaction() as session:
                result = scene(session)
            with _driver() as connection:
                self._known[scene] = result, content(connection, but="alembic_version")
            return result
        known, rows = self._known[scene]
        with _driver() as connection, connection.transaction():
            connection.execute(_QUIETLY)
            restore(connection, rows)
        return known  # type: ignore[return-value]  # what this scene has returned


def content(connection: Connection, *, but: str = "") -> Content:
    """The present rows of all our tables, without the table `but`."""
    rows = {}
    for table in [str(name) for name, _ in connection.execute(_FILLED) if name != but]:
        with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
            rows[table] = b"".join(bytes(piece) for piece in copy)
    return Content(rows, {str(name): int(str(at)) for name, at in connection.execute(_USED_SEQUENCES)})


def restore(connection: Connection, content: Content) -> None:
    """Insert these rows into empty tables."""
    for table, rows in content.rows.items():
        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            copy.write(rows)
    for sequence, at in content.sequences.items():
        connection.execute("SELECT setval(%s::regclass, %s)", [sequence, at])


@contextmanager
def new_database(server: LocalPostgres, template: str = "template1") -> Iterator[str]:
    """The URL of a database that is dropped at the end."""
    name = f"test_{next(_numbers)}"
    _create(server, name, template)
    try:
        yield server.url(name)
    finally:
        _drop(server, name)


def _empty(connection: Connection) -> None:
    sizes = {str(table): int(str(size)) for table, size in connection.execute(_FILLED)}
    grown = [table for table, size in sizes.items() if size > _SMALL_BYTES]
    statements = [f"DELETE FROM {table}" for table in sizes if table not in grown]
    if grown:
        statements.append(f"TRUNCATE {', '.join(grown)} CASCADE")
    statements.append(
        "SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences"
        " WHERE schemaname = 'public' AND last_value IS NOT NULL"
    )
    connection.execute("; ".join(statements).encode())


@contextmanager
def _driver() -> Iterator[Connection]:
    with db.engine().connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield driver


def _create(server: LocalPostgres, name: str, template: str) -> None:
    with psycopg.connect(_dsn(server.url("postgres")), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())


def _drop(server: LocalPostgres, name: str) -> None:
    with psycopg.connect(_dsn(server.url("postgres")), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _dsn(url: str) -> str:
    return url.replace("+psycopg", "")
