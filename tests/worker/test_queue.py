"""The queue: one worker at a time has a job, no job is lost, and each ends."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from itertools import islice

import pytest

from app.clock import now
from app.db import transaction
from app.queue import jobs, leased, take
from tests.conftest import Clock
from tests.forked import PROJECT
from tests.waiting import PATIENCE, eventually
from tests.worker.errand import Errand, add, make_table

#: A worker that takes a job, and is killed before or after its transaction ended.
_TAKES = """
import sys
from app import db
from app.queue import take
from tests.worker.errand import Errand
db.connect(sys.argv[1])
with db.transaction() as session:
    assert take(session, Errand)
    session.flush()
    if sys.argv[2] == "before":
        print("taken", flush=True)
        sys.stdin.read()
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def table(database: str) -> None:
    make_table()


def taken() -> Errand | None:
    with transaction() as session:
        return take(session, Errand)


def taken_for_sure() -> Errand:
    errand = taken()
    assert errand is not None
    return errand


def finish(errand: Errand, result: str = "done") -> None:
    with transaction() as session:
        mine = leased(session, errand)
        if mine is not None:
            mine.finish()
            mine.result = result


def retry(errand: Errand) -> None:
    with transaction() as session:
        mine = leased(session, errand)
        assert mine is not None
        mine.retry()


def stored(id_: int) -> Errand:
    with transaction() as session:
        return session.get_one(Errand, id_)


def killed_worker(database: str, where: str) -> None:
    """A worker has taken a job and is killed."""
    command = [sys.executable, "-c", _TAKES, database, where]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"taken\n"
        process.kill()
        process.wait(PATIENCE)


def test_workers_that_take_at_the_same_time_never_take_the_same_job(database: str) -> None:
    ids = add(*[1, 2] * 25)
    start, lists = threading.Barrier(4), list[list[int]]([[], [], [], []])

    def work(mine: list[int]) -> None:
        start.wait(PATIENCE)
        for errand in jobs(Errand):
            mine.append(errand.id)
            finish(errand)

    workers = [threading.Thread(target=work, args=(mine,)) for mine in lists]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(id_ for mine in lists for id_ in mine) == ids
    assert {stored(id_).result for id_ in ids} == {"done"}


def test_a_job_that_another_worker_is_just_taking_is_passed_over(database: str) -> None:
    first, second = add(1, 1)
    with transaction() as session:
        one = take(session, Errand)
        other = taken()
        assert one is not None
        assert other is not None
        assert (one.id, other.id) == (first, second)
        assert taken() is None


def test_a_job_taken_in_a_failed_transaction_waits_again(database: str) -> None:
    [id_] = add(1)
    with transaction() as session:
        take(session, Errand)
        session.flush()
        session.rollback()
    assert taken_for_sure().id == id_


def test_a_worker_killed_while_it_takes_a_job_gives_it_back_at_once(database: str) -> None:
    add(1)
    killed_worker(database, "before")
    eventually(taken)


def test_a_worker_killed_in_the_middle_of_a_job_gives_it_back_when_its_lease_ends(database: str, clock: Clock) -> None:
    [id_] = add(1)
    killed_worker(database, "after")
    assert taken() is None
    clock.pass_(minutes=5)
    errand = taken_for_sure()
    assert (errand.id, errand.tries) == (id_, 2)
    finish(errand)
    clock.pass_(seconds=61)
    assert taken() is None


def test_a_result_counts_after_the_lease_as_long_as_nobody_else_has_the_job(database: str, clock: Clock) -> None:
    [id_] = add(1)
    slow = taken_for_sure()
    clock.pass_(seconds=61)
    finish(slow, "late")
    assert stored(id_).result == "late"


def test_of_two_workers_with_a_job_only_the_later_writes_its_result(database: str, clock: Clock) -> None:
    [id_] = add(1)
    slow = taken_for_sure()
    clock.pass_(seconds=61)
    other = taken_for_sure()
    finish(slow, "slow")
    assert stored(id_).waits
    finish(other, "other")
    finish(slow, "slow")
    assert (stored(id_).result, stored(id_).waits) == ("other", False)


def test_a_job_that_is_asked_for_again_is_done_again_and_the_first_result_is_void(database: str) -> None:
    [id_] = add(1)
    first = taken_for_sure()
    with transaction() as session:
        session.get_one(Errand, id_).enqueue()
    finish(first, "of the past")
    second = taken_for_sure()
    assert (second.id, second.tries, stored(id_).result) == (id_, 1, None)


