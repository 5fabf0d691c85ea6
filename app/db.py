"""The database: one engine per process; `transaction()`, the only way to do a unit of work, and `read_only()` for
reading.

A transaction is never open while we talk to a mail server: read, end it, talk, and record in another one. NUL and lone
surrogates, which Postgres cannot store, are removed from all text that is written or searched.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.errors import DeadlockDetected
from psycopg.pq import Format
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import DateTime, Engine, Integer, MetaData, Table, any_, cast, create_engine, event, make_url, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, object_session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import Text

from app.announcements import CHANNEL, Announcement, encoded
from app.rows import cleaned, copied, json_of, of_json
from app.vectors import SearchVector

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: A process that hangs in a transaction loses it, with the locks that others wait for. Every wait for a lock or a
#: statement has a limit; work that was cancelled is retried. A migration sets its own limits. Postgres's default cost
#: of a random read is for spinning disks; with it Postgres would scan whole tables instead of using an index. Postgres
#: would also compile statements that seem expensive, which takes longer than our queries.
_OPTIONS = (
    "-c timezone=UTC -c random_page_cost=1.1 -c jit=off"
    " -c idle_in_transaction_session_timeout=60s -c lock_timeout=20s -c statement_timeout=5min"
)
#: The name of this process's connections in Postgres. Each worker has its own; web processes forked from one share
#: theirs.
PROCESS = f"signalbox {secrets.token_hex(8)}"
#: A connection used this recently counts as alive.
_FRESH_SECONDS = 1.0
#: The number of tries for a unit of work that meets deadlocks.
_TRIES = 10
#: The key in a session under which announcements are kept until commit.
_ANNOUNCED = "announced at commit"
#: The execution option for the data of a COPY.
_COPIED = "copied"
#: The execution option that takes the cursor of a query by `rows`.
_READ = "read"

P = ParamSpec("P")
T = TypeVar("T")
Shape = TypeVar("Shape", bound="DataclassInstance")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        dt.datetime: DateTime(timezone=True),
        str: Text,
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


_sessions: sessionmaker[Session] = sessionmaker(expire_on_commit=False)
_readings: sessionmaker[Session] = sessionmaker(autoflush=False)
#: Statements of `rows` whose columns were checked against the fields of their shape.
_compared: set[tuple[str, type]] = set()


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """Connect this process to the database. Call once; tests may call it again for another database."""
    options = make_url(url).query.get("options", "")
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        pool_use_lifo=True,  # the connection used last: its statements are prepared, and the others stay small
        pool_timeout=10,
        json_serializer=json_of,
        json_deserializer=of_json,
        connect_args={"options": f"{_OPTIONS} {options}".strip(), "application_name": PROCESS},
    )
    event.listen(engine, "connect", _register_dumpers)
    event.listen(engine, "do_execute", _copy)
    event.listen(engine, "do_execute", _read)
    _try_what_is_stale(engine)
    bind(engine)
    return engine


def bind(engine: Engine) -> None:
    """From now on sessions of this process use this engine."""
    _sessions.configure(bind=engine)
    _readings.configure(bind=engine.execution_options(isolation_level="AUTOCOMMIT"))


def engine() -> Engine:
    """The engine of this process."""
    with _sessions() as session:
        bound = session.get_bind()
    assert isinstance(bound, Engine)
    return bound


def session_of(thing: Base) -> Session:
    """The session in which this object was loaded."""
    session = object_session(thing)
    assert session is not None
    return session


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: commits at the end, rolls back on any exception."""
    with _sessions() as session, session.begin():
        yield session


@contextmanager
def read_only() -> Iterator[Session]:
    """Read the present state, for frequent queries. Changes would be lost, so there must be none. Each statement is its
    own transaction. In our transactions, too, each statement sees what was committed before it, so a BEGIN and COMMIT
    would only cost two more round trips."""
    with _readings() as session:
        yield session
        assert not [*session.new, *session.dirty, *session.deleted]


def retried(work: Callable[P, T]) -> Callable[P, T]:
    """Retry a unit of work that Postgres aborted because of a deadlock.

    Locks are taken in one order, except when a tag is adopted while its conversation is already locked, and when a
    whole mailbox is changed."""

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        tries = 0
        while True:
            tries += 1
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if tries == _TRIES or not isinstance(error.orig, DeadlockDetected):
                    raise
                time.sleep(random.uniform(0, 0.05) * tries)  # so that the same two do not collide again

    return done


