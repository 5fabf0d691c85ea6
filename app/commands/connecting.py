"""`flask mailbox add`, `check` and `mode`: the commands that test what a mail server can keep."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from app.commands.command import Command, line_of_stdin, mailbox_named, possible_line_of_stdin, print_json, settings
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.mailboxes.mailbox import KEYWORD_LIMITS, Mailbox, Mode, check_new_name, keyword_limit_words
from app.inbox.mailboxes.servers import is_loopback
from app.inbox.server import mode
from app.mail.probe import probe
from app.mail.server import Server
from app.sync import connect
from app.sync.account import server_of

_WARNINGS = {
    "no_keywords": "the server takes no keywords.",
    "keywords_lost": "the server accepted a keyword but lost it on the next connection.",
    "keywords_stay_behind": "keywords are lost when a message is moved; Signalbox writes them again.",
    "keywords_gone": "this mailbox keeps its state as keywords, but the server no longer keeps any: "
    "switch with `flask mailbox mode NAME database`.",
    "keywords_possible": "the server keeps keywords, but this mailbox does not use them: "
    "switch with `flask mailbox mode NAME keywords`.",
    "not_proved": "nothing could be tested on this server; this is what it claims.",
    "no_condstore": "the server does not list changes (CONDSTORE), so Signalbox compares flags, which takes longer.",
    "no_move": "the server cannot move messages (MOVE), so Signalbox copies them and marks the originals as deleted.",
    "no_uidplus": "the server cannot remove single messages (UIDPLUS), so originals stay, marked as deleted.",
    "no_idle": "the server does not announce new mail (IDLE), so Signalbox checks every 30 seconds.",
    "read_only": "the folder {} is read-only, so its mail shows no state.",
    "unreadable": "the folder {} cannot be opened and is skipped.",
    "gone": "the folder {} is watched but no longer on the server.",
    "left_behind": "the test folder {} could not be deleted. Delete it yourself.",
}
KEYWORD_LIMIT = click.Choice([keyword_limit_words(limit) for limit in KEYWORD_LIMITS])
_MODE_CHANGED = {
    Mode.KEYWORDS: "the worker compares both sides in its next round. Where they differ, nothing changes until you "
    "choose: see `flask mailbox drift`.",
    Mode.DATABASE: "owners, statuses and tags are now kept in the database only. Keywords on the server "
    "stay as they are.",
}
_SECURITY = click.Choice(["tls", "starttls", "none"])


class HostPort(click.ParamType[tuple[str, int]]):
    """HOST:PORT; an IPv6 address in brackets."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or any(c.isspace() for c in host) or not port.isascii() or not port.isdigit():
            self.fail(f"“{value}” is not HOST:PORT.", param, ctx)
        if not 0 < int(port) < 65536:
            self.fail(f"{port} is not a port.", param, ctx)
        return host, int(port)


class Import(click.ParamType[tuple[str, dt.date | None]]):
    """all, new or since:YYYY-MM-DD."""

    name = "all|new|since:DATE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, dt.date | None]:
        if value in ("all", "new"):
            return value, None
        kind, _, day = str(value).partition(":")
        try:
            if kind != "since":
                raise ValueError(kind)
            return kind, dt.date.fromisoformat(day)
        except ValueError:
            self.fail(f"“{value}” is not one of all, new and since:YYYY-MM-DD.", param, ctx)


class _Tried(Command):
    """Its failures have the shape of its report."""

    def failed(self, error: str) -> dict[str, Any]:
        return connect.failed(error)


