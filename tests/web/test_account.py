"""A member's own account: password, browsers, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app import db
from app.inbox.people.session import open_session
from app.web.account import browser_words
from tests import cast as stage
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Browser

NEW = "quite another password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def enter(browser: Browser) -> None:
    """Carla's other browser."""
    with db.transaction() as session, browser.client.session_transaction() as cookie:
        cookie["_user_id"] = open_session(session, stage.member(session, "carla"), user_agent=FIREFOX)


def test_a_new_password_keeps_this_browser_and_ends_the_others(carla: Browser, nobody: Browser) -> None:
    nobody.sign_in("carla")
    answer = carla.submit("/account/password", present=PASSWORD, password=NEW, again=NEW)
    assert answer.location == "/account"
    assert "Your password is changed." in carla.page("/account")
    assert nobody.get("/account").status_code == 302
    assert nobody.sign_in("carla").status_code == 422
    assert nobody.sign_in("carla", NEW).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"present": "a guess", "password": NEW, "again": NEW}, "This is not your current password."),
        ({"present": PASSWORD, "password": NEW, "again": NEW + "x"}, "The two passwords differ."),
        ({"present": PASSWORD, "password": "short", "again": "short"}, "The password needs at least"),
        ({}, "This is not your current password."),
    ],
)
def test_a_password_that_cannot_be_is_said_at_its_field(carla: Browser, form: dict[str, Any], words: str) -> None:
    answer = carla.submit("/account/password", **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_browsers_are_listed_and_signed_out(carla: Browser, nobody: Browser, ben: Browser) -> None:
    enter(nobody)
    page = carla.page("/account")
    assert "Firefox, Linux" in page
    [other] = re.findall(r"/account/sessions/(\d+)/end", page)
    ben.submit(f"/account/sessions/{other}/end")
    assert nobody.get("/account").status_code == 200
    carla.submit(f"/account/sessions/{other}/end")
    assert nobody.get("/account").status_code == 302
    enter(nobody)
    assert carla.submit("/account/sessions/end-others").status_code == 302
    assert nobody.get("/account").status_code == 302
    assert "Signed out of 1 browser." in carla.page("/account")


def test_a_token_is_shown_once_and_works_until_it_is_ended(carla: Browser) -> None:
    made = carla.submit("/account/tokens", name="Monthly <report>", days="90", access="read")
    [key] = re.findall(r'value="(sb_[^"]+)"', made.text)
    page = carla.page("/account")
    assert key not in page
    assert "Monthly &lt;report&gt;" in page
    assert "Never used" in page
    assert '<option value="365">365 days</option>' in page

    def call(method: str, path: str) -> int:
        return carla.client.open(
            f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {key}"}
        ).status_code

    assert call("GET", "/mailboxes") == 200
    assert "Last used" in carla.page("/account")
    refused = carla.client.post("/api/v1/claims", json={"mailbox": 1}, headers={"Authorization": f"Bearer {key}"})
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "not_allowed")  # type: ignore[index]  # it is JSON
    [number] = re.findall(r"/account/tokens/(\d+)/end", page)
    carla.submit(f"/account/tokens/{number}/end")
    assert call("GET", "/mailboxes") == 401


def test_a_token_of_an_odd_span_is_refused(carla: Browser) -> None:
    for days in ("", "7", "abc", "-1"):
        assert carla.submit("/account/tokens", name="x", days=days).status_code == 422


def test_the_administrator_ends_everything_of_a_member(
    carla: Browser, browser: Callable[[str], Browser], cast: Cast
) -> None:
    answer = browser("ana").submit(f"/admin/people/{cast.carla}/end-access")
    assert answer.location == f"/admin/people/{cast.carla}"
    assert carla.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("<script>", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_words(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words


def test_a_member_sees_recent_sign_ins_and_failures(nobody: Browser) -> None:
    nobody.sign_in("carla", "not her password")
    nobody.sign_in("ben", "not his password")
    nobody.sign_in("carla")
    page = nobody.page("/account")
    assert page.count("1 wrong password") == 1
    assert "127.0.0.1" in page
    assert "If you do not recognize a sign-in, change your password." in page


def test_an_administrator_sees_the_sign_ins_of_a_member(nobody: Browser, browser: Callable[[str], Browser]) -> None:
    nobody.sign_in("carla", "not her password")
    with db.transaction() as session:
        carla, ben = stage.member(session, "carla").id, stage.member(session, "ben").id
    ana = browser("ana")
    page = ana.page(f"/admin/people/{carla}")
    assert "1 wrong password" in page
    assert "change your password" not in page
    assert "1 wrong password" not in ana.page(f"/admin/people/{ben}")
