"""Shared by the tests of mail clients: mails named by their subject, members who act on them, and the final checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.history import chain
from app.inbox.mailboxes.folder import Folder
from app.sync.compare.drift import drift
from tests.dovecot import Account, mail
from tests.faults.ledger import Fate, balance, come_to_rest, fates
from tests.sync.modes import number_of
from tests.sync.stage import KEY, Stage


@dataclass
class Scene:
    """A connected mailbox. `delivered`: the number of different mails delivered so far."""

    stage: Stage
    delivered: int = 0

    @property
    def account(self) -> Account:
        """The account by a client's direct way, without anything between our code and the server."""
        return Account(self.stage.account.dovecot, self.stage.account.user)

    def deliver(self, *subjects: str, folder: str = "INBOX") -> None:
        self.deliver_raw(*(mail(subject) for subject in subjects), folder=folder)

    def deliver_raw(self, *raw: bytes, folder: str = "INBOX") -> None:
        with self.account.open() as imap:
            for one in raw:
                imap.append(folder, one)
        self.delivered += len(raw)

    def act(self, subject: str, verb: Callable[..., object], *args: object, by: str = "carla", **told: object) -> None:
        self.stage.act(number_of(subject), verb, *args, by=by, **told)

    def move(self, subject: str, to: str) -> None:
        """A member moves the conversation."""
        with transaction() as session:
            wanted = select(Folder).where(Folder.mailbox_id == self.stage.mailbox_id, Folder.name == to)
            folder = session.scalars(wanted).one()
        self.act(subject, Conversation.move, folder)

    def reckon(self) -> dict[str, Fate]:
        """Run rounds until nothing is left. Check that both sides agree, nothing is lost or doubled, and the history is
        complete. Subject -> fate."""
        come_to_rest(self.stage)
        balance(self.stage, self.delivered)
        assert not drift(self.stage.mailbox_id, private_key=bytes(KEY)).lines
        with transaction() as session:
            assert chain.verify(session).bad is None
        return fates(self.stage)
