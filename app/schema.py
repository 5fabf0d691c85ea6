"""The schema's version. Every change to the database is a migration in migrations/versions, which this module runs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class UnknownVersion(Exception):
    """A newer Signalbox created these tables."""


class StepRefused(Exception):
    """A step cannot run; the text says why and what to do."""


def upgrade(engine: Engine, to: str = "head", *, seal_key: bytes | None = None) -> None:
    """Migrate the database to a version, by default the newest. `seal_key` opens the passwords of mailboxes, because
    one step binds them to their servers. Raises UnknownVersion, StepRefused."""
    require_known(current(engine))
    with engine.connect() as connection:
        try:
            command.upgrade(_config(connection, seal_key), to)
        except CommandError as error:
            raise StepRefused(str(error)) from error


def downgrade(engine: Engine, to: str, *, seal_key: bytes | None = None) -> None:
    with engine.connect() as connection:
        command.downgrade(_config(connection, seal_key), to)


def current(engine: Engine) -> str | None:
    """The database's version; None before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The version that this code needs."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""


def require_known(version: str | None) -> None:
    known = {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    if version is not None and version not in known:
        raise UnknownVersion(f"A newer Signalbox made this database (version {version}): use that one, or a backup.")


def _config(connection: object, seal_key: bytes | None) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"], config.attributes["seal_key"] = connection, seal_key
    return config
