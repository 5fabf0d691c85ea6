"""The rights of the database role that serves the pages: reading, and writing rows. It owns nothing.

It cannot change tables, the history, handles, or the servers and passwords of a mailbox. New servers come from an
attempt that a worker has tested (`take_servers`, a function of the owner).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Inspector, inspect, text

from config import ConfigError

#: Exceptions from reading and writing everything.
_LESS = {
    "alembic_version": "SELECT",
    "event": "SELECT, INSERT",
    "event_chain": "SELECT",
    "feed_cursor": "SELECT",
    "mailbox": "SELECT, INSERT",
    "member": "SELECT, INSERT",
}
#: The other columns of these tables can be updated.
_FIXED = {"mailbox": ("id", "imap_", "smtp_"), "member": ("id", "handle")}


def grant_web(engine: Engine, role: str) -> None:
    """Give the role the rights that pages need, and no others. It can be repeated. Raises ConfigError for a role that
    owns the tables, or is a superuser."""
    with engine.begin() as connection:
        if _is_too_mighty(connection, role):
            raise ConfigError(f"SIGNALBOX_WEB_DATABASE_ROLE: “{role}” owns the tables or is a superuser. Make another.")
        for statement in _statements(inspect(connection), engine.dialect.identifier_preparer.quote_identifier(role)):
            connection.execute(text(statement))


def _is_too_mighty(connection: Connection, role: str) -> bool:
    may_all = "SELECT pg_has_role(:role, relowner, 'MEMBER') FROM pg_class WHERE oid = 'member'::regclass"
    return bool(connection.scalar(text(may_all), {"role": role}))


def _statements(tables: Inspector, role: str) -> Iterator[str]:
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield f"GRANT EXECUTE ON FUNCTION take_servers(integer) TO {role}"
    for table in tables.get_table_names():
        yield f'GRANT {_LESS.get(table, "SELECT, INSERT, UPDATE, DELETE")} ON "{table}" TO {role}'
    for table, fixed in _FIXED.items():
        columns = [column["name"] for column in tables.get_columns(table)]
        free = ", ".join(f'"{name}"' for name in columns if not _is_fixed(name, fixed))
        yield f'GRANT UPDATE ({free}) ON "{table}" TO {role}'


def _is_fixed(column: str, fixed: tuple[str, ...]) -> bool:
    return any(column == name or (name.endswith("_") and column.startswith(name)) for name in fixed)
