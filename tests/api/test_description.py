"""The API does what its description says: schemathesis generates good and bad calls from it, and checks every response.
Seeded, so that a run can be repeated. `make faults` generates many others each time."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import positive_data_acceptance
from schemathesis.core.result import Ok

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.errors import Busy, NotWatched, SignInRefused
from app.inbox.people.token import make_token
from app.web import bucket
from app.web.api import errors, files
from app.web.statuses import _STATUS
from tests.cast import Cast, member
from tests.doors import Place, furnish

Operation = APIOperation[Any, Any, Any, Any]

LONG = os.environ.get("SIGNALBOX_FAULTS") == "long"
CALLS = 300 if LONG else 4
#: A stream does not end; tests/web/test_news.py tests its events.
ENDLESS = "/stream"
MAKING_UP = settings(
    max_examples=CALLS,
    deadline=None,
    database=None,
    derandomize=not LONG,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def token(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token of Ben, who may do most, without a limit of calls."""
    monkeypatch.setattr(bucket, "BURST", 1e9)
    with transaction() as session:
        return make_token(session, member(session, "ben"), by=COMMAND)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(app: Flask, token: str, mode: GenerationMode) -> None:
    for operation in described(app):
        _try(operation, mode, furnish("Support"), token)


def test_no_call_but_the_stream_is_left_out(app: Flask, cast: Cast) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    assert len(described(app)) == len(list(schema.get_all_operations())) - 1


def test_the_page_for_programs_explains_every_error() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/programs.md").read_text(encoding="utf-8")
    explained = {(int(status), code) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.MULTILINE)}
    told = {(status, code) for status, (code, _) in errors._CODES.items()} | {(500, errors._BROKEN[0])}
    told |= {
        (status, kind.code) for kind, status in _STATUS.items() if kind not in (SignInRefused, Busy)
    }  # of pages only
    told |= {(status, code) for status, code, _ in files._FAILURES.values()} | {(503, "not_fetched")}
    assert explained - {(422, NotWatched.code)} == told


def described(app: Flask) -> list[Operation]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return [operation for operation in operations if not operation.path.endswith(ENDLESS)]


def _try(operation: Operation, mode: GenerationMode, place: Place, token: str) -> None:
    """Good calls name existing things; bad ones name anything."""
    noun = operation.path.split("/")[3].removesuffix("s").replace("replie", "reply")
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    there = {"id": getattr(place, noun)} if mode is GenerationMode.POSITIVE and "{id}" in operation.path else None

    @MAKING_UP
    @given(operation.as_strategy(mode, path_parameters=there))
    def try_one(case: Case[Any]) -> None:
        asked = (case.query or {}).values()
        # An address holds only text. An empty text counts as missing, as in any form, and so do None and an empty list.
        assume(not any(value in ("", None, []) for value in asked))
        # An object is text there like any other, and a list of one is its value: clients leave out null and empty ones.
        assume(not any(isinstance(value, dict) for value in asked))
        assume(not any(isinstance(value, list) and sum(map(bool, value)) < 2 for value in asked))
        # A call allowed by the description may still be refused: a member without a role here, a time in the past.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    try_one()
