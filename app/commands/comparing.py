"""`flask mailbox drift` and `flask mailbox rebuild`: compare the server with the database, and restore state from
it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands.command import Command, mailbox_named, one_side, print_json, settings
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.sync.compare import drift as comparison
from app.sync.compare import sides
from app.sync.compare.drift import Drift, DriftLine
from app.worker import rebuild as rebuilding
from app.worker.rebuild import Rebuilt

#: Nobody reads more lines than this at a terminal; `--json` has all.
_SHOWN = 40


@click.command(cls=Command)
@click.argument("name")
@click.option("--take-theirs", is_flag=True, help="Use the server's values.")
@click.option("--keep-ours", is_flag=True, help="Keep ours and write them to the server.")
@click.option(
    "--conversation", "number", type=click.IntRange(1, 2**31 - 1), metavar="NUMBER", help="Only this conversation."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def drift(name: str, take_theirs: bool, keep_ours: bool, number: int | None, as_json: bool) -> None:
    """Compare the server with the database. Without --take-theirs or --keep-ours nothing changes."""
    use = one_side(take_theirs, keep_ours)
    with transaction() as session:
        mailbox = mailbox_named(session, name)
        if number is not None:
            _require_number(session, mailbox, number)
    differences = comparison.drift(mailbox.id, private_key=settings().seal_key)
    if number is not None:
        differences = Drift([line for line in differences.lines if line.number == number], differences.seen)
    chosen = sides.choose(mailbox.id, differences, take_theirs=use == "theirs", by=COMMAND) if use else None
    if as_json:
        print_json(differences.shape())
    elif not differences.lines:
        click.echo(f"{mailbox.name}: no differences.")
    elif chosen is not None:
        side = "the server shows it" if use == "theirs" else "it is here, and is written again"
        click.echo(f"{mailbox.name}: {_counted(chosen, 'copy counts', 'copies count')} as {side}.")
    else:
        _show(mailbox.name, differences)


def _require_number(session: Session, mailbox: Mailbox, number: int) -> None:
    numbered = select(Conversation.id).where(Conversation.mailbox_id == mailbox.id, Conversation.number == number)
    if session.scalar(numbered) is None:
        raise click.ClickException(f"There is no conversation #{number} in {mailbox.name}.")


def _in_words(line: DriftLine) -> str:
    where = line.folder if line.uid is None else f"{line.folder}/{line.uid}"
    who = f"#{line.number}" if line.number is not None else "–"
    way = ", on its way" if line.waiting else ""
    return f"{who:<8} {where:<16} {line.what}: {_value(line.server)} on the server, {_value(line.ours)} here{way}"


def _value(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or "nothing"


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _show(name: str, differences: Drift) -> None:
    for line in differences.lines[:_SHOWN]:
        click.echo(_in_words(line))
    if len(differences.lines) > _SHOWN:
        click.echo(f"… and {len(differences.lines) - _SHOWN} more: --json shows all.")
    kinds = ", ".join(
        f"{count} × {what}" for what, count in Counter(line.what for line in differences.lines).most_common()
    )
    click.echo(f"{name}: {_counted(len(differences.lines), 'difference', 'differences')} ({kinds}).")


@click.command(cls=Command)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Use the server's values even where members have made changes here.")
def rebuild(name: str, yes: bool) -> None:
    """Restore owners, statuses, stars and tags from the server after the database was lost."""
    with transaction() as session:
        mailbox = mailbox_named(session, name)
    if error := rebuilding.read(mailbox.id, settings()):
        raise click.ClickException(f"{mailbox.name} could not be read: {error}")
    differences = comparison.drift(mailbox.id, private_key=settings().seal_key)
    free, acted = rebuilding.split(mailbox.id, differences)
    sides.choose(mailbox.id, free, take_theirs=True, by=COMMAND)
    if acted.lines and (yes or _confirmed(acted)):
        sides.choose(mailbox.id, acted, take_theirs=True, by=COMMAND)
    for line in _told(mailbox.name, rebuilding.report(mailbox.id)):
        click.echo(line)


def _confirmed(acted: Drift) -> bool:
    """Ask first if members have changed conversations there, because their changes would be lost."""
    count = len({line.conversation for line in acted.lines})
    many = _counted(count, "conversation", "conversations")
    try:
        sure = click.confirm(
            f"Members have changed {many} that differ on the server. Use the server’s values?", err=True
        )
    except click.Abort:
        sure = False
    if not sure:
        click.echo(f"{many} stay as they are here. See `flask mailbox drift`, or use --yes.", err=True)
    return sure


def _told(name: str, now: Rebuilt) -> Iterator[str]:
    statuses = ", ".join(f"{count} {status}" for status, count in now.statuses.items())
    yield f"{name}: {_counted(now.conversations, 'conversation', 'conversations')} ({statuses})."
    yield f"{now.owned} have an owner, {now.tagged} a tag, {now.starred} a star."
    lost = list(_lost(name, now))
    yield "What could not come back:" if lost else "Everything from the server was restored."
    yield from lost
    yield (
        "These come only from a backup of the database: notes, history, numbers, roles, read marks, "
        "merges and splits, labels and colours of tags, mappings."
    )


def _lost(name: str, now: Rebuilt) -> Iterator[str]:
    if now.database_only:
        yield "  owners, statuses and tags, because this mailbox keeps them in the database only."
    for owner, count in now.names.items():
        yield (
            f"  {count} owned by “{owner}”, who may not own conversations here: "
            f'`flask mailbox grant "{name}" {owner} agent` gives them back, after `flask member add {owner}` '
            "where there is no such member."
        )
    if now.disputed:
        numbers = ", ".join(f"#{number}" for number in now.disputed[:_SHOWN])
        yield f"  the owner of {len(now.disputed)}: the newest message names several. Decide for: {numbers}."
    if now.hours_lost:
        yield f"  the end of {_counted(now.hours_lost, 'snooze', 'snoozes')}, now 09:00 on the next working day."
    if now.left_out:
        skipped = _counted(now.left_out, "message", "messages")
        yield f"  the state of {skipped} older than the import’s start, not imported."
    if now.missing:
        yield f"  the state of {_counted(now.missing, 'message', 'messages')} that could not be read."
    if now.unreadable:
        unreadable = _counted(now.unreadable, "unreadable message", "unreadable messages")
        yield f"  the text of {unreadable}; the source is kept."
