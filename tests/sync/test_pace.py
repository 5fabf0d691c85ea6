"""The number of mails fetched at a time: few enough that nobody waits long on a slow line, and as many as possible on a
fast one. Also the log of an import. The lines here have their own clock, which each mail advances."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterable, Iterator

import pytest

from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.mail.values import FetchedMail
from app.sync.link import Link
from app.sync.pace import Pace
from app.sync.pull import importing
from app.sync.pull.pull import pull
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, items


def steps(round_trip: float, each: float, *, at_most: int = 250) -> list[int]:
    """The size of each step if a mail takes `each` seconds."""
    pace, asked = Pace(), []
    for _ in range(20):
        asked.append(min(pace.step, at_most))
        pace.took(asked[-1], round_trip + asked[-1] * each)
    return asked


def test_on_a_fast_line_as_many_as_fit_are_asked_for_after_a_few_steps() -> None:
    assert steps(0.001, 0.0001)[9:] == [250] * 11


def test_on_a_slow_line_a_step_takes_a_second_at_most_after_the_first() -> None:
    _first, *others = steps(0.05, 0.1)
    assert max(others) * 0.1 <= 1
    assert min(steps(0.05, 3)) == 1  # a step has at least one mail


def test_a_server_that_is_far_away_is_asked_for_as_many_as_one_that_is_near() -> None:
    assert steps(2, 0.001)[9:] == [250] * 11


def test_a_line_that_becomes_slow_is_asked_for_less_and_then_for_more_again() -> None:
    pace = Pace()
    for _ in range(9):
        pace.took(pace.step, 0.01)
    pace.took(250, 60)
    assert pace.step < 5
    for _ in range(9):
        pace.took(pace.step, 0.01)
    assert pace.step > 250


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


class SlowLine(ImapSession):
    """Four mails a second."""

    at = 0.0

    def fetch(self, uids: str | Iterable[int], *, max_whole: int = 256 * 1024) -> Iterator[FetchedMail]:
        for fetched in super().fetch(uids, max_whole=max_whole):
            SlowLine.at += 0.25
            yield fetched


@pytest.fixture
def slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    """A mailbox that is about to be imported over such a line."""
    monkeypatch.setattr(SlowLine, "at", 0.0)
    monkeypatch.setattr("app.sync.look.arrivals.monotonic", lambda: SlowLine.at)
    with stage.account.open() as client:
        for number in range(60):
            client.append("INBOX", mail(f"Private no {number}"))
    with SlowLine.open(stage.account.server) as imap:
        link = Link(stage.mailbox_id, imap, stage.parser, stage.account.open, lambda: True)
        pull(link)
        yield link


def test_an_import_on_a_slow_line_lets_others_go_first_after_a_few_mails(slow: Link) -> None:
    turns = [0.0]

    def between() -> bool:
        turns.append(SlowLine.at)
        return True

    slow.between = between
    assert importing.go_on(slow)
    _first, *waits = [after - before for before, after in itertools.pairwise(turns)]
    assert max(waits) <= 1
    with transaction() as session:
        assert len(items(session)) == 50  # one page of them
        assert session.get_one(Mailbox, slow.mailbox_id).import_done == 60


def test_the_log_says_every_few_seconds_how_far_an_import_is_and_how_fast_and_nothing_of_a_mail(
    slow: Link, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    ticks = itertools.count(step=3.0)  # every second batch is logged
    monkeypatch.setattr("app.sync.pace.monotonic", lambda: next(ticks))
    assert importing.go_on(slow)
    assert importing.go_on(slow)  # with nothing left to import nothing is logged
    *under_way, end = [record.message for record in caplog.records if record.name == importing.__name__]
    told = [re.fullmatch(r"mailbox (\d+): (\d+) of 60 mails imported, (\d+) a second", line) for line in under_way]
    done = [int(line[2]) for line in told if line]
    assert len(done) == len(told) >= 2
    assert done == sorted(done)
    assert end == f"mailbox {slow.mailbox_id}: the import is done, 60 mails"
    assert "Private" not in caplog.text


def test_the_log_says_when_a_mailbox_is_connected(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage.round()
    server = stage.account.server
    assert f"mailbox {stage.mailbox_id}: connected to {server.host}:{server.port}" in caplog.messages
