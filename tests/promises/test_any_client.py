"""Promise 3: changes by any mail client reach the history, and changes here reach the server. A worker runs as in
production; `doveadm` plays the mail client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import now
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import EventKind, EventRow
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation, kinds, last_event
from tests.waiting import eventually
from tests.worker.process import worker


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast, database: str, tmp_path: Path) -> Iterator[Stage]:
    """One conversation in a mailbox that a worker serves."""
    account.append(mail())
    with connected(account, parser) as stage:
        stage.round()
        with worker(database, tmp_path):
            yield stage


def last(stage: Stage) -> EventRow:
    with transaction() as session:
        return last_event(session, 1)


def test_a_keyword_of_a_mail_client_is_in_the_history_with_the_time_it_can_have_happened(stage: Stage) -> None:
    began = now()
    stage.account.add_flags(stage.uid(), "assigned-carla")
    eventually(lambda: last(stage).kind == EventKind.ASSIGNED)
    event = last(stage)
    assert (event.source, event.actor, event.after) == ("mail client", None, {"assignee": "carla"})
    assert event.not_before is not None
    assert event.not_before < event.at
    assert began < event.at <= now()
    stage.account.add_flags(stage.uid(), "state-closed", "\\Flagged")
    eventually(lambda: last(stage).kind == EventKind.STARRED)
    with transaction() as session:
        assert kinds(session, 1) == ["imported", "assigned", "status", "starred"]
        here = conversation(session, 1)
        assert (here.owner, here.status, here.starred) == ("carla", "closed", True)
    stage.account.remove_flags(stage.uid(), "state-closed")
    eventually(lambda: last(stage).after == {"status": "open"})


def test_a_change_in_another_folder_than_the_inbox_is_heard_too(stage: Stage) -> None:
    stage.account.move(stage.uid(), "Archive")
    eventually(lambda: last(stage).kind == EventKind.MOVED)
    stage.account.add_flags(stage.uid(folder="Archive"), "state-pending", folder="Archive")
    eventually(lambda: last(stage).after == {"status": "pending"})


def test_a_change_in_the_web_becomes_a_keyword_on_the_server(stage: Stage) -> None:
    stage.act(1, Conversation.claim)
    eventually(lambda: stage.shown() == {"assigned-carla"})
    stage.act(1, Conversation.set_pending)
    stage.act(1, Conversation.star)
    stage.act(1, Conversation.tag, "billing", by="ben")
    eventually(lambda: stage.shown() == {"assigned-carla", "state-pending", "\\Flagged", "billing"})
    stage.act(1, Conversation.release)
    eventually(lambda: stage.shown() == {"state-pending", "\\Flagged", "billing"})
