"""Mails at which the server ends the connection: the others of their folder are still read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, update

from app.db import transaction
from app.inbox.arriving.deferral import Deferral
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import Health, health
from app.mail.child import MailParser
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail
from tests.faults.ways import through
from tests.proxy import Proxy, proxied
from tests.sync.stage import Stage, connected


@pytest.fixture
def proxy(sdbox_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(sdbox_server.port) as proxy:
        yield proxy


@pytest.fixture
def stage(proxy: Proxy, sdbox_server: LocalDovecot, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    account: Account = through(fresh_account(sdbox_server), proxy.port)
    with connected(account, parser) as stage:
        yield stage


def asks_for(*damaged: int) -> Callable[[bytes], bool]:
    """Whether a command fetches the text of one of these mails."""

    def asks(words: bytes) -> bool:
        found = re.match(rb"UID FETCH (\S+) .*BODY", words)
        spans = [span.split(b":") for span in found[1].split(b",")] if found else []
        return any(int(span[0]) <= uid <= int(span[-1]) for span in spans for uid in damaged)

    return asks


def rounds(stage: Stage, count: int) -> list[str | None]:
    """This many rounds, each on a new connection. Returns the error of each."""
    return [stage.service().once(10) for _ in range(count)]


def subjects(stage: Stage) -> list[str]:
    with transaction() as session:
        return sorted(session.scalars(select(Message.subject).where(Message.mailbox_id == stage.mailbox_id)))


def how(stage: Stage) -> Health:
    with transaction() as session:
        return health(session, session.get_one(Mailbox, stage.mailbox_id))


def due(stage: Stage, *, since: dt.timedelta = dt.timedelta()) -> None:
    with transaction() as session:
        at = dt.datetime.now(dt.UTC)
        session.execute(update(Deferral).values(next_at=at, first_at=at - since))


@pytest.mark.parametrize("first", [True, False], ids=["in a first import", "in a running mailbox"])
def test_mails_that_end_the_connection_stop_no_others(stage: Stage, proxy: Proxy, first: bool) -> None:
    if not first:
        stage.round()
    for number in range(1, 41):
        stage.account.append(mail(f"No {number:02}"))
    proxy.ends_at = asks_for(7, 30, 40)
    assert all(rounds(stage, 3))
    assert rounds(stage, 4)[-1] is None
    assert subjects(stage) == [f"No {number:02}" for number in range(1, 41) if number not in (7, 30, 40)]
    assert (how(stage).deferred, how(stage).missing, how(stage).error) == (3, 3, None)
    stage.account.append(mail("later"))
    stage.round()
    assert "later" in subjects(stage)


@pytest.mark.parametrize("damaged", [range(1, 6), range(16, 21)], ids=["at the beginning", "at the end"])
def test_damaged_mails_side_by_side_stop_no_others(stage: Stage, proxy: Proxy, damaged: range) -> None:
    for number in range(1, 21):
        stage.account.append(mail(f"No {number:02}"))
    proxy.ends_at = asks_for(*damaged)
    assert rounds(stage, 7)[-1] is None
    assert subjects(stage) == [f"No {number:02}" for number in range(1, 21) if number not in damaged]
    assert (how(stage).deferred, how(stage).error) == (5, None)


def test_a_mail_that_ended_connections_is_read_when_it_comes(stage: Stage, proxy: Proxy) -> None:
    stage.round()
    for number in range(3):
        stage.account.append(mail(f"No {number}"))
    proxy.ends_at = asks_for(2)
    rounds(stage, 4)
    due(stage)
    assert stage.service().once(10) is None, "it ends a connection of its own"
    assert subjects(stage) == ["No 0", "No 2"]
    proxy.ends_at = asks_for()
    due(stage)
    stage.round()
    assert subjects(stage) == ["No 0", "No 1", "No 2"]
    assert (how(stage).deferred, how(stage).missing) == (0, 0)


def test_a_mail_that_ends_connections_for_days_is_listed_without_text(stage: Stage, proxy: Proxy) -> None:
    stage.round()
    stage.account.append(mail("Damaged"))
    proxy.ends_at = asks_for(1)
    rounds(stage, 4)
    due(stage, since=dt.timedelta(days=4))
    stage.round()
    assert (subjects(stage), how(stage).unreadable, how(stage).missing) == ([""], 1, 0)


def test_a_server_that_ends_every_connection_makes_no_mail_refused(stage: Stage, proxy: Proxy) -> None:
    stage.round()
    for number in range(5):
        stage.account.append(mail(f"No {number}"))
    proxy.ends_at = asks_for(*range(1, 6))
    assert all(rounds(stage, 6))
    assert (subjects(stage), how(stage).deferred) == ([], 0)
    proxy.ends_at = asks_for()
    stage.round()
    assert len(subjects(stage)) == 5
