"""The storage mode of a mailbox on its pages: explained, and changed by a plain form. tests/sync/test_modes.py tests
the consequences."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app import db
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import locked
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast
from tests.waiting import eventually
from tests.web.conftest import Browser, new_conversation


@pytest.fixture
def ana(browser: Callable[[str], Browser]) -> Browser:
    return browser("ana")


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/admin/mailboxes/{cast.support}"


def told(**report: object) -> dict[str, object]:
    return {"mode": "keywords", "capabilities": {}, "warnings": [], "smtp": None, "folders": [], **report}


def test_an_administrator_has_the_state_kept_here_only_and_on_the_server_again(
    ana: Browser, path: str, cast: Cast
) -> None:
    assert "are keywords on the mail server" in ana.page(path)
    assert "Keep them in Signalbox only" in ana.page(f"{path}/settings")
    assert ana.submit(f"{path}/mode", mode="database").location == path
    assert "are kept in Signalbox only" in ana.page(path)
    assert "Keep them on the mail server" in ana.page(f"{path}/settings")
    ana.submit(f"{path}/mode", mode="keywords")
    page = ana.page(path)
    assert "First the worker tests the server and checks every message" in page
    assert '<meta http-equiv="refresh"' in page
    ana.submit(f"{path}/drift")
    assert "Compare after its next sync." in ana.page(f"{path}/drift")
    assert ana.submit(f"{path}/mode", mode="both").status_code == 422


def test_a_change_that_meets_a_worker_is_made_all_the_same(ana: Browser, path: str, cast: Cast) -> None:
    """The worker holds a conversation and wants a number of the mailbox; the change holds that and wants the
    conversation."""
    id_ = new_conversation()
    with db.transaction() as session:
        session.get_one(Conversation, id_).lacks_room = True

    @db.retried
    def work() -> None:
        with db.transaction() as session:
            [held] = locked(session, [id_])
            holding.set()
            eventually(lambda: answers or somebody_waits())
            held.mailbox.number_block(1)

    def somebody_waits() -> bool:
        with db.transaction() as session:  # a separate one, because a transaction keeps showing what it has seen
            return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    holding, answers = threading.Event(), []
    worker = threading.Thread(target=work)
    worker.start()
    assert holding.wait(30)
    answers.append(ana.submit(f"{path}/mode", mode="database").status_code)
    worker.join()
    assert answers == [302]
    with db.transaction() as session:
        assert session.get_one(Mailbox, cast.support).mode == "database"


def test_the_page_shows_pending_decisions_with_a_link(ana: Browser, path: str, cast: Cast) -> None:
    id_ = new_conversation()
    with db.transaction() as session:
        session.get_one(Conversation, id_).frozen = ["owner"]
    page = ana.page(path)
    assert "1 conversation differs from the mail server." in page
    assert f'href="{path}/drift"' in page


def test_members_see_that_a_conversation_waits_for_an_administrators_choice(
    browser: Callable[[str], Browser], cast: Cast
) -> None:
    id_ = new_conversation()
    with db.transaction() as session:
        session.get_one(Conversation, id_).frozen = ["owner"]
    page = browser("carla").page(f"/conversations/{id_}")
    assert "An administrator chooses which value counts" in page
    assert "can show and change these" not in page
    assert "</i> differs</span>" in page


@pytest.mark.parametrize(
    ("mode", "able", "words"),
    [
        ("database", "keywords", "This mailbox keeps owner, status and tags in Signalbox only"),
        ("database", "database", "Owners, statuses and tags are kept in Signalbox only"),
        ("keywords", "database", "No longer keeps keywords"),
        ("keywords", "keywords", "visible in every mail client"),
    ],
)
def test_the_page_shows_what_the_server_can_keep_and_the_mode(
    ana: Browser, path: str, cast: Cast, mode: str, able: str, words: str
) -> None:
    with db.transaction() as session:
        mailbox = session.get_one(Mailbox, cast.support)
        mailbox.mode, mailbox.report = mode, told(mode=able)
    assert words in ana.page(path)
