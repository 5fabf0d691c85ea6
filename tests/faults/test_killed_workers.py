"""A worker is killed with -9 after each of its commits and at each of its commands: the next worker repairs it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import pytest

from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.dying import start_round
from tests.proxy import Fault, How, Proxy
from tests.sync.stage import Stage
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Where a sample is killed: among the first commands of the push.
_COMMIT, _COMMAND = 9, 27


def killed(process: BaseProcess) -> bool:
    """Whether it was killed; otherwise it finished its round."""
    process.join(PATIENCE)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def every_place(dies_at: Callable[[int], bool]) -> None:
    """The first place, then the second …, until a round ends before reaching the place."""
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
