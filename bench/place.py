"""The environment of a benchmark: a durable Postgres (fsync on), a Dovecot, and an account full of mail."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nacl.public import PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import db, schema
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.people.token import make_token
from app.inbox.permission import Role
from app.mail.server import Server
from app.sync import connect
from config import Config
from local.dovecot import LocalDovecot
from local.places import free_port
from local.postgres import LocalPostgres
from local.sample import SampleMail, sample_mails

USER, PASSWORD = "help@halden.example", "bench-password"
_FOLDERS = ("Sent", "Junk", "Archive", "Trash")
KEY = PrivateKey.generate()


@dataclass
class Setup:
    home: Path
    postgres: LocalPostgres
    dovecot: LocalDovecot

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self.dovecot.port, "none", USER, PASSWORD)

    def config(self) -> Config:
        return Config(
            database_url=self.postgres.url("bench"),
            home=self.home,
            secret_key=b"b" * 32,
            seal_public_key=bytes(KEY.public_key),
            seal_key=bytes(KEY),
            base_url="http://127.0.0.1:8000",
        )

    def connect_mailbox(self) -> int:
        """Create a mailbox of that account, with nothing imported yet. Returns its id."""
        choices = connect.MailboxChoices(name="Bench", address=USER, imap=self.server)
        connect.connect(choices, public_key=bytes(KEY.public_key), by=COMMAND)
        with transaction() as session:
            return session.scalars(select(Mailbox.id)).one()

    def member(self, session: Session, mailbox_id: int, handle: str = "carla") -> Member:
        """An agent of the mailbox."""
        agent = find.member_by_handle(session, handle)
        if agent is None:
            agent = team.add_member(session, handle, handle.title(), f"{handle}@halden.example", by=COMMAND)
            team.grant(session, agent, session.get_one(Mailbox, mailbox_id), Role.AGENT, by=COMMAND)
        return agent

    def token(self, mailbox_id: int, handle: str = "carla") -> str:
        with transaction() as session:
            return make_token(session, self.member(session, mailbox_id, handle), by=COMMAND)


@contextmanager
def place() -> Iterator[Setup]:
    home = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    home.chmod(0o755)
    postgres = LocalPostgres(home)
    dovecot = LocalDovecot(home / "dovecot", free_port(), users={USER: PASSWORD}, format="maildir")
    postgres.start()
    dovecot.start()
    gc.freeze()  # as wsgi.py does
    try:
        postgres.ensure_database("bench")
        schema.upgrade(db.connect(postgres.url("bench")))
        yield Setup(home, postgres, dovecot)
    finally:
        db.engine().dispose()
        dovecot.stop()
        postgres.stop()
        postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


def fill(place: Setup, count: int, seed: int = 7) -> int:
    """Put `count` sample mails into the account. Returns their bytes. They are written as files, as a delivery agent
    does. By APPEND fifty thousand would take longer than the whole measurement."""
    maildir = place.dovecot.base / "mail" / USER / "Maildir"
    total = 0
    for number, mail in enumerate(sample_mails(count, seed=seed)):
        total += len(mail.raw)
        _deliver(maildir / f".{mail.folder}" if mail.folder in _FOLDERS else maildir, mail, f"{seed}-{number}")
    server = maildir.parents[1].stat()
    for path in (maildir.parent, *maildir.parent.rglob("*")):
        os.chown(path, server.st_uid, server.st_gid)
    return total


def _deliver(folder: Path, mail: SampleMail, name: str) -> None:
    stored, when = mail.raw.replace(b"\r\n", b"\n"), mail.internaldate.timestamp()
    for inner in ("cur", "new", "tmp"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    file = folder / "cur" / f"{int(when)}.{name}.bench,S={len(stored)},W={len(mail.raw)}:2,"
    file.write_bytes(stored)
    os.utime(file, (when, when))
