"""Connects Alembic to the database: over the given connection, one migration run at a time, never for long.

A migration that cannot get its lock in time fails instead of blocking people. It is then repeated.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

import app.inbox  # noqa: F401  every table is known once the package is
from app.db import Base
from app.locks import MIGRATE


def run(connection: Connection) -> None:
    with connection.begin():
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        connection.execute(text("SET LOCAL statement_timeout = '15min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATE})
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run(context.config.attributes["connection"])
