"""Every response has strict headers; errors become a page that says what to do."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url, text

from app import create_app, db
from config import Config
from tests.cast import Cast
from tests.web.conftest import Browser, new_conversation


def test_a_page_may_run_and_load_nothing_but_our_own_files(carla: Browser, cast: Cast, talk: int) -> None:
    for path in (f"/m/{cast.support}/open", f"/conversations/{talk}", "/preferences", "/nowhere"):
        answer = carla.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_page_holds_anything_inline(carla: Browser, nobody: Browser, cast: Cast, talk: int) -> None:
    pages = [carla.page(path) for path in (f"/m/{cast.support}/open", f"/conversations/{talk}", "/preferences")]
    for page in [*pages, nobody.get("/sign-in").text]:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", page)
        assert "http://" not in page.replace("http://localhost", "")


def test_files_carry_their_hash_and_may_be_kept_for_ever(carla: Browser, cast: Cast) -> None:
    page = carla.page(f"/m/{cast.support}/open")
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = carla.get(address)
        assert answer.status_code == 200, address
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        answer.close()


@pytest.mark.parametrize("path", ["/nowhere", "/conversations/99999", "/m/999/open", "/messages/99999/body"])
def test_a_missing_page_is_a_404_in_plain_words(carla: Browser, path: str) -> None:
    answer = carla.get(path)
    assert answer.status_code == 404
    assert "Not found, or you don’t have access." in answer.text


def test_too_much_at_once_is_413(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/notes", text="x" * 3_000_000)
    assert answer.status_code == 413


def test_an_error_inside_htmx_is_a_line_at_the_foot(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/notes", htmx=True, text="")
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#snacks"
    assert "A note needs 1 to 20,000 characters." in answer.text
    assert "<html" not in answer.text


def test_an_expired_sign_in_inside_htmx_loads_the_sign_in_page(nobody: Browser) -> None:
    answer = nobody.get("/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in"


def test_without_its_database_a_page_says_so_and_the_process_lives(app: Flask, database: str, carla: Browser) -> None:
    name = make_url(database).database
    admin = make_url(database).set(drivername="postgresql", database="postgres")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        answer = carla.get("/")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "The database does not answer. Nothing is lost" in answer.text
        assert carla.get("/readyz").status_code == 503
        assert carla.get("/healthz").status_code == 200
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true".encode())
    assert carla.get("/", follow_redirects=True).status_code == 200
    assert carla.get("/readyz").json["ok"]  # type: ignore[index]  # it is JSON


def test_with_tables_of_another_version_the_web_is_not_ready(carla: Browser) -> None:
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = carla.get("/readyz")
    assert answer.status_code == 503
    assert "flask migrate" in answer.text


def test_an_internal_error_shows_a_number_from_the_log(
    app: Flask, carla: Browser, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "preferences.show", lambda: 1 / 0)
    answer = carla.get("/preferences")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["X-Request-ID"] in caplog.text


def test_the_log_has_one_line_a_request_and_no_words_of_anyone(
    carla: Browser, nobody: Browser, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    carla.get(f"/m/{cast.support}/all?q=secret-words")
    nobody.sign_in("ben", "secret-password")
    assert "GET /m/1/all 200" in caplog.text
    assert " carla " in caplog.text
    assert "secret" not in caplog.text


def test_behind_proxies_the_senders_address_and_scheme_are_theirs(database: str, cast: Cast, tmp_path: Path) -> None:
    config = Config(
        database_url=database,
        home=tmp_path,
        secret_key=b"a key of thirty-two bytes or more",
        seal_public_key=bytes(32),
        seal_key=None,
        base_url="https://inbox.example",
        trusted_proxies=1,
    )
    client = create_app(config).test_client()
    answer = client.get("/sign-in", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "inbox.example"})
    assert "Strict-Transport-Security" in answer.headers
    assert "Secure" in answer.headers["Set-Cookie"]


def test_preferences_are_kept_and_wrong_ones_get_a_clear_line(carla: Browser) -> None:
    form: dict[str, Any] = {"language": "es", "time_zone": "Europe/Madrid", "theme": "dark", "density": "compact"}
    assert carla.submit("/preferences", **form).status_code == 302
    page = carla.page("/preferences")
    assert '<html lang="es" data-theme="dark" data-bs-theme="dark" data-density="compact">' in page
    assert carla.submit("/preferences", **form | {"language": "tlh"}).status_code == 422


def test_a_stranger_cannot_make_a_page_of_ours_speak(carla: Browser) -> None:
    talk = new_conversation(subject="{{ 7 * 7 }}", text="{% raw %}")
    assert "49" not in carla.page(f"/conversations/{talk}").split("<h1")[1].split("</h1>")[0]
