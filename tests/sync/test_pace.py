"""How many mails are asked for at a time: so many that nobody waits long on a slow line, and as many as fit on a fast
one. The lines here have a clock of their own, which each mail moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from app.db import transaction
from app.mail.imap import ImapSession
from app.mail.values import FetchedMail
from app.sync import importing
from app.sync.link import Link
from app.sync.pace import Pace
from app.sync.pull import pull
from tests.dovecot import mail
from tests.sync.stage import Stage, items


def steps(round_trip: float, each: float, *, at_most: int = 250) -> list[int]:
    """What is asked for, one step after the other, where a mail takes `each` seconds."""
    pace, asked = Pace(), []
    for _ in range(20):
        asked.append(min(pace.step, at_most))
        pace.took(asked[-1], round_trip + asked[-1] * each)
    return asked


def test_on_a_fast_line_as_many_as_fit_are_asked_for_after_a_few_steps() -> None:
    assert steps(0.001, 0.0001)[9:] == [250] * 11


def test_on_a_slow_line_a_step_takes_less_than_a_second() -> None:
    assert max(steps(0.05, 0.1)) * 0.1 < 1
    assert set(steps(0.05, 3)) == {1, 2}  # less than a mail is not to be had


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
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    held = [0.0]
    monkeypatch.setattr("app.sync.arrivals.monotonic", lambda: held[0])
    return held


def test_an_import_on_a_slow_line_lets_others_go_first_after_a_few_mails(stage: Stage, clock: list[float]) -> None:
    class SlowLine(ImapSession):
        def fetch(self, uids: str | Iterable[int], *, max_whole: int = 256 * 1024) -> Iterator[FetchedMail]:
            for fetched in super().fetch(uids, max_whole=max_whole):
                clock[0] += 0.1
                yield fetched

    for number in range(40):
        stage.account.append(mail(f"No {number}"))
    waits: list[float] = []
    with SlowLine.open(stage.account.server) as imap:

        def between() -> bool:
            waits.append(clock[0])
            return True

        link = Link(stage.mailbox_id, "support@example.com", imap, stage.parser, stage.account.open, between)
        pull(link)
        assert importing.go_on(link)
    assert max(after - before for before, after in zip([0.0, *waits], waits, strict=False)) < 1
    with transaction() as session:
        assert len(items(session)) == 40
