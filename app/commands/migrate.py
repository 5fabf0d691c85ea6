"""`flask migrate`: migrates the database to the newest version. It is also the first command of an installation:
loading its settings has created the keys."""

from __future__ import annotations

import click

from app import schema
from app.commands.command import Command, settings
from app.db import engine
from app.privileges import grant_web


class _Migrate(Command):
    needs_newest_schema = False


@click.command(cls=_Migrate)
def migrate() -> None:
    """Update the database and grant the web's role its rights, if one is set."""
    before = schema.current(engine())
    schema.upgrade(engine(), seal_key=settings().seal_key)
    if role := settings().web_database_role:
        grant_web(engine(), role)
    after = schema.current(engine())
    if before == after:
        click.echo(f"The database is already at version {after}.")
    else:
        click.echo(f"The database was at version {before or 'none'} and is now at {after}.")
