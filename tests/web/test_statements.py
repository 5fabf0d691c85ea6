"""Pages send Postgres a fixed number of statements."""

from __future__ import annotations

import pytest

from app.db import transaction
from tests.cast import Cast, conversation
from tests.statements import statements
from tests.web.conftest import Browser


@pytest.fixture
def conversations(cast: Cast) -> None:
    with transaction() as session:
        for _ in range(5):
            conversation(session)


@pytest.mark.parametrize(
    ("page", "most"), [("/m/{}/unassigned", 9), ("/m/{}/unassigned?part=rows", 5), ("/conversations/1", 18)]
)
def test_a_page_sends_no_more_statements_than_it_did(
    conversations: None, carla: Browser, cast: Cast, page: str, most: int
) -> None:
    carla.page(page.format(cast.support))
    with statements() as sent:
        carla.page(page.format(cast.support))
    assert 0 < len(sent) <= most, "\n".join(sent)


def test_a_click_on_a_conversation_sends_no_more_statements_than_it_did(conversations: None, carla: Browser) -> None:
    """However many mails it has, each kind of row is read at once."""
    with statements() as sent:
        answer = carla.get("/conversations/1", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert 0 < len(sent) <= 12, "\n".join(sent)


def test_a_claim_sends_no_more_statements_than_it_did(conversations: None, carla: Browser) -> None:
    assert carla.token
    with statements() as sent:
        answer = carla.submit("/conversations/1/assignment", htmx=True)
    assert answer.status_code == 200
    assert 0 < len(sent) <= 18, "\n".join(sent)
