"""A worker as in production, on servers of other makes: what wakes it, and what it does when the server fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from tests.dovecot import mail
from tests.servers.conftest import There, differences, how
from tests.sync.stage import conversation
from tests.waiting import PATIENCE, eventually
from tests.worker.process import worker

pytestmark = pytest.mark.faults


def test_a_worker_follows_members_and_clients_and_a_server_that_dies_and_returns(
    stage: There, database: str, tmp_path: Path
) -> None:
    uids = [stage.account.append(mail(f"No {number}")) for number in range(2)]
    stage.round()
    with worker(database, tmp_path):
        stage.act(1, Conversation.claim)
        eventually(lambda: stage.account.flags(uids[0]) == {"assigned-carla"}, 2 * PATIENCE)
        stage.account.add_flags(uids[1], "assigned-ben", "state-pending")
        eventually(lambda: where_it_stands(2) == ("ben", "pending"), 2 * PATIENCE)
        stage.account.other.stop()
        stage.act(2, Conversation.close, by="ben")
        eventually(lambda: how(stage).state == "failing", 2 * PATIENCE)
        stage.account.other.start()
        eventually(lambda: stage.account.flags(uids[1]) == {"assigned-ben", "state-closed"}, 3 * PATIENCE)
        stage.account.append(mail("After it"))
        eventually(lambda: how(stage).state == "ok" and has_come(3), 2 * PATIENCE)
    assert differences(stage) == []


def where_it_stands(number: int) -> tuple[str | None, str]:
    with transaction() as session:
        one = conversation(session, number)
        return one.owner, one.status


def has_come(number: int) -> bool:
    with transaction() as session:
        return number in session.scalars(select(Conversation.number).join(Mailbox).where(Mailbox.name == "Shop")).all()
