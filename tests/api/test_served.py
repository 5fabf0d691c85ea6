"""What shows only behind the real gunicorn: how long an address may be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.token import make_token
from app.local.places import free_port
from app.web.where import LONGEST_SEARCH
from config import Config
from tests.cast import Cast, member
from tests.served import Served, served


@pytest.fixture
def web(database: str, cast: Cast, tmp_path: Path) -> Iterator[Served]:
    """Two processes on the cast's database."""
    environment = {**os.environ, "SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(tmp_path)}
    Config.from_env(environment, opens_secrets=True)  # makes the keys, as `flask migrate` does
    with served(environment, free_port()) as web:
        yield web


@pytest.fixture
def token(cast: Cast) -> str:
    with transaction() as session:
        return make_token(session, member(session, "carla"), by=COMMAND)


def test_a_long_search_is_answered_in_any_script(web: Served, token: str) -> None:
    for letter, count in (("a", 7900), ("ж", 1300), ("中", 880), ("😀", 660)):
        answer = web.ask(f"/api/v1/conversations?q={quote(letter * count)}", Authorization=f"Bearer {token}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json"), letter
        assert json.loads(answer.body) == {"items": [], "next": None}


def test_the_longest_search_that_a_page_takes_survives_a_sign_in(web: Served, cast: Cast) -> None:
    for letters in ("中", "😀"):  # one and two of what browsers count
        typed = letters * (LONGEST_SEARCH * 2 // len(letters.encode("utf-16-le")))
        answer = web.ask(f"/m/{cast.support}/unassigned?q={quote(typed)}")
        assert answer.status == 200
        assert b'name="password"' in answer.body
