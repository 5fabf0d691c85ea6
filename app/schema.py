"""The schema's version. Every change to the database is a migration in migrations/versions, which this module runs.

Alembic is loaded only for migrations, because it takes a tenth of a second and 8 MB.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class UnknownVersion(Exception):
    """A newer Signalbox created these tables."""


class StepRefused(Exception):
    """A step cannot run; the text says why and what to do."""


def upgrade(engine: Engine, to: str = "head", *, seal_key: bytes | None = None) -> None:
    """Migrate the database to a version, by default the newest. `seal_key` opens the passwords of mailboxes, because
    one step binds them to their servers. Raises UnknownVersion, StepRefused."""
    from alembic import command
    from alembic.util import CommandError

    require_known(current(engine))
    with engine.connect() as connection:
        try:
            command.upgrade(_config(connection, seal_key), to)
        except CommandError as error:
            raise StepRefused(str(error)) from error


def downgrade(engine: Engine, to: str, *, seal_key: bytes | None = None) -> None:
    from alembic import command

    with engine.connect() as connection:
        command.downgrade(_config(connection, seal_key), to)


def current(engine: Engine) -> str | None:
    """The database's version; None before the first migration."""
    with engine.connect() as connection:
        has_versions = connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
        return connection.scalar(text("SELECT version_num FROM alembic_version")) if has_versions else None


def newest() -> str:
    """The version that this code needs."""
    return max(_versions())


def require_known(version: str | None) -> None:
    if version is not None and version not in _versions():
        raise UnknownVersion(f"A newer Signalbox made this database (version {version}): use that one, or a backup.")


def _versions() -> set[str]:
    """The files of the steps begin with their version."""
    return {path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")}


def _config(connection: object, seal_key: bytes | None) -> AlembicConfig:
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"], config.attributes["seal_key"] = connection, seal_key
    return config
