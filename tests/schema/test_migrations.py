"""Every migration can run, be reverted and run again, and the result matches the models."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import app.inbox  # noqa: F401  every table is known once the package is
from app import db, schema
from app.inbox.actor import COMMAND
from app.inbox.history.event import EventKind, record
from tests.cast import Cast

_STEPS = [
    script.revision
    for script in reversed(list(ScriptDirectory(str(schema._MIGRATIONS)).walk_revisions()))  # oldest first
]


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    engine = create_engine(empty_database, poolclass=NullPool)
    yield engine
    engine.dispose()


def test_there_is_one_newest_version() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.newest()]


def test_a_step_stays_the_same_when_the_app_changes() -> None:
    steps = list((schema._MIGRATIONS / "versions").glob("*.py"))
    modules = {name for step in steps for node in ast.walk(ast.parse(step.read_text())) for name in _imported(node)}
    assert "alembic" in modules
    assert modules.isdisjoint({"app", "config"})


def test_an_empty_database_is_migrated_to_the_models(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.current(engine) == schema.newest()
    with engine.connect() as connection:
        assert _differences(connection) == []


@pytest.mark.parametrize("step", range(len(_STEPS)), ids=_STEPS)
def test_a_step_is_taken_back_and_taken_again(engine: Engine, step: int) -> None:
    before = _STEPS[step - 1] if step else "base"
    schema.upgrade(engine, _STEPS[step])
    there = _everything(engine)
    schema.downgrade(engine, before)
    if before == "base":
        assert _everything(engine) == [("alembic_version", "version_num")]
    schema.upgrade(engine, _STEPS[step])
    assert _everything(engine) == there


@pytest.mark.parametrize("has", ["comparisons and notices", "comparisons"])
def test_a_database_with_tables_of_the_old_first_step_is_migrated_to_the_newest(engine: Engine, has: str) -> None:
    schema.upgrade(engine, "0002")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        if has == "comparisons":
            connection.execute(text("ALTER TABLE member DROP COLUMN told_event_id"))
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert _differences(connection) == []


def test_two_migrations_at_the_same_time_are_harmless(engine: Engine, empty_database: str) -> None:
    program = "import sys; from sqlalchemy import create_engine; from app import schema; "
    program += "schema.upgrade(create_engine(sys.argv[1]))"
    runs = [subprocess.Popen([sys.executable, "-c", program, empty_database], stderr=subprocess.PIPE) for _ in range(2)]
    assert [(run.wait(), run.communicate()[1]) for run in runs] == [(0, b""), (0, b"")]
    with engine.connect() as connection:
        assert _differences(connection) == []


def test_a_migration_gives_up_on_a_lock_instead_of_stopping_everyone(
    engine: Engine, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.upgrade(engine)
    seen: list[tuple[str, str]] = []

    def look(context: MigrationContext, **_: object) -> None:
        assert context.connection is not None
        timeouts = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        seen.append(tuple(context.connection.execute(text(timeouts)).one()))
        context.connection.execute(text("ALTER TABLE member ADD COLUMN never integer"))

    monkeypatch.setattr(MigrationContext, "run_migrations", look)
    with psycopg.connect(empty_database.replace("+psycopg", "")) as someone:
        someone.execute("SELECT * FROM member")  # and does not end
        with pytest.raises(DBAPIError, match="lock timeout"):
            schema.upgrade(engine)
    assert seen == [("5s", "15min")]


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE event SET kind = 'nothing'",
        "UPDATE event SET member_id = NULL WHERE false OR id > 0",
        "DELETE FROM event",
        "TRUNCATE event",
        "UPDATE event_chain SET number = number + 1",
        "DELETE FROM event_chain",
        "TRUNCATE event_chain",
        "TRUNCATE conversation CASCADE",
        "TRUNCATE mailbox CASCADE",
    ],
)
def test_the_history_refuses_to_be_changed(cast: Cast, session: Session, command: str) -> None:
    with pytest.raises(DBAPIError, match="The history only grows"):
        session.execute(text(command))
    session.rollback()
    record(session, EventKind.RESET, by=COMMAND)
    session.commit()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [(node.module or "").partition(".")[0]] if isinstance(node, ast.ImportFrom) else []


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, db.Base.metadata))


def _everything(engine: Engine) -> list[tuple[str, str]]:
    """Every column with its type, every index, constraint and trigger of the schema."""
    statement = text(
        """
        SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT tablename, indexdef FROM pg_indexes
          WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
            AND conrelid::regclass::text <> 'alembic_version'
        UNION ALL SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1, 2
        """
    )
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement)]
