"""A day of a mailbox: mail arrives, and members and mail clients act, all between two rounds. The result must be the
same whatever fails in the meantime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from app.inbox.conversations.conversation import Conversation
from tests.dovecot import mail
from tests.faults.ledger import Fate, balance, come_to_rest, fates, highest_number
from tests.sync.stage import A_co, Stage


class Days(Generic[A_co]):
    """Days on one stage, one after another. `delivered`: all mails so far."""

    #: Mails that are there in the morning, named for what happens to them.
    names: tuple[str, ...] = ("claimed", "closed", "tagged", "spam", "moved", "assigned", "released", "starred")

    def __init__(self, stage: Stage[A_co]) -> None:
        self.stage = stage
        self.delivered = 0
        self._day = 0
        self._before = 0
        come_to_rest(stage)  # there is nothing to import

    def morning(self) -> None:
        """Everything is quiet, and the mails of this day are there."""
        self._dawn()
        for name in ("closed", "released"):
            self._act(name, Conversation.claim)
        self._act("closed", Conversation.close)
        come_to_rest(self.stage)

    def noon(self) -> None:
        """Members act here, clients there; no round has seen it yet."""
        self._act("claimed", Conversation.claim)
        self._act("tagged", Conversation.tag, "billing", by="ben")
        self._act("tagged", Conversation.set_pending)
        self._act("spam", Conversation.mark_spam)
        self._act("released", Conversation.release)
        account = self.stage.account
        account.add_flags(self._uid("assigned"), "assigned-ben", "state-pending")
        account.add_flags(self._uid("starred"), "\\Flagged", "billing")
        account.move(self._uid("moved"), "Archive")
        self._deliver("new")
        self._deliver("answer", references=self._message_id("closed"))

    def evening(self) -> dict[str, Fate]:
        """Run rounds until nothing is left, and check the ledger. Returns the fates of the day's conversations, by
        name."""
        come_to_rest(self.stage)
        balance(self.stage, self.delivered)
        return self.fates()

    def fates(self) -> dict[str, Fate]:
        """The fates of the day's conversations so far, by name."""
        return {
            subject.removesuffix(f" {self._day}"): fate for subject, fate in fates(self.stage, self._before).items()
        }

    def whole(self) -> dict[str, Fate]:
        """A day without faults."""
        self.morning()
        self.noon()
        return self.evening()

    def _dawn(self) -> None:
        self._before = highest_number(self.stage)
        self._day += 1
        self._deliver(*self.names)
        come_to_rest(self.stage)

    def _deliver(self, *names: str, **fields: str) -> None:
        with self.stage.account.open_directly() as imap:
            for name in names:
                imap.append("INBOX", mail(f"{name} {self._day}", message_id=self._message_id(name), **fields))
        self.delivered += len(names)

    def _message_id(self, name: str) -> str:
        return f"<{name}.{self._day}@day>"

    def _number(self, name: str) -> int:
        return self._before + 1 + self.names.index(name)

    def _uid(self, name: str) -> int:
        return self.stage.uid(self._number(name))

    def _act(self, name: str, verb: Callable[..., object], *args: object, by: str = "carla") -> None:
        self.stage.act(self._number(name), verb, *args, by=by)
