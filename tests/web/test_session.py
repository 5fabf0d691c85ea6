"""Signing in and out."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask import Flask

from app import create_app, db
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.people import password, throttle
from tests import cast as stage
from tests.web.conftest import Browser


def test_a_member_signs_in_with_handle_or_email(nobody: Browser) -> None:
    assert nobody.sign_in("carla").location == "/"
    assert nobody.get("/", follow_redirects=True).status_code == 200
    assert nobody.submit("/sign-out").location == "/sign-in"
    assert nobody.sign_in("Carla@halden.example").location == "/"


def test_a_failed_sign_in_does_not_say_which_part_was_wrong(nobody: Browser) -> None:
    wrong, unknown = nobody.sign_in("carla", "not her password"), nobody.sign_in("nobody", "not her password")
    assert wrong.status_code == unknown.status_code == 422
    assert "Name or password is wrong. Check both, then try again." in wrong.text
    assert "Name or password is wrong. Check both, then try again." in unknown.text
    assert nobody.get("/").location == "/sign-in?next=/"


def test_the_page_one_wanted_comes_after_the_sign_in(nobody: Browser) -> None:
    asked = nobody.get("/m/1/open?tag=billing")
    assert asked.location == "/sign-in?next=/m/1/open?tag%3Dbilling"
    assert nobody.sign_in("carla", path=asked.location).location == "/m/1/open?tag=billing"


def test_the_way_after_the_sign_in_never_leads_to_another_site(nobody: Browser) -> None:
    for bad in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert nobody.sign_in("carla", path=f"/sign-in?next={bad}").location == "/"
        nobody.submit("/sign-out")


def test_too_many_tries_have_to_wait(nobody: Browser) -> None:
    answers = [nobody.sign_in("carla", "guess").status_code for _ in range(11)]
    assert answers[:10] == [422] * 10
    assert answers[10] == 429
    refused = nobody.sign_in("carla")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 600
    assert "Too many tries" in refused.text


def test_signing_out_ends_the_session_on_the_server(carla: Browser) -> None:
    cookie = carla.client.get_cookie("signalbox")
    assert cookie is not None
    carla.submit("/sign-out")
    carla.client.set_cookie("signalbox", cookie.value)
    assert carla.get("/").location == "/sign-in?next=/"


def test_a_disabled_member_is_out_at_once(carla: Browser) -> None:
    with db.transaction() as session:
        team.disable(session, stage.member(session, "carla"), by=COMMAND)
    assert carla.get("/").location == "/sign-in?next=/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(nobody: Browser) -> None:
    cookie = nobody.sign_in("carla").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_browser_is_known_again_when_others_have_used_up_the_tries(nobody: Browser, app: Flask) -> None:
    nobody.sign_in("carla")
    nobody.submit("/sign-out")
    with db.transaction() as session:
        carla = stage.member(session, "carla").id
    for _ in range(200):
        throttle.hit("sign in as", f"member {carla}", limit=200, seconds=600)
    assert Browser(app).sign_in("carla").status_code == 429
    assert nobody.sign_in("carla").location == "/"


def test_under_https_a_cookie_cannot_be_set_by_another_host(nobody: Browser, app: Flask) -> None:
    secure = create_app(replace(app.config["SIGNALBOX"], base_url="https://inbox.halden.example"))
    client = secure.test_client()
    page = client.get("/sign-in", base_url="https://inbox.halden.example").text
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    form = {"csrf_token": token, "name": "carla", "password": stage.PASSWORD}
    headers = {"Referer": "https://inbox.halden.example/sign-in"}
    answer = client.post("/sign-in", data=form, headers=headers, base_url="https://inbox.halden.example")
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-signalbox", "__Host-signalbox-browser"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_sign_in_says_to_wait_while_too_many_passwords_are_hashed(
    nobody: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "_present", threading.BoundedSemaphore(1))
    with password._place():
        answer = nobody.sign_in("carla")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Signalbox is busy" in answer.text
    assert nobody.sign_in("carla").location == "/"


def test_where_one_was_comes_after_the_sign_in_also_for_a_part_of_a_page(nobody: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/m/1/open?tag=billing"}
    answer = nobody.get("/m/1/open", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/m/1/open?tag%3Dbilling"


def test_nobody_writes_lines_of_their_own_into_the_log(nobody: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "signalbox.web")
    nobody.get("/%0aGET /forged 200")
    assert "/%0AGET%20/forged%20200" in caplog.text
    assert "\nGET /forged" not in caplog.text
