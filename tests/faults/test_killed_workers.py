"""A worker is killed with -9, after each of its commits and at each of its commands: the next one makes it good."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess

import pytest

from app.local.dovecot import LocalDovecot
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import fresh_account
from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.dying import start_round
from tests.faults.ways import through
from tests.proxy import Fault, How, Proxy, proxied
from tests.sync.stage import Stage, connected
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Where a sample is killed: among the first words of the push.
_COMMIT, _COMMAND = 9, 27


@pytest.fixture
def proxy(sdbox_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(sdbox_server.port) as proxy:
        yield proxy


@pytest.fixture
def stage(proxy: Proxy, sdbox_server: LocalDovecot, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(through(fresh_account(sdbox_server), proxy.port), parser) as stage:
        yield stage


def killed(process: BaseProcess) -> bool:
    """Whether it came to that; else it did its whole round."""
    process.join(PATIENCE)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def every_place(dies_at: Callable[[int], bool]) -> None:
    """The first place, the second … until the round is over before it comes to that."""
    place = 1
    while dies_at(place):
        place += 1
    assert place > 10


def test_a_worker_may_be_killed_after_any_commit(stage: Stage, database: str) -> None:
    days = Days(stage)
    usual = days.whole()

    def dies_at(place: int) -> bool:
        days.morning()
        days.noon()
        died = killed(start_round(database, stage.mailbox_id, dies_after=place))
        assert days.evening() == usual, f"killed after commit {place}"
        return died

    if LONG:
        every_place(dies_at)
    else:
        assert dies_at(_COMMIT)


def test_a_worker_may_be_killed_at_any_command(stage: Stage, proxy: Proxy, database: str) -> None:
    days = Days(stage)
    usual = days.whole()

    def dies_at(place: int) -> bool:
        days.morning()
        days.noon()
        processes: list[BaseProcess] = []
        proxy.arm(Fault(place, How.DROP_AFTER, act=lambda: processes[0].kill()))
        processes.append(start_round(database, stage.mailbox_id))
        died = killed(processes[0])
        proxy.arm(None)
        assert days.evening() == usual, f"killed at command {place}"
        return died

    if LONG:
        every_place(dies_at)
    else:
        assert dies_at(_COMMAND)
