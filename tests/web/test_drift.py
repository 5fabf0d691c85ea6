"""The page of differences, in each of its states. tests/worker/test_comparing.py tests the worker's part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import db
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import comparison
from app.inbox.server.comparison import Comparison, Difference, Outcome
from app.queue import take
from tests.cast import Cast
from tests.conftest import Clock
from tests.web.conftest import Browser, new_conversation, stored


@pytest.fixture
def ana(browser: Callable[[str], Browser]) -> Browser:
    return browser("ana")


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/admin/mailboxes/{cast.support}/drift"


def line(what: str = "owner", server: object = None, ours: object = "carla", **more: Any) -> dict[str, Any]:
    told = {"conversation": None, "number": None, "folder": "INBOX", "uid": 7, "waiting": False}
    return {**told, "what": what, "server": server, "ours": ours, "sides": ["server", "ours"], **more}


def found(*lines: dict[str, Any]) -> None:
    """A worker has compared and found these."""
    with db.transaction() as session:
        compared = take(session, Comparison)
        assert compared is not None
        compared.note_found(lines)


def settled(outcome: Outcome) -> None:
    """A worker has applied the choice."""
    with db.transaction() as session:
        chosen = take(session, Difference)
        assert chosen is not None
        chosen.note_outcome(outcome)


def lines(cast: Cast) -> list[Difference]:
    with db.transaction() as session:
        return comparison.differences(session, session.get_one(Mailbox, cast.support))


def test_nothing_is_compared_before_somebody_asks(ana: Browser, path: str, cast: Cast) -> None:
    assert "Not compared yet" in ana.page(path)
    assert ana.submit(path).location == path
    page = ana.page(path)
    assert "Comparing with" in page
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    found()
    page = ana.page(path)
    assert "No differences" in page
    assert "every 1s" not in page


def test_differences_are_shown_in_words(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    told: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        (line(), ("Owner", "nobody", "carla")),
        (line("status", "closed", "spam", waiting=True), ("Status", "Closed", "Spam", "on its way")),
        (line("seen", True, False, sides=["server"]), ("Read", "yes", "no")),
        (line("missing", "there", None, sides=["server"]), ("Mail missing here", "absent", "Read again")),
        (line("folder", None, "Old", uid=None, sides=[]), ("Folder cannot be opened", "Open or create a folder")),
        (
            line("numbering", "5", "4", uid=None, sides=[]),
            ("Folder renumbered by the server", "Continues automatically"),
        ),
    ]
    found(*(one for one, _words in told))
    rows = ana.page(path).split("<tr")[2:]
    for row, (_one, words) in zip(rows, told, strict=True):
        assert all(word in row for word in words), row
    assert ["Use Signalbox’s" in row for row in rows] == [True, True, False, False, False, False]


def test_a_choice_waits_for_the_worker_and_shows_its_result(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    found(line(), line("star", True, False))
    [first, second] = lines(cast)
    assert ana.submit(f"{path}/{first.id}", use="server").location == path
    page = ana.page(path)
    assert page.count("In progress") == 1
    assert 'hx-trigger="every 1s"' in page
    settled(Outcome.DONE)
    assert "The server’s value now counts." in ana.page(path)
    for outcome, told in (
        (Outcome.CHANGED, "This has changed in the meantime"),
        (Outcome.AWAY, "the mail server could not be reached"),
        (Outcome.REFUSED, "is no longer an administrator"),
        (Outcome.SAME, "Both sides are already the same"),
    ):
        ana.submit(f"{path}/{second.id}", use="ours")
        settled(outcome)
        assert told in ana.page(path), outcome


def test_a_missing_line_is_reported_and_nothing_is_done(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    found(line())
    [old] = lines(cast)
    ana.submit(path)
    found(line())
    ana.submit(f"{path}/{old.id}", use="server")
    assert "This line changed in the meantime" in ana.page(path)
    assert [one.waits for one in lines(cast)] == [False]


def test_a_side_that_cannot_be_had_is_refused(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    found(line("seen", True, False, sides=["server"]))
    [only] = lines(cast)
    for side in ("ours", "both", ""):
        assert ana.submit(f"{path}/{only.id}", use=side).status_code == 422
    other = path.replace(str(cast.support), str(cast.billing))
    ana.submit(f"{other}/{only.id}", use="server")
    assert [one.waits for one in lines(cast)] == [False]


def test_a_failed_comparison_shows_the_reason(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    with db.transaction() as session:
        session.get_one(Comparison, cast.support).note_failed("unreachable", "no <answer>")
    page = ana.page(path)
    assert "The mail server does not answer." in page
    assert "Nothing was compared. Compare again once it answers." in page
    assert "no &lt;answer&gt;" in page


def test_an_old_comparison_is_marked(ana: Browser, path: str, cast: Cast, clock: Clock) -> None:
    ana.submit(path)
    found(line())
    assert "Conversations have changed since" not in ana.page(path)
    clock.pass_(minutes=20)
    assert "Conversations have changed since" in ana.page(path)


def test_a_conversation_is_led_to_only_where_one_has_a_role(ana: Browser, path: str, cast: Cast) -> None:
    talk = new_conversation()
    ana.submit(path)
    found(line(conversation=talk, number=stored(talk).number))
    page = ana.page(path)
    assert f"#{stored(talk).number}" in page
    assert f"/conversations/{talk}" not in page


def test_more_than_anybody_decides_one_by_one_are_counted(ana: Browser, path: str, cast: Cast) -> None:
    ana.submit(path)
    found(*(line(uid=uid) for uid in range(1, comparison.KEPT + 3)))
    page = ana.page(path)
    assert "302 differences" in page
    assert "Showing the first 300." in page
    assert len(lines(cast)) == comparison.KEPT