@click.command(cls=_Tried)
@click.argument("name")
@click.option("--address", required=True, help="The address customers write to.")
@click.option("--imap", type=HostPort(), required=True, metavar="HOST:PORT")
@click.option("--imap-security", type=_SECURITY, default="tls", show_default=True)
@click.option(
    "--imap-ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM of a private CA, for SMTP too."
)
@click.option("--insecure", is_flag=True, help="Allow an unprotected connection to another machine.")
@click.option("--user", required=True, help="The account's name on the IMAP server.")
@click.option("--password-stdin", is_flag=True, help="Passwords on stdin: line 1 IMAP, line 2 SMTP with --smtp-user.")
@click.option("--smtp", type=HostPort(), metavar="HOST:PORT")
@click.option("--smtp-security", type=_SECURITY, default="tls", show_default=True)
@click.option("--smtp-user", help="Without it no SMTP sign-in is tried.")
@click.option("--folder", "folders", multiple=True, help="Watch this folder, too; repeatable.")
@click.option("--import", "importing", type=Import(), default="all", show_default=True)
@click.option("--close-older-than", "close_days", type=click.IntRange(min=1), metavar="DAYS")
@click.option("--time-zone", type=click.Choice(sorted(available_timezones())), default="UTC", metavar="ZONE")
@click.option(
    "--keyword-limit",
    type=KEYWORD_LIMIT,
    help="Keywords per folder on this server; default: known for the server, or 24.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def add(**given: Any) -> None:
    """Connect the mailbox NAME and print what its server can keep."""
    account = _account(given)
    with transaction() as session:
        check_new_name(session, account.name)
    report = connect.connect(account, public_key=settings().seal_public_key, by=COMMAND)
    _show(report, as_json=given["as_json"], done=f"{account.name} is connected.")


@click.command(cls=_Tried)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(name: str, as_json: bool) -> None:
    """Test a mailbox's connection and what its server can keep."""
    with transaction() as session:
        mailbox = mailbox_named(session, name)
    report = connect.check(mailbox.id, private_key=settings().seal_key)
    _show(report, as_json=as_json, done=f"{mailbox.name} is in order.", mode=mailbox.mode)


@click.command(name="mode", cls=Command)
@click.argument("name")
@click.argument("to", metavar="MODE", type=click.Choice([*map(str, Mode)]))
def change_mode(name: str, to: str) -> None:
    """Keep owners, statuses and tags on the server as `keywords`, or only in the `database`."""
    with transaction() as session:
        mailbox = mailbox_named(session, name)
    if to == mailbox.wanted_mode:
        click.echo(f"{mailbox.name}: already in this mode.")
        return
    if to == Mode.KEYWORDS:
        _require_keywords(mailbox)
    with transaction() as session:
        mode.change_mode(mailbox_named(session, name), Mode(to), by=COMMAND)
    click.echo(f"{mailbox.name}: {_MODE_CHANGED[Mode(to)]}")


def _require_keywords(mailbox: Mailbox) -> None:
    if Mode(probe(server_of(mailbox, settings().seal_key)).mode) is not Mode.KEYWORDS:
        raise click.ClickException(f"The server of {mailbox.name} keeps no keywords. The state stays in the database.")


def _account(given: dict[str, Any]) -> connect.MailboxChoices:
    _refuse_clear_text(given)
    password = _password(given["user"], given["password_stdin"])
    pem = _pem(given["imap_ca"])
    (host, port), (choice, since) = given["imap"], given["importing"]
    return connect.MailboxChoices(
        name=given["name"],
        address=given["address"],
        imap=Server(host, port, given["imap_security"], given["user"], password, pem),
        smtp=_smtp(given, password, pem),
        folders=given["folders"],
        import_choice=choice,
        import_since=dt.datetime.combine(since, dt.time(), ZoneInfo(given["time_zone"])) if since else None,
        close_older_than_days=given["close_days"],
        time_zone=given["time_zone"],
        keyword_limit=given["keyword_limit"],
    )


def _refuse_clear_text(given: dict[str, Any]) -> None:
    for server in ("imap", "smtp"):
        place, security = given[server], given[f"{server}_security"]
        if place and security == "none" and not given["insecure"] and not is_loopback(place[0]):
            raise click.UsageError(
                f"Security `none` sends the password to {place[0]} without encryption. Use --insecure to allow it."
            )


def _password(user: str, from_stdin: bool) -> str:
    if from_stdin:
        return line_of_stdin("the IMAP password")
    if not sys.stdin.isatty():
        raise click.UsageError("Give the IMAP password with --password-stdin, or at a terminal.")
    typed: str = click.prompt(f"IMAP password of {user}", hide_input=True, err=True)
    return typed


def _smtp(given: dict[str, Any], imap_password: str, pem: str | None) -> Server | None:
    """With a user, its password is the second line of stdin if there is one, otherwise the IMAP password."""
    user = given["smtp_user"] or ""
    if given["smtp"] is None:
        if user:
            raise click.UsageError("--smtp-user needs --smtp HOST:PORT.")
        return None
    second = possible_line_of_stdin() if user and given["password_stdin"] else ""
    host, port = given["smtp"]
    return Server(host, port, given["smtp_security"], user, (second or imap_password) if user else "", pem)


def _pem(path: Path | None) -> str | None:
    try:
        return path.read_text(encoding="ascii") if path else None
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--imap-ca: {path} is not a readable PEM file.") from error


def _show(report: dict[str, Any], *, as_json: bool, done: str, mode: str | None = None) -> None:
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join([done, *_in_words(report, mode or report["mode"])]))


def _in_words(report: dict[str, Any], mode: str) -> list[str]:
    reason = "this server keeps no keywords, " if report["mode"] == "database" else ""
    where = {
        "keywords": "State is kept on the server as keywords, visible in every mail client.",
        "database": f"State is kept in Postgres only: {reason}other mail clients do not see owners.",
    }
    lines = [where[mode]]
    able = [name.replace("_", " ") for name, there in report["capabilities"].items() if there is True]
    lines.append(f"The server can: {', '.join(able) or 'only plain IMAP'}.")
    for folder in report["folders"]:
        role = f" ({folder['role']})" if folder["role"] else ""
        lines.append(f"  {'watched' if folder['watched'] else 'not watched':<12} {folder['name']}{role}")
    if report["smtp"]:
        host, port, user = report["smtp"].values()
        lines.append(f"Outgoing mail: {host}:{port} {f'accepts {user}' if user else 'answers'}.")
    if ids := report.get("authserv_ids"):
        lines.append(
            f"It checks senders as {', '.join(ids)}. To show the result on new mail, run `flask mailbox trust`."
        )
    return lines + [f"Note: {_warning(code)}" for code in report["warnings"]]


def _warning(code: str) -> str:
    kind, _, about = code.partition(":")
    return _WARNINGS.get(kind, code).format(about)
