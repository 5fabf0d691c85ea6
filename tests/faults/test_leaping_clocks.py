"""The clock of the machine or the database jumps by a day, forward and back, between rounds and during them."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from sqlalchemy import func, select, text

from app import db
from app.clock import now
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.worker.holder import Holder
from app.worker.jobs.housekeeping import mark_gone_conversations, wake_snoozed
from tests.faults.conftest import LONG, Admin
from tests.faults.day import Days
from tests.faults.leaping import Leaping, worker_by
from tests.faults.proxied import commands_of_a_day, told
from tests.proxy import Fault, How, Proxy
from tests.sync.stage import Stage, conversation
from tests.waiting import eventually
from tests.worker.test_workers import holder

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Where the clock jumps in a sample; the long form uses every nth command of a day.
_SAMPLE, _STEP = 27, 5


@pytest.fixture
def leaping(monkeypatch: pytest.MonkeyPatch) -> Leaping:
    """The whole process uses this clock."""
    clock = Leaping()
    clock.hang_up(monkeypatch.setattr)
    return clock


def test_the_clock_may_leap_at_any_command(stage: Stage, proxy: Proxy, leaping: Leaping, admin: Admin) -> None:
    days = Days(stage)
    asked = commands_of_a_day(days, proxy)
    usual = days.evening()
    for place in range(2, len(asked) + 1, _STEP) if LONG else [_SAMPLE]:
        for by in (1, -2, 1) if LONG else (-1,):
            days.morning()
            days.noon()
            proxy.arm(Fault(place, How.TRICKLE, act=partial(leaping.leap, days=by)))
            assert stage.service().once(30) is None
            assert proxy.struck
            proxy.arm(None)
            assert days.evening() == usual, f"{by} days at {asked[place - 1]}"
            assert ("Set both by NTP" in admin.run("doctor").stdout) == (leaping.wrong_by.value != 0)


def test_a_retry_set_for_tomorrow_by_a_wrong_clock_runs_once_it_is_right(
    stage: Stage, proxy: Proxy, leaping: Leaping
) -> None:
    leaping.leap(days=1)
    proxy.arm(Fault(1, How.DROP))
    assert stage.service().once(30)
    assert told(stage)[0] == "unreachable"
    leaping.leap(days=-1)
    service = stage.service()
    service.start()
    try:
        eventually(lambda: told(stage)[0] is None)
    finally:
        service.stop()
        service.join()


def test_a_snooze_wakes_once_and_copies_counted_as_gone_return(stage: Stage, leaping: Leaping) -> None:
    days = Days(stage)
    usual = days.whole()
    stage.act(1, Conversation.snooze, leaping.now() + dt.timedelta(hours=10))
    stage.account.create_folder("Elsewhere")
    stage.round()
    before = days.fates()
    for number in (3, 7):
        stage.account.move(stage.uid(number), "Elsewhere")
    for by in (1, -1):
        leaping.leap(days=by)
        wake_snoozed()
        mark_gone_conversations()
        stage.round()
    woken = select(func.count()).where(Event.kind == EventKind.WOKEN)
    with transaction() as session:
        assert session.scalar(woken) == 1
        assert conversation(session, 1).status == "open"
    stage.account.dovecot.doveadm("move", "-u", stage.account.user, "INBOX", "mailbox", "Elsewhere", "all")
    found = days.evening()
    for name in before.keys() - {"claimed"}:
        assert (found[name].owner, found[name].status, found[name].tags) == (
            before[name].owner, before[name].status, before[name].tags,
        ), name  # fmt: skip
    assert days.whole() == usual


def test_a_worker_goes_on_whatever_its_clock_says(stage: Stage, database: str) -> None:
    days = Days(stage)
    usual = days.whole()
    clock = Leaping()
    with worker_by(clock, database):
        eventually(lambda: holder(stage))
        held = holder(stage)
        for by in (1, -2, 1) if LONG else (-1,):
            clock.leap(days=by)
            eventually(partial(beats_since, stage, now()))
            assert holder(stage) == held
            stage.act(7, Conversation.claim, by="ben")
            eventually(lambda: "assigned-ben" in stage.shown(7))
            stage.act(7, Conversation.release, by="ben")
            eventually(lambda: "assigned-ben" not in stage.shown(7))
    assert days.whole() == usual


def beats_since(stage: Stage, moment: dt.datetime) -> bool:
    """By the clock of the database, which is right."""
    with transaction() as session:
        at = session.get_one(Mailbox, stage.mailbox_id).holder_beat_at
        return at is not None and at > moment


def test_a_silent_holder_is_replaced_despite_a_heartbeat_in_the_future(stage: Stage) -> None:
    silent, waiting = (Holder(db.engine(), stage.mailbox_id) for _ in range(2))
    assert silent.take()
    assert not waiting.take()
    with transaction() as session:
        session.execute(text("UPDATE mailbox SET holder_beat_at = now() + interval '1 day'"))
    try:
        eventually(waiting.take)
    finally:
        silent.release()
        waiting.release()
