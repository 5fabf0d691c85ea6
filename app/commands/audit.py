"""`flask audit …`: exports and verifies the history."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from app.commands.command import Group, fail, mailbox_named, print_json
from app.db import transaction
from app.inbox.history import chain
from app.inbox.history.chain import ChainCheck, Head
from app.inbox.history.event import Event, event_shape
from app.inbox.lists import history

_COLUMNS = ("id", "at", "mailbox", "conversation", "kind", "actor", "source", "not_before", "before", "after")


class Moment(click.ParamType[dt.datetime]):
    """A day (its beginning, in UTC) or a time with its zone."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        try:
            at = dt.datetime.fromisoformat(str(value))
            if at.tzinfo is None and len(str(value)) > len("2026-11-02"):
                self.fail(f"“{value}” has no time zone. Write it like 2026-11-02T09:00:00Z.", param, ctx)
            return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
        except (ValueError, OverflowError):
            self.fail(f"“{value}” is not a date like 2026-11-02 or a time like 2026-11-02T09:00:00Z.", param, ctx)


class KnownHead(click.ParamType[Head]):
    """A head as `verify` prints it: NUMBER:SUM."""

    name = "head"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        number, _, digest = str(value).strip().partition(":")
        if not number.isascii() or not number.isdigit() or len(digest) != 64:
            self.fail(f"“{value}” is not a head. `flask audit verify` prints one, like 812:9f86d0….", param, ctx)
        return Head(int(number), digest.lower())


@click.group(cls=Group)
def audit() -> None:
    """The history: export it, verify it."""


@audit.command()
@click.option("--mailbox", metavar="NAME", help="Only this mailbox; default: everything.")
@click.option("--since", type=Moment(), help="Start at this date or time.")
@click.option("--until", type=Moment(), help="End before this date or time.")
@click.option("--format", "as_", type=click.Choice(["jsonl", "csv"]), required=True)
def export(mailbox: str | None, since: dt.datetime | None, until: dt.datetime | None, as_: str) -> None:
    """Print the history, oldest first: ids and values, one event a line."""
    with transaction() as session:
        box = mailbox_named(session, mailbox) if mailbox is not None else None
        events = history.whole(session, mailbox_id=box.id if box else None, since=since, until=until)
        {"jsonl": _print_jsonl, "csv": _print_csv}[as_](_shapes(events))


@audit.command()
@click.option("--head", "known", type=KnownHead(), help="A head printed earlier. The chain must still contain it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify(known: Head | None, as_json: bool) -> None:
    """Verify the history. Exit code 1 and the first wrong event's id if it was changed."""
    with transaction() as session:
        verdict = chain.verify(session, known=known)
    if as_json:
        print_json(_shape(verdict))
    if verdict.what is not None:
        fail(f"The history was changed: {_told(verdict)}.")
    if not as_json:
        click.echo(f"The history is intact. Lines: {verdict.events}.")
        click.echo(
            f"Store this head elsewhere. `--head` later proves that nothing before it was rewritten: {verdict.head}"
        )


def _told(verdict: ChainCheck) -> str:
    return f"event {verdict.bad} {verdict.what}" if verdict.bad is not None else str(verdict.what)


def _shape(verdict: ChainCheck) -> dict[str, Any]:
    shown: dict[str, Any] = {"ok": verdict.what is None, "events": verdict.events, "head": str(verdict.head)}
    return shown if verdict.what is None else shown | {"bad": verdict.bad, "error": _told(verdict)}


def _shapes(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    return map(event_shape, events)


def _print_jsonl(shapes: Iterable[dict[str, Any]]) -> None:
    for shape in shapes:
        sys.stdout.write(json.dumps(shape, ensure_ascii=False, separators=(",", ":")) + "\n")


def _print_csv(shapes: Iterable[dict[str, Any]]) -> None:
    """Values before and after are JSON in their columns."""
    table = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
    table.writeheader()
    for shape in shapes:
        row = {name: json.dumps(shape[name], ensure_ascii=False) if shape[name] else "" for name in ("before", "after")}
        table.writerow(shape | row)
