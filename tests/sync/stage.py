"""The stage of the sync's tests: a mailbox connected to a real Dovecot account, whose rounds the test runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from nacl.public import PrivateKey
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from typing_extensions import TypeVar

from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.admin import team
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import locked
from app.inbox.history.event import EventRow
from app.inbox.lists import history, lists
from app.inbox.lists.items import Item
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.permission import Role
from app.mail.child import MailParser
from app.secrets import seal
from app.sync import connect
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.pull import pull
from app.sync.push.push import push
from app.worker.service import Service
from config import Config
from tests.account import AnyAccount
from tests.cast import member
from tests.dovecot import PASSWORD, Account

KEY = PrivateKey.generate()


def config(**told: Any) -> Config:
    fields: dict[str, Any] = {
        "database_url": None,
        "home": Path(tempfile.gettempdir()),
        "secret_key": b"x" * 32,
        "seal_public_key": bytes(KEY.public_key),
        "seal_key": bytes(KEY),
        "base_url": "http://127.0.0.1:8000",
    }
    return Config(**(fields | told))


def move_server(mailbox: Mailbox, port: int) -> None:
    """Give the mailbox another port, as an administrator who knows the password would."""
    mailbox.imap_port = port
    mailbox.set_password("imap", PASSWORD, lambda document: seal(document, bytes(KEY.public_key)))


A = TypeVar("A", bound=AnyAccount)
#: The default is an account of Dovecot.
A_co = TypeVar("A_co", bound=AnyAccount, default=Account, covariant=True)


@dataclass
class Stage(Generic[A_co]):
    """One mailbox, its account on the server (where another mail client works), and rounds by hand."""

    account: A_co
    mailbox_id: int
    parser: MailParser
    link: Link | None = field(default=None)

    def round(self) -> None:
        """A full round on a persistent connection, like the worker's."""
        error = self.service().once(10)
        assert error is None, error

    def pull(self) -> None:
        with self._linked() as link:
            pull(link)
            importing.go_on(link)

    def push(self) -> None:
        with self._linked() as link:
            push(link)

    def service(self) -> Service:
        return Service(self.mailbox_id, config(), self.parser)

    @contextmanager
    def _linked(self) -> Iterator[Link]:
        with self.account.open() as imap:
            yield Link(self.mailbox_id, imap, self.parser, self.account.open, lambda: True)

    def act(self, number: int, verb: Callable[..., object], *args: Any, by: str = "carla", **told: Any) -> None:
        """A member's act on the conversation with that number: `stage.act(1, Conversation.claim)`."""
        with transaction() as session:
            [held] = locked(session, [conversation(session, number).id])  # as pages and API do
            verb(held, *args, by=web(member(session, by)), **told)

    def uid(self, number: int = 1, folder: str = "INBOX") -> int:
        """The UID of the conversation's first copy in a folder."""
        with transaction() as session:
            copies = [c for m in conversation(session, number).messages for c in m.copies if c.live]
            return next(c.uid for c in copies if c.folder.name == self.account.spelt(folder))

    def shown(self, number: int = 1, folder: str = "INBOX") -> set[str]:
        """The keywords that the server shows on the conversation's first copy."""
        return self.account.flags(self.uid(number, folder), folder)


@contextmanager
def connected(account: A, parser: MailParser, *, name: str = "Shop", **choices: Any) -> Iterator[Stage[A]]:
    """The account connected as a mailbox: Ben manages it, Carla is an agent, Dora observes."""
    asked = connect.MailboxChoices(name=name, address="support@example.com", imap=account.server, **choices)
    connect.connect(asked, public_key=bytes(KEY.public_key), by=COMMAND)
    with transaction() as session:
        box = session.scalars(select(Mailbox).where(Mailbox.name == name)).one()
        for handle, role in (("ben", Role.MANAGER), ("carla", Role.AGENT), ("dora", Role.OBSERVER)):
            team.grant(session, member(session, handle), box, role, by=COMMAND)
        # The cast's mailboxes have no servers; only the connected one is served.
        session.execute(update(Mailbox).where(Mailbox.id != box.id).values(paused_at=box.created_at))
        id_ = box.id
    yield Stage(account, id_, parser)


def conversation(session: Session, number: int) -> Conversation:
    return session.scalars(
        select(Conversation)
        .join(Mailbox)
        .where(Mailbox.name == "Shop", Conversation.number == number)
        .execution_options(populate_existing=True)
    ).one()


def kinds(session: Session, number: int) -> list[str]:
    return [event.kind for event in history.of_conversation(session, conversation(session, number).id)]


def last_event(session: Session, number: int) -> EventRow:
    return history.of_conversation(session, conversation(session, number).id)[-1]


def items(session: Session, handle: str = "carla", view: str = "all") -> list[Item]:
    who: Member = member(session, handle)
    return lists.conversations(session, who, lists.Filter(view=view)).items