def test_the_result_of_a_job_that_was_removed_is_void(database: str) -> None:
    [id_] = add(1)
    errand = taken_for_sure()
    with transaction() as session:
        session.delete(session.get_one(Errand, id_))
    with transaction() as session:
        assert leased(session, errand) is None


@pytest.mark.parametrize(("tries", "seconds"), [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (19, 900)])
def test_a_job_that_failed_waits_longer_each_time(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, tries: int, seconds: int
) -> None:
    monkeypatch.setattr(Errand, "MOST_TRIES", 20)
    clock.set("2026-11-30T10:00:00Z")
    [id_] = add(1)
    with transaction() as session:
        session.get_one(Errand, id_).tries = tries - 1
    retry(taken_for_sure())
    due = stored(id_).due_at
    assert due is not None
    assert 0.8 * seconds <= (due - clock.at).total_seconds() <= 1.2 * seconds
    assert taken() is None
    clock.pass_(seconds=1.2 * seconds)
    assert taken_for_sure().tries == tries + 1


def test_a_job_that_fails_each_time_is_given_up(database: str, clock: Clock) -> None:
    [id_] = add(1)
    for _ in range(Errand.MOST_TRIES):
        assert stored(id_).result is None
        retry(taken_for_sure())
        clock.pass_(minutes=20)
    assert (stored(id_).result, stored(id_).waits, taken()) == ("given up", False, None)


def test_a_job_that_kills_each_worker_stops_at_the_limit_and_holds_up_no_other(database: str, clock: Clock) -> None:
    poison, other = add(1, 1)
    assert taken_for_sure().id == poison
    clock.pass_(seconds=61)
    errand = taken_for_sure()
    assert errand.id == other
    finish(errand)
    for _ in range(Errand.MOST_TRIES - 1):
        assert taken_for_sure().id == poison
        clock.pass_(seconds=61)
    assert taken() is None
    assert (stored(poison).result, stored(poison).waits) == ("given up", False)


def test_a_job_that_was_given_up_has_all_its_tries_when_it_is_asked_for_again(database: str, clock: Clock) -> None:
    [id_] = add(1)
    for _ in range(Errand.MOST_TRIES):
        taken()
        clock.pass_(seconds=61)
    assert taken() is None
    with transaction() as session:
        session.get_one(Errand, id_).enqueue()
    assert taken_for_sure().tries == 1


def test_a_job_that_expired_is_given_up_instead_of_done(database: str, clock: Clock) -> None:
    late, good = add(1, 1)
    with transaction() as session:
        session.get_one(Errand, late).expires_at = now() + dt.timedelta(minutes=1)
        session.get_one(Errand, good).expires_at = now() + dt.timedelta(minutes=3)
    clock.pass_(minutes=2)
    assert taken_for_sure().id == good
    assert (stored(late).result, stored(late).waits) == ("given up", False)


def test_mailboxes_have_their_turns_however_much_one_asks_for(database: str) -> None:
    add(1, 1, 1, 1, 2, 2, None, 3)
    assert [errand.mailbox_id for errand in islice(jobs(Errand), 8)] == [None, 1, 2, 3, 1, 2, 1, 1]


def test_in_a_mailbox_the_job_that_is_due_longest_comes_first(database: str) -> None:
    first, second, third = add(1, 1, 1)
    with transaction() as session:
        session.get_one(Errand, third).due_at = now() - dt.timedelta(minutes=1)
    assert [errand.id for errand in jobs(Errand)] == [third, first, second]


def test_a_job_that_is_due_later_waits(database: str, clock: Clock) -> None:
    [id_] = add(1)
    with transaction() as session:
        session.get_one(Errand, id_).due_at = now() + dt.timedelta(days=3)
    assert taken() is None
    clock.pass_(days=4)
    assert taken_for_sure().id == id_


@pytest.mark.parametrize("ended", [retry, lambda errand: None], ids=["it failed", "its worker died"])
def test_a_job_that_was_taken_by_a_clock_a_day_ahead_is_taken_when_the_clock_is_right(
    database: str, clock: Clock, ended: object
) -> None:
    add(1)
    clock.pass_(days=1)
    assert callable(ended)
    ended(taken_for_sure())
    clock.pass_(days=-1)
    assert taken_for_sure().tries == 2
