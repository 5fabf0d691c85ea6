"""`flask worker`: sync the mailboxes, permanently or for one round."""

from __future__ import annotations

import click

from app import log
from app.commands.command import Command, settings


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="One full round of every mailbox, then stop.")
@click.pass_context
def worker(ctx: click.Context, once: bool) -> None:
    """Sync the mailboxes until stopped."""
    from app.worker import process

    log.configure(settings().log)
    ctx.exit(process.run(settings(), once=once))
