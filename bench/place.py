"""The place of a benchmark: a Postgres that keeps its promises (fsync on), a Dovecot, and an account full of mail."""

from __future__ import annotations

import imaplib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey
from sqlalchemy import select

from app import db, schema
from app.db import transaction
from app.inbox import team
from app.inbox.actor import COMMAND
from app.inbox.mailbox import Mailbox
from app.inbox.permission import Role
from app.inbox.token import make_token
from app.local.dovecot import LocalDovecot
from app.local.places import free_port
from app.local.postgres import LocalPostgres
from app.local.sample import SampleMail, sample_mails
from app.mail.server import Server
from app.sync import connect
from config import Config

USER, PASSWORD = "help@halden.example", "bench-password"
KEY = PrivateKey.generate()


@dataclass
class Place:
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
        """A mailbox of that account, nothing imported yet; its id."""
        asked = connect.Account(name="Bench", address=USER, imap=self.server)
        connect.connect(asked, public_key=bytes(KEY.public_key), by=COMMAND)
        with transaction() as session:
            return session.scalars(select(Mailbox.id)).one()

    def agent(self, mailbox_id: int) -> str:
        """A member with a role on the mailbox; an API token of theirs."""
        with transaction() as session:
            carla = team.add_member(session, "carla", "Carla", "carla@halden.example", by=COMMAND)
            team.grant(session, carla, session.get_one(Mailbox, mailbox_id), Role.AGENT, by=COMMAND)
            return make_token(session, carla, by=COMMAND)


@contextmanager
def place() -> Iterator[Place]:
    home = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    home.chmod(0o755)
    postgres = LocalPostgres(home)
    dovecot = LocalDovecot(home / "dovecot", free_port(), users={USER: PASSWORD}, format="maildir")
    postgres.start()
    dovecot.start()
    try:
        postgres.ensure_database("bench")
        schema.upgrade(db.connect(postgres.url("bench")))
        yield Place(home, postgres, dovecot)
    finally:
        db.engine().dispose()
        dovecot.stop()
        postgres.stop()
        postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


def fill(place: Place, count: int) -> int:
    """Put `count` sample mails into the account; returns their bytes."""
    with imaplib.IMAP4("127.0.0.1", place.dovecot.port) as imap:
        imap.login(USER, PASSWORD)
        total = 0
        for mail in sample_mails(count, seed=7):
            total += len(mail.raw)
            _append(imap, mail)
    return total


def _append(imap: imaplib.IMAP4, mail: SampleMail) -> None:
    when: Any = mail.internaldate
    folder = "INBOX" if mail.folder not in ("Sent", "Junk", "Archive", "Trash") else mail.folder
    imap.append(folder, "", imaplib.Time2Internaldate(when), mail.raw)
