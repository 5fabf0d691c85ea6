"""Every page asks for a sign-in, every form for its token, and each role sees what the contract gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.inbox.lists import VIEWS
from app.web.access import OPEN, OPEN_BLUEPRINTS
from tests.cast import Cast
from tests.web.conftest import Browser, folder_id, new_conversation, stored

#: What an agent may do and an observer may not: path, method, form.
VERBS = [
    ("/conversations/{id}/assignment", "POST", {}),
    ("/conversations/{id}/assignment", "DELETE", {}),
    ("/conversations/{id}/status", "POST", {"status": "closed"}),
    ("/conversations/{id}/status", "POST", {"status": "snoozed"}),
    ("/conversations/{id}/status", "POST", {"status": "spam"}),
    ("/conversations/{id}/star", "POST", {}),
    ("/conversations/{id}/star", "DELETE", {}),
    ("/conversations/{id}/notes", "POST", {"text": "a word"}),
    ("/conversations/{id}/move", "POST", {"folder": "{archive}"}),
]


def test_every_page_but_the_open_ones_asks_for_a_sign_in(app: Flask) -> None:
    client: FlaskClient = app.test_client()
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.split(".")[0]
        if rule.endpoint in OPEN or blueprint in OPEN_BLUEPRINTS:
            continue
        _, path = rule.build(dict.fromkeys(rule.arguments, 1)) or ("", "")
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
            answer = client.open(path, method=method)
            if method == "GET":
                assert (answer.location or "").startswith("/sign-in"), (rule.endpoint, answer.status)
            else:
                assert answer.status_code == 400, (rule.endpoint, answer.status)  # no token either


def test_an_agent_may_and_an_observer_may_not(carla: Browser, dora: Browser, talk: int) -> None:
    for path, method, form in _verbs(talk):
        before = stored(talk).revision
        assert dora.submit(path, method, **form).status_code == 403, (path, method)
        assert stored(talk).revision == before, (path, method)
        assert carla.submit(path, method, **form).status_code == 303, (path, method)


def test_what_one_may_not_see_does_not_exist(carla: Browser, browser: Callable[[str], Browser]) -> None:
    hidden = new_conversation("Billing")
    for someone in (carla, browser("ana")):
        assert someone.get(f"/conversations/{hidden}").status_code == 404
        for path, method, form in _verbs(hidden):
            assert someone.submit(path, method, **form).status_code == 404, (path, method)


def test_every_role_sees_every_view(browser: Callable[[str], Browser], cast: Cast, talk: int) -> None:
    for handle in ("ben", "carla", "dora"):
        someone = browser(handle)
        for view in VIEWS:
            assert "Support" in someone.page(f"/m/{cast.support}/{view}")


def test_an_observer_reads_and_is_offered_no_verb(dora: Browser, talk: int) -> None:
    page = dora.page(f"/conversations/{talk}")
    assert "The scale shows nothing" in page
    assert "<form" not in page.split('id="open"')[1].split("<dialog")[0]


def test_an_admin_without_a_role_sees_no_mailbox(browser: Callable[[str], Browser], cast: Cast) -> None:
    ana = browser("ana")
    assert "No mailbox yet" in ana.page("/")
    assert ana.get(f"/m/{cast.support}/open").status_code == 404


def test_a_mailbox_without_a_role_does_not_exist(carla: Browser, cast: Cast) -> None:
    assert carla.get(f"/m/{cast.billing}/open").status_code == 404
    assert "Billing" not in carla.page(f"/m/{cast.support}/open")


def test_a_form_without_its_token_changes_nothing(carla: Browser, talk: int) -> None:
    answer = carla.client.post(f"/conversations/{talk}/assignment")
    assert answer.status_code == 400
    assert "Load it again" in answer.text
    assert stored(talk).assignee is None


def test_a_get_never_changes_anything(carla: Browser, talk: int) -> None:
    before = stored(talk).revision
    carla.page(f"/conversations/{talk}")
    assert carla.get(f"/conversations/{talk}/star").status_code == 405
    assert carla.get(f"/conversations/{talk}/star?_method=DELETE").status_code == 405
    after = stored(talk)
    assert (after.revision, after.unseen) == (before, True)


def _verbs(talk: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    archive = folder_id("Archive")
    for path, method, form in VERBS:
        yield path.format(id=talk), method, {name: value.format(archive=archive) for name, value in form.items()}
