"""`make demo`: everything on this machine, with a sample mailbox to try.

The home is var/demo. Things created once (passwords, ports, mails, members) are recorded there when complete. An
interrupted first start begins anew; a later start continues.
"""

from __future__ import annotations

import argparse
import datetime as dt
import imaplib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from config import Config
from local import parts
from local.dovecot import LocalDovecot
from local.places import LocalPartError
from local.postgres import LocalPostgres
from local.postgres_programs import remove_copies
from local.sample import ADDRESS, SampleMail, sample_mails, with_state
from local.supervisor import Program, Supervisor

MAILS = 400
#: The sample team's tags; their keywords are on its mails already.
TAGS = ("billing", "shipping", "returns", "warranty", "wholesale", "advice", "press")
Command = tuple[list[str], str]  #: the words after `flask`, and its standard input
#: handle, name, role on the mailbox, words in the list of sign-ins
TEAM = (
    ("ana", "Ana Prieto", "manager", "admin, and manager of the mailbox"),
    ("ben", "Ben Okafor", "manager", "manager"),
    ("carla", "Carla Mendes", "agent", "agent"),
    ("dora", "Dora Lind", "observer", "observer"),
)


@dataclass
class Made:
    """Created by the first start and kept by later ones."""

    imap_port: int
    smtp_port: int
    imap_password: str
    passwords: dict[str, str] = field(default_factory=dict)
    complete: bool = False

    @classmethod
    def anew(cls) -> Made:
        ports = (port for port in range(21_143, 22_000) if parts.port_is_free(port))
        return cls(next(ports), next(ports), _password("halden"), {handle: _password(handle) for handle, *_ in TEAM})

    @classmethod
    def read(cls, file: Path) -> Made | None:
        return cls(**json.loads(file.read_text())) if file.exists() else None

    def write(self, file: Path) -> None:
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")


class Demo:
    """One run of the demo under a supervisor."""

    def __init__(self, home: Path, supervisor: Supervisor) -> None:
        self._home = home
        self._supervisor = supervisor
        self._environment = parts.base_environment(home)
        for name in ("SIGNALBOX_DATABASE_URL", "SIGNALBOX_DATABASE_URL_FILE"):
            self._environment.pop(name, None)  # the demo never uses another database
        self._began = time.monotonic()

    def run(self) -> None:
        made = Made.read(self._home / "demo.json")
        if made is None or not made.complete:
            remove(self._home)
            made = Made.anew()
        made.write(self._home / "demo.json")
        self._progress("mail servers and database")
        self._environment["SIGNALBOX_DATABASE_URL"] = parts.start_postgres(
            self._supervisor, self._home, self._dovecot(made), self._smtp(made)
        )
        config = Config.from_env(self._environment, opens_secrets=True)
        parts.migrate(self._environment["SIGNALBOX_DATABASE_URL"], config.seal_key, parts.WEB_ROLE)
        if not made.complete:
            self._fill(made)
        made.complete = True
        made.write(self._home / "demo.json")
        self._progress("web and worker")
        address = parts.start_web_and_worker(self._supervisor, self._environment, parts.web_url(self._home))
        self._welcome(made, address)
        self._supervisor.watch()

    def _dovecot(self, made: Made) -> Program:
        parts.wait_for_port(made.imap_port, "the demo's IMAP server")
        dovecot = _dovecot(self._home, made)
        if not dovecot.base.is_relative_to(self._home):
            self._supervisor.say(
                f"The mails are in {dovecot.base}, because the mail server's user cannot enter {self._home}."
            )
        return Program(
            "dovecot",
            dovecot.prepare(),
            self._environment,
            foundation=True,
            ready=dovecot.ready,
            last_words=dovecot.last_words,
        )

    def _smtp(self, made: Made) -> Program:
        parts.wait_for_port(made.smtp_port, "the demo's SMTP server")
        command = [sys.executable, "-m", "local.smtp", "--port", str(made.smtp_port)]
        command += ["--imap-port", str(made.imap_port), "--user", ADDRESS, "--kept", str(self._home / "sent")]
        return Program(
            "smtp",
            command,
            {**self._environment, "DEMO_IMAP_PASSWORD": made.imap_password},
            folder=str(parts.PROJECT),
            ready=lambda: parts.listens(made.smtp_port),
        )

    def _fill(self, made: Made) -> None:
        self._progress(f"{MAILS} sample mails")
        append_all(made.imap_port, made.imap_password, with_state(sample_mails(MAILS, start=dt.datetime.now(dt.UTC))))
        self._progress("members and the mailbox")
        commands = [*_members(made), _mailbox(made), *_grants(), *_tags()]
        program = [sys.executable, "-m", "local.several"]
        self._supervisor.run(program, self._environment, str(parts.PROJECT), json.dumps(commands))

    def _progress(self, what: str) -> None:
        self._supervisor.say(f"[{time.monotonic() - self._began:4.1f} s] {what} ...")

    def _welcome(self, made: Made, address: str) -> None:
        people = "\n".join(f"    {handle:<8}{made.passwords[handle]:<22}{role}" for handle, _, _, role in TEAM)
        self._supervisor.say(
            f"""
  Signalbox runs at {address}   (after {time.monotonic() - self._began:.1f} s)

  Sign in as
{people}

  The same mailbox in a mail client, where assignments are tags:
    IMAP    127.0.0.1 port {made.imap_port}, no encryption
    user    {ADDRESS}
    password {made.imap_password}
    SMTP    127.0.0.1 port {made.smtp_port}, no encryption (what goes to customers is kept in {self._home / "sent"})

  Commands   SIGNALBOX_HOME={_short(self._home)} .venv/bin/flask mailbox list
  Ctrl-C stops all of it; the next `make demo` continues, `make demo-reset` starts over.
"""
        )


