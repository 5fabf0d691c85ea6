"""Changes of access or servers need the password, entered within the last 15 minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import unescape
from re import findall
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import db
from app.clock import now
from app.inbox.people.member import Member
from app.inbox.people.session import SignedIn
from app.inbox.people.token import tokens_of
from app.web.sign_in import confirm
from app.web.sign_in.waiting_form import open_form, seal_form
from tests import cast as stage
from tests.cast import PASSWORD, Cast
from tests.conftest import Clock
from tests.web.conftest import Browser

NEW: dict[str, Any] = {"name": "Zoe <b>", "email": "zoe@halden.example", "handle": "zoe"}


@pytest.fixture
def ana(browser: Callable[[str], Browser]) -> Browser:
    """Signed in for an hour."""
    ana = browser("ana")
    _wait(dt.timedelta(hours=1))
    return ana


def _wait(time: dt.timedelta) -> None:
    with db.transaction() as session:
        session.execute(update(SignedIn).values(proved_at=now() - time))


def _hidden(page: str) -> dict[str, Any]:
    fields = findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {unescape(name): unescape(value) for name, value in fields if name != "csrf_token"}


def _members(handle: str) -> int:
    with db.transaction() as session:
        return len(session.scalars(select(Member).where(Member.handle == handle)).all())


def test_nothing_typed_is_lost_while_the_password_is_asked(ana: Browser) -> None:
    asked = ana.submit("/admin/people/new", **NEW)
    assert asked.status_code == 403
    assert "Confirm it’s you" in asked.text
    assert _hidden(asked.text).keys() == {"waiting_form", "came_from"}
    assert NEW["email"] not in asked.text
    assert _members("zoe") == 0
    wrong = ana.submit("/admin/people/new", confirm_password="a guess", **_hidden(asked.text))
    assert wrong.status_code == 422
    assert "This is not your current password." in wrong.text
    assert "a guess" not in wrong.text
    assert _members("zoe") == 0
    done = ana.submit("/admin/people/new", confirm_password=PASSWORD, **_hidden(wrong.text))
    assert done.status_code == 200
    assert "/welcome/" in done.text
    assert _members("zoe") == 1


def test_a_confirmation_lasts_for_fifteen_minutes(ana: Browser) -> None:
    assert ana.submit("/admin/people/new", confirm_password=PASSWORD, **NEW).status_code == 200
    with db.transaction() as session:
        zoe = stage.member(session, "zoe").id
    _wait(dt.timedelta(minutes=14))
    assert ana.submit(f"/admin/people/{zoe}/invitation").status_code == 200
    _wait(dt.timedelta(minutes=16))
    assert ana.submit(f"/admin/people/{zoe}/invitation").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/admin/people/{member}",
        "/admin/people/{member}/invitation",
        "/admin/people/{member}/end-access",
        "/admin/people/{member}/disable",
        "/admin/people/{member}/enable",
        "/admin/connect/sign-in?address=returns@halden.example&name=Returns",
        "/admin/connect/999/sign-in",
        "/admin/connect/999/roles",
        "/admin/connect/999/keep",
        "/admin/mailboxes/{mailbox}/servers",
        "/account/tokens",
    ],
)
def test_every_act_that_changes_access_or_servers_asks(ana: Browser, cast: Cast, path: str) -> None:
    with db.transaction() as session:
        carla = stage.member(session, "carla").id
    path = path.format(member=carla, mailbox=cast.support)
    asked = ana.submit(path, imap_password="a mailbox’s password")
    assert asked.status_code == 403
    assert f'action="{path}"' in unescape(asked.text)
    assert "a mailbox’s password" not in asked.text


def test_the_acts_that_ask_exist(app: Flask) -> None:
    assert set(app.view_functions) >= confirm.ADMINISTERING | confirm.OWN


def test_reading_and_other_acts_do_not_ask(ana: Browser) -> None:
    assert ana.get("/admin/people").status_code == 200
    assert ana.get("/admin/people/new").status_code == 200
    assert ana.submit("/account/sessions/end-others").status_code == 302


def test_a_member_without_permission_is_not_asked(carla: Browser) -> None:
    _wait(dt.timedelta(hours=1))
    refused = carla.submit("/admin/people/new", **NEW)
    assert refused.status_code == 403
    assert "Confirm it’s you" not in refused.text
    assert carla.submit("/account/tokens", name="n8n", days="30", access="read").status_code == 403
    made = carla.submit("/account/tokens", name="n8n", days="30", access="read", confirm_password=PASSWORD)
    assert made.status_code == 200
    with db.transaction() as session:
        assert [token.name for token in tokens_of(session, stage.member(session, "carla"))] == ["n8n"]


def test_inside_a_page_the_whole_page_becomes_the_question(ana: Browser) -> None:
    asked = ana.submit("/admin/people/new", htmx=True, **NEW)
    assert (asked.status_code, asked.headers["HX-Retarget"], asked.headers["HX-Push-Url"]) == (403, "body", "false")
    assert _hidden(asked.text).keys() == {"waiting_form", "came_from"}


def test_a_form_waits_in_its_session_at_its_address_and_for_fifteen_minutes(
    ana: Browser, browser: Callable[[str], Browser], clock: Clock
) -> None:
    waiting = _hidden(ana.submit("/admin/people/new", **NEW).text)
    carla = browser("carla")
    _wait(dt.timedelta(hours=1))
    broken = {"waiting_form": waiting["waiting_form"][:-8] + "AAAAAAAA"}
    for who, path, form in (
        (carla, "/account/tokens", waiting),
        (ana, "/account/tokens", waiting),
        (ana, "/admin/people/new", broken),
        (ana, "/admin/people/new", {"waiting_form": "é"}),
    ):
        refused = who.submit(path, confirm_password=PASSWORD, **form)
        assert refused.status_code == 400
        assert "open too long" in refused.text
    clock.pass_(minutes=16)
    assert ana.submit("/admin/people/new", confirm_password=PASSWORD, **waiting).status_code == 400
    assert _members("zoe") == 0


def test_cancel_leads_back_to_the_form_and_never_to_another_site(ana: Browser) -> None:
    sent = {"csrf_token": ana.token, **NEW}
    for referer, back in (
        ("http://localhost/admin/people/new?a=b", "/admin/people/new?a=b"),
        ("http://evil.example/", "/"),
    ):
        page = ana.client.post("/admin/people/new", data=sent, headers={"Referer": referer}).text
        assert f'href="{back}">Cancel' in unescape(page)
        again = ana.submit("/admin/people/new", confirm_password="a guess", **_hidden(page)).text
        assert f'href="{back}">Cancel' in unescape(again)
    hidden = {**_hidden(page), "came_from": "https://evil.example/x"}
    assert 'href="/x">Cancel' in ana.submit("/admin/people/new", confirm_password="a guess", **hidden).text


def test_a_form_that_waited_keeps_every_value_of_a_field(ana: Browser, app: Flask) -> None:
    fields = [("folder", "INBOX"), ("folder", "Ærø <&>"), ("empty", "")]
    with app.test_request_context():
        sealed = seal_form(fields, session_key="k", address="/a?b=c")
        assert open_form(sealed, session_key="k", address="/a?b=c") == fields


def test_a_password_cannot_be_guessed_there(ana: Browser) -> None:
    answers = [ana.submit("/admin/people/new", confirm_password="a guess", **NEW) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert ana.submit("/admin/people/new", confirm_password=PASSWORD, **NEW).status_code == 429
    assert _members("zoe") == 0
