"""The form of a reply without scripts: what is wrong is said in it, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import transaction
from app.inbox.replies.reply import Reply
from tests.cast import Cast, conversation, mailbox
from tests.web.conftest import Browser

EVIL = "<p>quoted</p><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def one(cast: Cast) -> int:
    """A conversation on Support, whose mailbox can send."""
    with transaction() as session:
        box = mailbox(session)
        box.smtp_host, box.smtp_port, box.smtp_security = "127.0.0.1", 9, "none"
        return conversation(session).id


def send(browser: Browser, conversation_id: int, **form: Any) -> Any:
    return browser.submit(f"/conversations/{conversation_id}/replies", **form)


def test_a_refused_form_keeps_what_was_typed(carla: Browser, one: int) -> None:
    answer = send(carla, one, text="Hello Zoe", to="nobody", subject="My subject")
    assert answer.status_code == 422
    for typed in ("Hello Zoe", "nobody", "My subject"):
        assert typed in answer.text
    assert "is not an email address" in answer.text


def test_the_text_of_who_lost_the_draft_is_kept_and_its_quote_runs_nothing(
    carla: Browser, ben: Browser, one: int
) -> None:
    send(carla, one, text="Carla’s", to="nobody", key="k")
    with transaction() as session:
        draft = session.query(Reply).one().id
    answer = send(ben, one, draft=draft, revision=1, text="Ben’s words", to="zoe@customer.example", quote=EVIL)
    assert answer.status_code == 409
    assert "Ben’s words" in answer.text
    assert "<p>quoted</p>" in answer.text
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


def test_the_same_form_sent_twice_is_one_reply(carla: Browser, one: int) -> None:
    for _ in range(2):
        assert send(carla, one, text="Hello", to="zoe@customer.example", key="once").status_code == 303
    with transaction() as session:
        assert [reply.state for reply in session.query(Reply)] == ["queued"]


def test_other_words_in_a_form_that_was_sent_are_not_lost(carla: Browser, one: int) -> None:
    send(carla, one, text="Hello", to="zoe@customer.example", key="once")
    answer = send(carla, one, text="Something else", to="zoe@customer.example", key="once")
    assert answer.status_code == 409
    assert "Something else" in answer.text
