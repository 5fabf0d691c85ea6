"""Behaviour that needs the real gunicorn: the longest address, and limits across processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.people.token import make_token
from app.web.bucket import Buckets
from app.web.serving import REQUESTS_EACH
from app.web.where import LONGEST_SEARCH
from config import Config
from local.places import free_port
from tests.cast import Cast, arrival, arrive, mailbox, member
from tests.database import ReusedDatabase
from tests.served import Served, served
from tests.waiting import PATIENCE, eventually


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def started(reused_database: ReusedDatabase, home: Path) -> Iterator[Served]:
    environment = {**os.environ, "SIGNALBOX_DATABASE_URL": reused_database.url, "SIGNALBOX_HOME": str(home)}
    Config.from_env(environment, opens_secrets=True)  # creates the keys, as `flask migrate` does
    with served(environment, free_port()) as web:
        yield web


@pytest.fixture
def web(database: str, cast: Cast, started: Served) -> Iterator[Served]:
    """Two new processes on the cast's database."""
    yield started
    started.renew()


@pytest.fixture
def token(cast: Cast) -> str:
    with transaction() as session:
        return make_token(session, member(session, "carla"), by=COMMAND)


@pytest.fixture
def used_up(token: str, home: Path) -> Iterator[None]:
    """A third process, this one, uses up all calls that the token has left."""
    buckets, ending = Buckets(home / "api_calls"), threading.Event()

    def take_all() -> None:
        while not ending.is_set():
            buckets.take(token)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(take_all)
        yield
        ending.set()


@contextlib.contextmanager
def alone(worker: int, web: Served) -> Iterator[None]:
    """The other processes are stopped in the meantime."""
    others = [pid for pid in web.workers if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def test_a_long_search_is_answered_in_any_script(web: Served, token: str) -> None:
    for letter, count in (("a", 7900), ("ж", 1300), ("中", 880), ("😀", 660)):
        answer = web.ask(f"/api/v1/conversations?q={quote(letter * count)}", Authorization=f"Bearer {token}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json"), letter
        assert json.loads(answer.body) == {"items": [], "next": None}


def test_the_longest_search_that_a_page_takes_survives_a_sign_in(web: Served, cast: Cast) -> None:
    for letters in ("中", "😀"):  # one and two UTF-16 units, which browsers count
        typed = letters * (LONGEST_SEARCH * 2 // len(letters.encode("utf-16-le")))
        answer = web.ask(f"/m/{cast.support}/unassigned?q={quote(typed)}")
        assert answer.status == 200
        assert b'name="password"' in answer.body


def test_a_token_has_its_calls_with_all_processes_together(web: Served, token: str, used_up: None) -> None:
    def refused() -> bool:
        answer = web.ask("/api/v1/mailboxes", Authorization=f"Bearer {token}")
        assert answer.status in (200, 429)
        if answer.status == 429:
            assert int(answer.headers["Retry-After"]) >= 1
            assert json.loads(answer.body)["error"]["code"] == "too_many"
        return answer.status == 429

    for worker in web.workers:
        with alone(worker, web):
            eventually(refused)


def test_clients_that_send_half_a_request_do_not_keep_the_web_from_answering(web: Served) -> None:
    """There are more of them than threads, and each holds one until its time is over."""
    header = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "
    body = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\na"
    with contextlib.ExitStack() as clients:
        for n in range(300):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", web.port)))
            client.sendall(body if n % 2 else header)
        eventually(lambda: web.ask("/healthz").status == 200, patience=3 * PATIENCE)


def test_a_list_is_as_long_as_asked(web: Served, token: str) -> None:
    with transaction() as session:
        arrive(session, *(arrival(mailbox(session)) for _ in range(4)))
    answer = web.ask("/api/v1/conversations?limit=3", Authorization=f"Bearer {token}")
    page = json.loads(answer.body)
    assert len(page["items"]) == 3
    rest = web.ask(f"/api/v1/conversations?cursor={quote(page['next'])}", Authorization=f"Bearer {token}")
    assert len(json.loads(rest.body)["items"]) == 1


def test_a_connection_is_closed_after_some_requests_so_that_clients_spread_over_the_processes(web: Served) -> None:
    client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
    closes = []
    for _ in range(2 * REQUESTS_EACH):  # the client reconnects automatically
        client.request("GET", "/healthz")
        answer = client.getresponse()
        assert answer.read()
        closes.append(answer.getheader("Connection") == "close")
    assert [number for number, close in enumerate(closes, 1) if close] == [REQUESTS_EACH, 2 * REQUESTS_EACH]