def any_of(ids: Iterable[int]) -> Any:
    """`column == any_of(ids)`: any number of ids in one parameter, so that the statement stays the same."""
    return any_(cast(sorted(set(ids)), ARRAY(Integer)))


def announce(session: Session, announcement: Announcement) -> None:
    """Inform every process when this transaction commits. All announcements of one transaction are sent in one
    statement."""
    waiting: dict[object, Announcement] = session.info.setdefault(_ANNOUNCED, {})
    earlier = waiting.get(announcement.about)
    waiting[announcement.about] = announcement if earlier is None else announcement.after(earlier)


@event.listens_for(Session, "before_commit")
def _send_announcements(session: Session) -> None:
    """Not with `session.execute`, which would flush each change separately first instead of all together."""
    if waiting := session.info.pop(_ANNOUNCED, None):
        session.connection().execute(
            text("SELECT pg_notify(:channel, what) FROM unnest(CAST(:all AS text[])) AS what"),
            {"channel": CHANNEL, "all": [encoded(one) for one in waiting.values()]},
        )


@event.listens_for(Session, "after_rollback")
def _forget_announcements(session: Session) -> None:
    session.info.pop(_ANNOUNCED, None)


def rows(session: Session, sql: str, shape: type[Shape], **values: object) -> list[Shape]:
    """Read rows into small dataclasses. The statement selects columns with the names of the first fields, in their
    order; further fields keep their defaults. A value is written `%(name)s`, and a percent sign `%%`.

    This is the read side of pages and API. For the same statement the ORM needs ten times as much CPU in our process,
    and its objects can be changed. Verbs need that; pages do not."""
    if session.autoflush:
        session.flush()
    read: list[psycopg.Cursor] = []
    session.connection().exec_driver_sql(sql, values, execution_options={_READ: read})
    [cursor] = read
    if (sql, shape) not in _compared:  # only once, because naming the columns takes as long as reading a few rows
        _compare_columns(cursor, shape)
        _compared.add((sql, shape))
    return [shape(*row) for row in cursor]


def _compare_columns(cursor: psycopg.Cursor, shape: type[DataclassInstance]) -> None:
    names, columns = [field.name for field in fields(shape)], [column.name for column in cursor.description or ()]
    assert names[: len(columns)] == columns, f"{shape.__name__} needs {names}, the statement has {columns}"


def _read(cursor: Any, statement: str, values: Any, context: Any) -> bool:
    """Uses the driver's cursor, because SQLAlchemy's own checks each column of a result, which costs twice as much as
    the query. Errors and events are still SQLAlchemy's."""
    read = context.execution_options.get(_READ)
    if read is None:
        return False
    read.append(cursor.connection.execute(statement, values))
    return True


def first_row(session: Session, sql: str, shape: type[Shape], **values: object) -> Shape | None:
    """The first of the rows; None if there is none."""
    return next(iter(rows(session, sql, shape, **values)), None)


def insert_rows(session: Session, entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows with the same columns by one COPY. Columns that are not in the rows get their default.

    One statement per row costs thirty times as much CPU in our process, and the ORM's bulk insert groups rows by which
    values are NULL. An INSERT from a JSON document costs Postgres one and a half times as much."""
    if rows:
        assert isinstance(entity.__table__, Table)
        statement, lines = copied(entity.__table__, rows)
        session.execute(text(statement), execution_options={_COPIED: lines})


def _copy(cursor: Any, statement: str, _: object, context: Any) -> bool:
    """The driver has its own COPY; this way we keep SQLAlchemy's errors and events."""
    lines = context.execution_options.get(_COPIED)
    if lines is None:
        return False
    with cursor.copy(statement) as copy:
        copy.write(lines)
    return True


def _try_what_is_stale(engine: Engine) -> None:
    """Test a pooled connection that was not used recently. It may be dead, and then all may be, for example because
    Postgres was restarted. The pool's own check runs at every use and costs as much as a statement."""

    def note_use(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used at"] = time.monotonic()

    def try_it(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info["used at"] < _FRESH_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "connect", note_use)
    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", try_it)


def _register_dumpers(connection: Any, _: object) -> None:
    connection.adapters.register_dumper(str, _CleanText)
    connection.adapters.register_dumper(SearchVector, _Vector)


class _CleanText(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj if obj.isascii() and "\0" not in obj else cleaned(obj))


class _Vector(Dumper):
    format, oid = Format.BINARY, 3614  # tsvector in pg_type

    def dump(self, obj: SearchVector) -> Buffer | None:
        return obj
