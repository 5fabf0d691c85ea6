"""`flask worker --once`: one full round of every mailbox, for a timer. Its exit code shows whether everything
succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import engine, transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.worker.holder import Holder
from app.worker.service import SERVED_ELSEWHERE
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.forked import Program
from tests.sync.stage import Stage, connected, move_server
from tests.waiting import PATIENCE
from tests.worker.process import settings


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def once(database: str, home: Path) -> tuple[int, str]:
    """The exit code, and the last line of its output."""
    log = home / "once.log"
    code = Program("flask", "worker", "--once", environment=settings(database, home), out=log).wait(4 * PATIENCE)
    return code, log.read_text().strip().rpartition("\n")[2]


def test_a_round_reads_and_writes_and_ends_with_0(stage: Stage, database: str, tmp_path: Path) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.account.append(mail("Second"))
    assert once(database, tmp_path)[0] == 0
    assert stage.shown() == {"assigned-carla"}
    with transaction() as session:
        assert session.query(Conversation).filter_by(mailbox_id=stage.mailbox_id).count() == 2


def test_a_mailbox_whose_server_is_away_is_named_and_the_end_is_1(stage: Stage, database: str, tmp_path: Path) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        move_server(mailbox, 1)
        name = mailbox.name
    code, line = once(database, tmp_path)
    assert code == 1
    assert line.startswith(f"{name}: ")


def test_a_mailbox_that_another_worker_serves_is_named_and_the_end_is_1(
    stage: Stage, database: str, tmp_path: Path
) -> None:
    stage.account.append(mail())
    other = Holder(engine(), stage.mailbox_id)
    assert other.take()
    try:
        code, line = once(database, tmp_path)
    finally:
        other.release()
    with transaction() as session:
        name = session.get_one(Mailbox, stage.mailbox_id).name
        assert session.query(Conversation).filter_by(mailbox_id=stage.mailbox_id).count() == 0
    assert (code, line) == (1, f"{name}: {SERVED_ELSEWHERE}")
    assert once(database, tmp_path)[0] == 0
