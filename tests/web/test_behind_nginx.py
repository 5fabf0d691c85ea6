"""The promises of the documented nginx configuration, with the real nginx in front of the real gunicorn."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app import db
from app.inbox.actor import COMMAND
from app.inbox.conversations.tag import make_tag
from app.inbox.people.token import make_token
from config import Config
from local.places import free_port
from local.postgres import LocalPostgres
from tests import cast as stage
from tests.cast import PASSWORD
from tests.database import new_database
from tests.nginx import NAME, Nginx, Visitor, running_nginx
from tests.served import Served, served
from tests.waiting import PATIENCE, eventually
from tests.web.conftest import new_conversation

#: More than the threads of two web processes, which such clients would occupy without a proxy.
CLIENTS = 300
HALF_A_HEADER = b"GET /sign-in HTTP/1.1\r\nHost: "
HALF_A_BODY = (
    f"POST /sign-in HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 900\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nname="
).encode()


@pytest.fixture(scope="module")
def web(postgres: LocalPostgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests here, with the cast."""
    home = tmp_path_factory.mktemp("home")
    with new_database(postgres, template) as url:
        engine = db.connect(url)
        with db.transaction() as session:
            stage.bring_on_stage(session)
        environment = {
            **os.environ,
            "SIGNALBOX_DATABASE_URL": url,
            "SIGNALBOX_HOME": str(home),
            "SIGNALBOX_BASE_URL": f"https://{NAME}",
            "SIGNALBOX_TRUSTED_PROXIES": "1",
        }
        Config.from_env(environment, opens_secrets=True)  # creates the keys, as `flask migrate` does
        with served(environment, free_port()) as web:
            yield web
        engine.dispose()


@pytest.fixture(scope="module")
def nginx(web: Served) -> Iterator[Nginx]:
    with running_nginx(web.port) as nginx:
        yield nginx


def test_a_member_signs_in_and_the_cookie_stays_on_https(nginx: Nginx) -> None:
    carla = Visitor(nginx)
    answer = carla.sign_in("carla", PASSWORD)
    assert answer.status == 302
    cookies = answer.headers.get_all("Set-Cookie", [])
    assert cookies
    for cookie in cookies:
        assert {"Secure", "HttpOnly"} <= set(cookie.split("; "))
        assert "Domain=" not in cookie
    assert carla.ask("/account").status == 200
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains"]


def test_a_browser_works_over_http2_and_its_page_hears_of_new_mail(chromium: Browser, nginx: Nginx) -> None:
    """Pages, scripts, cookies and the stream share one connection; forms pass the check of their origin."""
    with closing(chromium.new_context(ignore_https_errors=True)) as context:
        page = context.new_page()
        page.goto(f"https://127.0.0.1:{nginx.port}/sign-in")
        assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        page.fill("[name=name]", "carla")
        page.fill("[name=password]", PASSWORD)
        with page.expect_response(lambda answer: answer.url.endswith("/stream")):
            page.press("[name=password]", "Enter")
        new_conversation(subject="A mail behind the proxy")
        page.get_by_text("A mail behind the proxy").first.wait_for(timeout=PATIENCE * 1000)
        assert all(cookie["secure"] for cookie in context.cookies())


def test_plain_http_leads_to_https(nginx: Nginx) -> None:
    with socket.create_connection(("127.0.0.1", nginx.plain_port)) as connection:
        connection.sendall(f"GET /m/1?q=x HTTP/1.0\r\nHost: {NAME}\r\n\r\n".encode())
        assert f"Location: https://{NAME}/m/1?q=x\r\n".encode() in connection.recv(4096)


def test_tries_to_sign_in_count_for_the_address_they_come_from_whatever_it_says(nginx: Nginx) -> None:
    guesser = Visitor(nginx, "127.0.0.5")
    statuses = [
        guesser.sign_in("dora", "wrong", X_Forwarded_For=f"203.0.113.{n}", Forwarded=f"for=203.0.113.{n}").status
        for n in range(11)
    ]
    assert statuses == [422] * 10 + [429]
    assert Visitor(nginx, "127.0.0.6").sign_in("dora", PASSWORD, X_Forwarded_For="127.0.0.5").status == 302


@pytest.mark.parametrize(
    "half",
    [HALF_A_HEADER, HALF_A_BODY],
    ids=["headers", "bodies"],
)
def test_slow_clients_never_reach_the_web(nginx: Nginx, web: Served, half: bytes) -> None:
    with ExitStack() as slow:
        for n in range(CLIENTS):  # from three addresses, none above the limit
            slow.enter_context(nginx.connect(f"127.0.0.{20 + n % 3}")).sendall(half)
        assert Visitor(nginx).ask("/healthz").status == 200
        assert connections_to(web.port) <= 1


def test_an_address_with_too_many_requests_at_once_is_refused_and_others_are_not(nginx: Nginx) -> None:
    with ExitStack() as slow:
        for _ in range(200):
            connection = slow.enter_context(nginx.connect("127.0.0.30"))
            connection.sendall(HALF_A_BODY)
        assert Visitor(nginx, "127.0.0.30").ask("/healthz").status == 429
        assert Visitor(nginx, "127.0.0.31").ask("/healthz").status == 200


@pytest.mark.parametrize("path", ["/stream", "/api/v1/stream"])
def test_news_arrive_while_the_stream_is_open(nginx: Nginx, path: str) -> None:
    carla = Visitor(nginx)
    assert carla.sign_in("carla", PASSWORD).status == 302
    with db.transaction() as session:
        token = make_token(session, stage.member(session, "carla"), by=COMMAND)
    with closing(carla.request(path, Authorization=f"Bearer {token}")) as connection:
        answer = connection.getresponse()
        assert answer.status == 200
        while not answer.readline().startswith(b"retry:"):
            pass
        talk = new_conversation()
        while answer.readline() != b"event: conversation\n":
            pass
        assert json.loads(answer.readline().removeprefix(b"data: "))["id"] == talk


def test_static_files_arrive_compressed_and_are_kept_by_browsers(nginx: Nginx) -> None:
    visitor = Visitor(nginx)
    page = visitor.ask("/sign-in", Accept_Encoding="identity").body.decode()
    paths = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert len(paths) > 1
    for path in paths:
        answer = visitor.ask(path, Accept_Encoding="gzip, br")
        assert (answer.status, answer.headers["Content-Encoding"]) == (200, "br")
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_the_proxy_compresses_plain_text_of_the_web(nginx: Nginx) -> None:
    carla = Visitor(nginx)
    assert carla.sign_in("carla", PASSWORD).status == 302
    with db.transaction() as session:
        support = stage.mailbox(session)
        for word in ("invoices", "deliveries", "spare-parts", "complaints", "praise"):
            make_tag(session, support, word, by=stage.acting(session, "ben"))
    answer = carla.ask(f"/m/{support.id}/tags/user.js", Accept_Encoding="gzip")
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")


def test_a_body_over_the_limit_is_refused(nginx: Nginx) -> None:
    assert Visitor(nginx).ask("/sign-in", b"x" * (2 * 1024 * 1024 + 1)).status == 413


def test_the_log_of_the_proxy_holds_no_search_and_no_key(nginx: Nginx) -> None:
    Visitor(nginx).ask("/welcome/key-of-a-link?q=word-of-a-search", Referer=f"https://{NAME}/?q=word-of-a-search")
    eventually(lambda: "/welcome/..." in nginx.log.read_text())
    log = nginx.log.read_text()
    assert "key-of-a-link" not in log
    assert "word-of-a-search" not in log


def connections_to(port: int) -> int:
    """The number of open connections to this port of 127.0.0.1."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01")
