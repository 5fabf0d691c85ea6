"""Pages ask Postgres a fixed number of questions."""

from __future__ import annotations

import pytest

from app.db import transaction
from tests.cast import Cast, conversation
from tests.statements import statements
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    ("page", "most"), [("/m/{}/unassigned", 11), ("/m/{}/unassigned?part=rows", 4), ("/conversations/1", 25)]
)
def test_a_page_sends_no_more_statements_than_it_did(carla: Browser, cast: Cast, page: str, most: int) -> None:
    with transaction() as session:
        for _ in range(5):
            conversation(session)
    carla.page(page.format(cast.support))
    with statements() as sent:
        carla.page(page.format(cast.support))
    assert 0 < len(sent) <= most, "\n".join(sent)
