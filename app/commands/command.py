"""Shared by all commands: settings, output, and one line for each failure."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import db, schema
from app.inbox.errors import InboxError
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox, find_mailbox
from app.inbox.people.member import Member
from app.mail.errors import MailError
from app.secrets import SecretError
from config import Config, ConfigError, local_database_url

_FAILURES = (
    *(InboxError, MailError, ConfigError, SecretError, DBAPIError),
    *(schema.UnknownVersion, schema.StepRefused),
)


class Command(click.Command):
    """A command that needs a database of this version. Every failure, wrong usage included, prints one line, and with
    `--json` a document, too."""

    needs_newest_schema = True

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with self._told_as_document("--json" in args):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with self._told_as_document(ctx.params.get("as_json", False)):
            try:
                if self.needs_newest_schema:
                    _require_newest_schema()
                return super().invoke(ctx)
            except _FAILURES as error:
                raise click.ClickException(reason(error)) from error

    def failed(self, error: str) -> dict[str, Any]:
        """The document of a failure."""
        return {"ok": False, "error": error}

    @contextmanager
    def _told_as_document(self, wanted: bool) -> Iterator[None]:
        try:
            with _in_one_line():
                yield
        except click.ClickException as error:
            if wanted:
                print_json(self.failed(error.format_message()))
            raise


class Group(click.Group):
    command_class = Command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _in_one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _in_one_line():
            return super().invoke(ctx)


def settings() -> Config:
    config: Config = click.get_current_context().ensure_object(ScriptInfo).load_app().config["SIGNALBOX"]
    return config


def print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def fail(why: str) -> NoReturn:
    """End with 1 and one line, for a command whose document is already printed."""
    click.echo(f"Error: {why}", err=True)
    click.get_current_context().exit(1)


def member_named(session: Session, handle: str) -> Member:
    member = find.member_by_handle(session, handle)
    if member is None:
        raise click.ClickException(f"There is no member “{handle}”. `flask member list` shows all members.")
    return member


def mailbox_named(session: Session, name: str) -> Mailbox:
    box = find_mailbox(session, name)
    if box is None:
        raise click.ClickException(f"There is no mailbox “{name}”. `flask mailbox list` shows all mailboxes.")
    return box


def one_side(take_theirs: bool, keep_ours: bool) -> str | None:
    """`theirs` or `ours` from two flags; both flags together are wrong usage."""
    if take_theirs and keep_ours:
        raise click.UsageError("Choose one of --take-theirs and --keep-ours.")
    return "theirs" if take_theirs else "ours" if keep_ours else None


def line_of_stdin(what: str) -> str:
    """The next line of standard input; an empty one is wrong usage."""
    line = possible_line_of_stdin()
    if not line:
        raise click.UsageError(f"--password-stdin expects {what} on a line of standard input.")
    return line


def possible_line_of_stdin() -> str:
    """The next line of standard input, empty if there is none."""
    try:
        line = sys.stdin.readline().rstrip("\r\n")
        line.encode()  # depending on the locale, Python passes on bytes that it could not decode
    except UnicodeError as error:
        raise click.UsageError("Standard input must be UTF-8 text.") from error
    return line


def reason(error: Exception) -> str:
    """The one line for a failure."""
    if isinstance(error, DBAPIError):
        return _database(error)
    if isinstance(error, InboxError):
        return _joined(error)
    if isinstance(error, MailError) and error.answer and error.answer not in str(error):
        return f"{_first_line(error)} The server said: {_first_line(error.answer)}"
    return _first_line(error)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Messages repeat arguments, including click's own messages, so a line break in an argument becomes a space."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # its message is the help
    except click.ClickException as error:
        line = _joined(error.format_message())
        if isinstance(error, click.UsageError):
            raise click.UsageError(line, error.ctx) from error
        raise click.ClickException(line) from error


def _require_newest_schema() -> None:
    current, newest = schema.current(db.engine()), schema.newest()
    if current is None:
        raise click.ClickException("The database has no tables yet. Run `flask migrate`.")
    schema.require_known(current)
    if current != newest:
        raise click.ClickException(
            f"The database is at version {current} and this program needs {newest}. Run `flask migrate`."
        )


def _database(error: DBAPIError) -> str:
    """Without an SQLSTATE no database answered; with one the database refused."""
    message = _first_line(error.orig)
    if getattr(error.orig, "sqlstate", None) is not None:
        return f"The database refused: {message}"
    home = settings().home
    if settings().database_url == local_database_url(home):
        return (
            f"The local Postgres in {home} is not running. Start `make run` or `make demo`, or set "
            "SIGNALBOX_DATABASE_URL to another database."
        )
    return f"The database of SIGNALBOX_DATABASE_URL does not answer: {message}"


def _joined(words: object) -> str:
    return " ".join(str(words).splitlines())


def _first_line(words: object) -> str:
    return next(iter(str(words).strip().splitlines()), "no reason was given").strip()
