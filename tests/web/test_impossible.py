"""Values that no database can store belong to nothing: an address with one is not found, a form with one changes
nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.engine import ExceptionContext

from app.db import engine, transaction
from app.inbox.conversations.tag import Tag
from tests.cast import Cast, conversation
from tests.statements import statements
from tests.web.conftest import Browser


def test_a_number_beyond_all_numbers_is_not_found_and_postgres_is_not_asked(app: Flask, carla: Browser) -> None:
    """For any page, form and call, the queries are the same as for an unknown address."""
    with statements() as nowhere:
        assert carla.submit("/nowhere").status_code == 404
    rules = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 70
    for rule in rules:
        for number in (2**31, 10**30):
            address = re.sub("<[^>]+>", "x", re.sub("<int:[^>]+>", str(number), rule.rule))
            [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            with statements() as asked:
                answer = carla.get(address) if method == "GET" else carla.submit(address, method)
            expected = 401 if rule.endpoint.startswith("api.") else 404  # a call first checks the caller
            assert (answer.status_code, set(asked) - set(nowhere)) == (expected, set()), rule


def test_a_number_beyond_all_numbers_in_a_form_is_nothing_of_ours(ben: Browser, cast: Cast) -> None:
    ben.submit(f"/m/{cast.support}/tags", tag="billing")
    with transaction() as session:
        billing = session.scalars(select(Tag.id)).one()
    refused: list[ExceptionContext] = []  # by Postgres, which logs it

    def note(context: ExceptionContext) -> None:
        refused.append(context)

    event.listen(engine(), "handle_error", note)
    for number in (2**31, -(10**30), 10**30):
        assert ben.submit(f"/m/{cast.support}/tags/{billing}/merge", into=number).status_code == 404
    event.remove(engine(), "handle_error", note)
    assert refused == []


def test_text_that_cannot_be_stored_is_refused_or_found_nowhere(carla: Browser, cast: Cast) -> None:
    with transaction() as session:
        id_ = conversation(session).id
    for path in (f"/m/{cast.support}/open?tag=%00", f"/m/{cast.support}/open?q=%00", f"/conversations/{id_}?tag=%00"):
        assert carla.get(path).status_code in (200, 404), path
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("tags", {"name": "a\0b"}),
        ("notes", {"text": "a\0"}),
        ("merge", {"into": "9" * 30}),
    )
    for path, form in forms:
        assert carla.submit(f"/conversations/{id_}/{path}", **form).status_code in (303, 400, 404, 422), path


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000, "%00", "%ff", "../config.py"])
def test_a_file_that_cannot_exist_is_not_found(nobody: Browser, name: str) -> None:
    assert nobody.get(f"/static/{name}", headers={"Accept-Encoding": "br, gzip"}).status_code == 404


def test_a_fragment_of_a_page_with_an_impossible_address_leads_to_the_sign_in(nobody: Browser) -> None:
    answer = nobody.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://["})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")