def _members(made: Made) -> Iterator[Command]:
    for handle, name, _, role in TEAM:
        admin = ["--admin"] if "admin" in role else []
        words = ["member", "add", handle, "--name", name, "--email", f"{handle}@halden.example", *admin]
        yield [*words, "--password-stdin"], made.passwords[handle] + "\n"


def _mailbox(made: Made) -> Command:
    imap = ["--imap", f"127.0.0.1:{made.imap_port}", "--imap-security", "none", "--user", ADDRESS]
    smtp = ["--smtp", f"127.0.0.1:{made.smtp_port}", "--smtp-security", "none", "--smtp-user", ADDRESS]
    words = ["mailbox", "add", "Support", "--address", ADDRESS, *imap, *smtp, "--password-stdin"]
    return words, made.imap_password + "\n"


def _grants() -> Iterator[Command]:
    for handle, _, role, _ in TEAM:
        yield ["mailbox", "grant", "Support", handle, role], ""


def _tags() -> Iterator[Command]:
    for name in TAGS:
        yield ["mailbox", "tag", "Support", name], ""


def append_all(port: int, password: str, mails: Iterable[SampleMail]) -> None:
    """Append sample mails to the local server, as if they had been delivered at their time."""
    with imaplib.IMAP4("127.0.0.1", port) as connection:
        connection.login(ADDRESS, password)
        for mail in mails:
            moment = imaplib.Time2Internaldate(mail.internaldate)
            answer, text = connection.append(mail.folder, f"({' '.join(mail.flags)})", moment, mail.raw)
            if answer != "OK":
                raise LocalPartError(f"The mail server refused a sample mail: {text!r}")


def remove(home: Path) -> None:
    """Delete the demo: database, mails, passwords."""
    LocalPostgres(home).remove()
    remove_copies()
    shutil.rmtree(_dovecot(home, Made.anew()).base, ignore_errors=True)
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "supervisor.lock":
            entry.unlink()


def _dovecot(home: Path, made: Made) -> LocalDovecot:
    return LocalDovecot(home / "dovecot", made.imap_port, users={ADDRESS: made.imap_password})


def _password(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(5)}"


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m local.demo")
    arguments.add_argument("--reset", action="store_true", help="forget the demo and end")
    arguments.add_argument("--home", type=Path, default=parts.PROJECT / "var" / "demo")
    options = arguments.parse_args()
    home = options.home.resolve()
    try:
        if options.reset:
            with parts.only_one(home):
                remove(home)
            return
        with Supervisor() as supervisor, parts.only_one(home):
            Demo(home, supervisor).run()
    except LocalPartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
