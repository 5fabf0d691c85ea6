"""`flask doctor`: checks the parts of an installation. Each line is fine, or says what to do.

It changes nothing and contacts no mail server; `flask mailbox check` does that.
"""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import db, schema
from app.clock import now
from app.commands.command import Command, fail, print_json, reason, settings
from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import Health, health, unattended
from app.secrets import SecretError, seal, unseal

_OLDEST_POSTGRES = 15
#: Snoozes, sessions and the history use the clocks of web and worker, backups that of the database.
_CLOCKS_APART = dt.timedelta(seconds=10)


@dataclass(frozen=True)
class Check:
    """`message`: the result, or what to do."""

    name: str
    ok: bool
    message: str


class _Doctor(Command):
    """Accepts tables of any version, and reports every failure as one of its checks."""

    needs_newest_schema = False

    def failed(self, error: str) -> dict[str, Any]:
        return _document([Check("doctor", False, error)])


@click.command(cls=_Doctor)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(as_json: bool) -> None:
    """Check that everything is in order, and say what to do."""
    checks = list(_checks())
    if as_json:
        print_json(_document(checks))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'BAD '} {check.name:<24} {check.message}")
    if wrong := [check.name for check in checks if not check.ok]:
        fail(f"Not in order: {', '.join(wrong)}.")


def _document(checks: list[Check]) -> dict[str, Any]:
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}


def _checks() -> Iterator[Check]:
    """Checks that an earlier failure makes impossible are left out."""
    yield Check("settings", True, f"people use {settings().base_url}, files are in {settings().home}")
    yield _keys()
    database = _tried("database", _database)
    yield database
    if database.ok:
        migrations = _tried("migrations", _migrations)
        yield migrations
        if migrations.ok:
            with transaction() as session:
                yield from _mailboxes(session)


def _tried(name: str, look: Callable[[], str]) -> Check:
    """`look` returns the result, or raises the problem."""
    try:
        return Check(name, True, look())
    except (SQLAlchemyError, schema.UnknownVersion, _Wrong) as error:
        return Check(name, False, reason(error))


class _Wrong(Exception):
    """The text says what to do."""


def _keys() -> Check:
    config = settings()
    if unseal(seal("a password", config.seal_public_key), config.seal_key) != "a password":
        return Check("keys", False, "Sealed passwords cannot be decrypted. Restore seal_key from a backup.")
    kept = [config.home / name for name in ("seal_key", "secret_key")]
    if open_to_others := [path for path in kept if _open_to_others(path)]:
        files = " ".join(map(str, open_to_others))
        return Check("keys", False, f"Others on this machine can read the keys. Run: chmod 600 {files}")
    return Check("keys", True, "passwords can be decrypted, and nobody else may read the files")


def _open_to_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _database() -> str:
    with db.engine().connect() as connection:
        version, its_time = connection.execute(
            text("SELECT current_setting('server_version_num')::int / 10000, clock_timestamp()")
        ).one()
    if version < _OLDEST_POSTGRES:
        raise _Wrong(f"This is Postgres {version}, but Signalbox needs {_OLDEST_POSTGRES} or newer.")
    if abs(its_time - now()) > _CLOCKS_APART:
        raise _Wrong(f"Its clock says {its_time:%H:%M:%S} UTC, this machine's {now():%H:%M:%S}. Set both by NTP.")
    return f"Postgres {version} answers"


def _migrations() -> str:
    current, newest = schema.current(db.engine()), schema.newest()
    schema.require_known(current)
    if current != newest:
        raise _Wrong(
            f"The tables are at version {current or 'none'}, this program needs {newest}: run `flask migrate`."
        )
    return f"the tables are at version {current}"


def _mailboxes(session: Session) -> Iterator[Check]:
    mailboxes = session.scalars(select(Mailbox).order_by(Mailbox.name)).all()
    if not mailboxes:
        yield Check("mailboxes", True, "none yet: `flask mailbox add` connects one")
    for mailbox in mailboxes:
        how = health(session, mailbox)
        wrong = _wrong_with(mailbox, how)
        yield Check(f"mailbox {mailbox.name}", not wrong, " ".join(wrong) or _in_order(mailbox, how))


def _in_order(mailbox: Mailbox, how: Health) -> str:
    last = f"{how.last_round_at:%Y-%m-%d %H:%M} UTC" if how.last_round_at else "none yet"
    return f"{how.state}, mode {mailbox.mode}, last round: {last}, {how.waiting_push} on the way"


def _wrong_with(mailbox: Mailbox, how: Health) -> list[str]:
    """Problems in the order to solve them: blocking ones first."""
    name = mailbox.name
    wrong = []
    try:
        mailbox.password("imap", lambda sealed: unseal(sealed, settings().seal_key))
    except SecretError as error:
        wrong.append(str(error))
    if how.state == "failing":
        wrong.append(f"{how.error} See `{mailbox.error_code}` in docs/administrators.md, then `flask mailbox resume`.")
    elif unattended(mailbox):
        wrong.append("No worker serves it. Start `flask worker`.")
    if how.something_waits:
        todo = "Free space on the mail server, or raise the quota. " if mailbox.error_code == "over_quota" else ""
        wrong.append(f"{todo}Waiting changes are retried. {how.error}")
    wrong += _wrong_with_mail(how)
    wrong += _wrong_with_folders(name, how)
    if how.held:
        wrong.append(f'Names were lost at once: `flask mailbox held "{name}"` shows them and decides.')
    if how.frozen:
        wrong.append(
            f'Ours or the server’s is to be chosen for what differs: see `flask mailbox drift "{name}"` '
            f"({how.frozen} of the conversations)."
        )
    if how.refused:
        wrong.append(
            f'The server refused names on {how.refused} mails: make room there, then `flask mailbox resume "{name}"`.'
        )
    return wrong


def _wrong_with_mail(how: Health) -> Iterator[str]:
    missing = how.missing - how.deferred - how.waiting_read
    if missing > 0 and how.state == "ok":
        yield f"{missing} messages on the server are missing here. See the worker's log."
    if how.deferred:
        yield f"The mail server does not deliver {how.deferred} messages. Open them in another mail client."
    if how.behind:
        slow = how.last_slow
        sender = f" {how.slow_mails} took long to parse, the last one from {slow.sender or 'nobody'}." if slow else ""
        yield f"Delayed: {how.waiting_read} messages waiting since {how.waiting_read_since:%H:%M} UTC.{sender}"


def _wrong_with_folders(name: str, how: Health) -> Iterator[str]:
    for folder in how.lost_folders:
        yield (
            f"The folder “{folder}” is no longer on the server. Create it again, or "
            f'`flask mailbox watch "{name}" "{folder}" --stop`.'
        )
    for folder in how.refused_folders:
        yield f"The server refuses to show the folder “{folder}”. Give the account permission to read it."
