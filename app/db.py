"""The database: one engine per process, and `transaction()`, the one way to do a unit of work.

A transaction is never held across the network: read, leave it, talk to the server, open another and record.
NUL and lone surrogates, which Postgres cannot hold, are left out of whatever is written or looked for.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import Text

#: Everything that changes is told on this channel: web streams it to open pages, the worker starts a round.
CHANNEL = "signalbox"


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


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """Bind this process to the database. Call once; tests may call it again for another database."""
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=8, pool_pre_ping=True, pool_timeout=10, json_serializer=_json
    )
    event.listen(engine, "connect", lambda connection, _: connection.adapters.register_dumper(str, _CleanText))
    _sessions.configure(bind=engine)
    return engine


def engine() -> Engine:
    """What this process is bound to."""
    with _sessions() as session:
        bound = session.get_bind()
    assert isinstance(bound, Engine)
    return bound


def new_session() -> Session:
    """A bare session for the rare caller that ends its transaction itself (a request's reads)."""
    return _sessions()


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: commits at the end, rolls back on any exception."""
    with _sessions() as session, session.begin():
        yield session


def announce(session: Session, **what: Any) -> None:
    """Tell every process about a change, when and if this transaction commits (at most 8,000 bytes)."""
    session.execute(text("SELECT pg_notify(:channel, :what)"), {"channel": CHANNEL, "what": json.dumps(what)})


class _CleanText(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj if obj.isascii() and "\0" not in obj else _clean(obj))


def _json(value: Any) -> str:
    written = json.dumps(value)
    return json.dumps(_clean_json(value)) if "\\u0000" in written or "\\ud" in written else written


def _clean_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_clean_json(key): _clean_json(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_json(held) for held in value]
    return _clean(value) if isinstance(value, str) else value


def _clean(words: str) -> str:
    return words.replace("\0", "").encode("utf-8", "ignore").decode()
