"""Mail that takes long to parse waits behind other mail, and members' changes do not wait for it."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from app.clock import now
from app.db import transaction
from app.inbox.arriving.deferral import Deferral
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import Health, health
from app.mail.child import MailParser
from app.sync.pull import importing
from app.sync.pull.pull import pull
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected
from tests.vicious import VICIOUS
from tests.waiting import eventually

COMMAND = (sys.executable, "-c", VICIOUS)


@pytest.fixture
def parser() -> Iterator[MailParser]:
    with MailParser(seconds_per_mail=0.5, processes=2, command=COMMAND) as parser:
        yield parser


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def stored() -> list[str]:
    """Subjects in the order in which the mails were stored."""
    with transaction() as session:
        return list(session.scalars(select(Message.subject).order_by(Message.id)))


def slow() -> list[tuple[int, bool]]:
    with transaction() as session:
        found = select(Deferral.uid, Deferral.importing).where(Deferral.slow).order_by(Deferral.uid)
        return [(uid, is_import) for uid, is_import in session.execute(found)]


def how(stage: Stage) -> Health:
    with transaction() as session:
        return health(session, session.get_one(Mailbox, stage.mailbox_id))


def pull_until_news(stage: Stage) -> None:
    """A pull and an import while new mail arrives all the time."""
    with stage._linked() as link:
        link.between = lambda: False
        pull(link)
        importing.go_on(link)


def test_new_mail_that_takes_long_is_stored_after_the_others(stage: Stage) -> None:
    stage.round()
    for subject in ("HANG 1", "ordinary 1", "HANG 2", "ordinary 2"):
        stage.account.append(mail(subject))
    stage.round()
    assert stored() == ["ordinary 1", "ordinary 2", "HANG 1", "HANG 2"]
    assert slow() == []


def test_heavy_new_mail_is_stored_after_light_mail(stage: Stage) -> None:
    stage.round()
    for subject, words in (("heavy", 60_000), ("light", 1), ("heavier", 240_000), ("also light", 1)):
        stage.account.append(mail(subject, "words \r\n" * words))
    stage.round()
    assert stored() == ["light", "also light", "heavy", "heavier"]


def test_slow_mail_lets_newer_mail_go_first(stage: Stage) -> None:
    stage.round()
    for number in range(3):
        stage.account.append(mail(f"HANG {number}"))
    pull_until_news(stage)
    assert stored() == []
    assert slow() == [(1, False), (2, False), (3, False)]
    stage.account.append(mail("newer"))
    stage.round()
    assert stored() == ["newer", "HANG 0", "HANG 1", "HANG 2"]


def test_heavy_mail_is_put_aside_when_newer_mail_comes(account: Account, cast: Cast) -> None:
    with MailParser(seconds_per_mail=600, command=COMMAND) as busy, connected(account, busy) as stage:
        stage.round()
        for subject in ("light", "HANG"):
            account.append(mail(subject, "words \r\n" * (1 if subject == "light" else 60_000)))
        with stage._linked() as link:
            link.serve = link.between = lambda: False
            pull(link)
        assert stored() == ["light"]
        assert (slow(), how(stage).waiting_read, how(stage).slow_mails) == ([(2, False)], 1, 0)


def test_heavy_mail_that_was_put_aside_is_read_and_is_not_slow(account: Account, cast: Cast) -> None:
    with MailParser(seconds_per_mail=600, command=COMMAND) as busy, connected(account, busy) as stage:
        stage.round()
        for subject in ("light", "HANG", "heavy"):
            account.append(mail(subject, "words \r\n" * (1 if subject == "light" else 60_000)))
        with stage._linked() as link:
            link.serve = link.between = lambda: False
            pull(link)
        assert slow() == [(2, False), (3, False)]
        account.expunge(2)
    with MailParser() as quick:
        Stage(account, stage.mailbox_id, quick).round()
    assert stored() == ["light", "heavy"]
    assert (how(stage).waiting_read, how(stage).missing, how(stage).slow_mails) == (0, 0, 0)


def test_an_import_reads_slow_mail_at_the_end(stage: Stage) -> None:
    for subject in ("ordinary 1", "HANG", "ordinary 2"):
        stage.account.append(mail(subject))
    pull_until_news(stage)
    assert sorted(stored()) == ["ordinary 1", "ordinary 2"]
    assert slow() == [(2, True)]
    stage.round()
    assert sorted(stored()) == ["HANG", "ordinary 1", "ordinary 2"]


def test_slow_mail_that_is_deleted_meanwhile_is_forgotten(stage: Stage) -> None:
    stage.round()
    for number in range(2):
        stage.account.append(mail(f"HANG {number}"))
    pull_until_news(stage)
    stage.account.expunge(2)
    stage.round()
    assert stored() == ["HANG 0"]
    assert slow() == []


def test_a_clients_change_on_a_slow_mail_before_it_is_read_is_seen(stage: Stage) -> None:
    stage.round()
    for number in range(2):
        stage.account.append(mail(f"HANG {number}"))
    pull_until_news(stage)
    stage.account.add_flags(2, "assigned-carla")
    stage.round()
    with transaction() as session:
        owners = select(Conversation.assignee_id).join(Message, Message.conversation_id == Conversation.id)
        assert session.scalar(owners.where(Message.subject == "HANG 1")) is not None


def test_health_counts_slow_mail_that_waits_and_that_was_read(stage: Stage) -> None:
    stage.round()
    for number in range(3):
        stage.account.append(mail(f"HANG {number}"))
    pull_until_news(stage)
    waiting = how(stage)
    assert (waiting.waiting_read, waiting.missing, waiting.deferred, waiting.behind) == (3, 3, 0, False)
    with transaction() as session:
        session.execute(update(Deferral).values(first_at=now() - dt.timedelta(minutes=2)))
    assert how(stage).behind
    stage.round()
    done = how(stage)
    assert (done.waiting_read, done.waiting_read_since, done.missing, done.behind) == (0, None, 0, False)
    assert done.slow_mails == 3
    assert done.last_slow is not None
    assert (done.last_slow.sender, done.last_slow.folder, done.last_slow.uid) == ("zoe@customer.example", "INBOX", 3)


def test_health_counts_new_mail_behind_the_batch_in_hand(stage: Stage) -> None:
    stage.round()
    for number in range(60):
        stage.account.append(mail(f"No {number}"))
    counts: list[int] = []

    def between() -> bool:
        counts.append(how(stage).waiting_read)
        return True

    with stage._linked() as link:
        link.between, link.pace.step = between, 20
        link.pace.took = lambda count, seconds: None  # type: ignore[method-assign]  # as on a slow line
        pull(link)
    assert counts == [40, 20, 0]
    assert how(stage).waiting_read_since is None


@pytest.mark.parametrize("folder", ["INBOX", "Archive"], ids=["new mail", "import"])
def test_a_claim_is_written_to_the_server_while_a_mail_is_parsed(account: Account, cast: Cast, folder: str) -> None:
    with MailParser(seconds_per_mail=600, command=COMMAND) as busy, connected(account, busy) as stage:
        account.append(mail("mine"))
        if folder == "INBOX":
            stage.round()
        account.append(mail("HANG"), folder)
        service = stage.service()
        round_ = threading.Thread(target=service.once, args=(10,))
        round_.start()
        eventually(lambda: busy._children[0].process and not busy._lanes and stored() == ["mine"])
        stage.act(1, Conversation.claim)
        service.wakeup.set("push")
        eventually(lambda: "assigned-carla" in stage.shown())
        assert stored() == ["mine"]
        busy.close()
        round_.join()
