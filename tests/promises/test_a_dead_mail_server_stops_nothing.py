"""Promise 5: while the mail server is away, members continue to read and work, and everything reaches it when it is
back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import claim_next
from app.inbox.history.event import Event
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import retrying
from app.inbox.server.health import health
from app.mail.child import MailParser
from app.sync.compare.drift import drift
from local.dovecot import Format
from tests.cast import Cast, acting
from tests.dovecot import Account, fresh_account, mail, running_dovecot
from tests.sync.stage import KEY, Stage, connected, conversation, items, kinds, move_server
from tests.waiting import eventually
from tests.worker.process import worker

MAILS = 24


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture(params=["maildir", "sdbox"])
def own_account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """On a separate server, which the test may stop."""
    format: Format = request.param  # noqa: A001  (Dovecot's own word)
    with running_dovecot(format) as dovecot:
        yield fresh_account(dovecot)


def state_of(stage: Stage) -> str:
    with transaction() as session:
        return health(session, session.get_one(Mailbox, stage.mailbox_id)).state


def differences(stage: Stage) -> list[object]:
    return list(drift(stage.mailbox_id, private_key=bytes(KEY)).lines)


def resume(stage: Stage) -> None:
    """An administrator who knows that it is back. Otherwise it is tried again automatically within a quarter of an
    hour."""
    with transaction() as session:
        retrying.resume(session.get_one(Mailbox, stage.mailbox_id), by=COMMAND)


def work(stage: Stage) -> int:
    """An hour of a team's work. Returns the number of acts."""
    for number in range(1, MAILS + 1):
        stage.act(number, Conversation.claim, by="carla" if number % 2 else "ben")
    for number in range(1, MAILS, 4):
        stage.act(number, Conversation.close)
        stage.act(number + 1, Conversation.tag, "billing", by="ben")
        stage.act(number + 2, Conversation.star)
        stage.act(number + 3, Conversation.mark_spam)
    for number in range(1, MAILS, 8):
        stage.act(number, Conversation.reopen)
        stage.act(number, Conversation.release)
        stage.act(number + 1, Conversation.add_note, "The customer called.")
    return MAILS + 4 * (MAILS // 4) + 3 * (MAILS // 8)


def acts() -> int:
    with transaction() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(Event)
                .where(Event.conversation_id.is_not(None), Event.member_id.is_not(None))
            )
            or 0
        )


def test_an_hour_of_work_without_the_mail_server_is_on_it_when_it_is_back(
    own_account: Account, parser: MailParser, cast: Cast, database: str, tmp_path: Path
) -> None:
    for number in range(MAILS):
        own_account.append(mail(f"No {number}"))
    with connected(own_account, parser) as stage:
        stage.round()
        own_account.dovecot.stop()
        with worker(database, tmp_path):
            eventually(lambda: state_of(stage) == "failing")
            done = work(stage)
            assert acts() == done
            with transaction() as session:
                assert len(items(session, view="open")) + len(items(session, view="closed")) == MAILS - MAILS // 4
                assert "The customer called." in [note.text for note in conversation(session, 2).notes]
                assert conversation(session, 1).messages[0].body is not None
            with transaction() as session:
                box = session.get_one(Mailbox, stage.mailbox_id)
                claimed = claim_next(session, box, by=acting(session, "carla"))
                assert claimed is not None
            own_account.dovecot.start()
            own_account.append(mail("Meanwhile"))
            resume(stage)
            eventually(lambda: state_of(stage) == "ok" and not differences(stage))
        assert acts() == done + 1
        with transaction() as session:
            assert len(items(session)) == MAILS + 1 - MAILS // 4
            assert not session.scalars(select(Conversation).where(Conversation.conflict.is_not(None))).all()
        assert stage.shown(2) == {"assigned-ben", "billing"}
        assert stage.shown(3) == {"assigned-carla", "\\Flagged"}
        assert "$Junk" in stage.shown(4, "Junk")


def test_clients_changes_are_taken_over_and_changes_of_both_wait_for_a_person(
    account: Account, parser: MailParser, cast: Cast
) -> None:
    for number in range(3):
        account.append(mail(f"No {number}"))
    with connected(account, parser) as stage:
        stage.round()
        reach(stage, 9)
        assert stage.service().once(1) is not None
        assert state_of(stage) == "failing"
        stage.act(1, Conversation.claim)
        stage.act(2, Conversation.claim)
        account.add_flags(stage.uid(2), "assigned-ben")
        account.add_flags(stage.uid(3), "assigned-ben")
        reach(stage, account.dovecot.port)
        stage.round()
        stage.round()
        with transaction() as session:
            assert [conversation(session, number).owner for number in (1, 2, 3)] == ["carla", "carla", "ben"]
            both = conversation(session, 2)
            assert both.conflict is not None
            assert (both.conflict["theirs"], both.conflict["ours"]) == ("ben", "carla")
        assert stage.shown(2) == {"assigned-carla"}
        stage.act(2, Conversation.decide_conflict, take_theirs=True, by="ben")
        stage.round()
        assert stage.shown(2) == {"assigned-ben"}
        with transaction() as session:
            assert conversation(session, 2).conflict is None
            assert kinds(session, 2)[-2:] == ["conflict", "taken over"]


def reach(stage: Stage, port: int) -> None:
    """Redirect the way to the server; mail clients continue to use it directly."""
    with transaction() as session:
        move_server(session.get_one(Mailbox, stage.mailbox_id), port)
    resume(stage)
