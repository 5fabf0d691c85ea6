"""A real Chromium on the real web, with a real worker and Dovecot if a journey needs them.

No page may cause script errors or violate its own policy; this is checked after each test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from app.mail.child import MailParser
from local.places import free_port
from tests.cast import PASSWORD, Cast
from tests.dovecot import Account
from tests.sync.stage import KEY, Stage, connected

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 30
expect.set_options(timeout=SECONDS * 1000)
NOWHERE = "/nowhere"
#: Messages of the browser and htmx about a network that a test takes away.
OFFLINE = ("Failed to load resource: net::ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")


@dataclass(frozen=True)
class House:
    """A running web with its own database."""

    address: str
    cast: Cast


@pytest.fixture
def house(database: str, cast: Cast, tmp_path: Path) -> Iterator[House]:
    """The web as production runs it."""
    port = free_port()
    environment = {
        **_environment(database, tmp_path),
        "SIGNALBOX_SEAL_PUBLIC_KEY": b64encode(bytes(KEY.public_key)).decode(),
        "SIGNALBOX_BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
    }
    with _running("gunicorn", "wsgi:app", environment=environment):
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield House(f"http://127.0.0.1:{port}", cast)


@pytest.fixture
def stage(house: House, database: str, account: Account, tmp_path: Path) -> Iterator[Stage]:
    """The web with a mailbox on a real Dovecot, and its worker."""
    with MailParser() as parser, connected(account, parser) as stage, worker(database, tmp_path):
        yield stage


def worker(database: str, home: Path) -> AbstractContextManager[None]:
    """A worker as production runs it."""
    environment = {**_environment(database, home), "SIGNALBOX_SEAL_KEY": b64encode(bytes(KEY)).decode()}
    return _running("flask", "worker", environment=environment)


@pytest.fixture
def open_page(chromium: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """`open_page("carla", "/m/1/open")`: a browser signed in as Carla, at that page. `refuses`: a pattern of addresses
    whose requests the test expects to fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    refused = re.compile(f"{NOWHERE}$")

    def listen(message: ConsoleMessage) -> None:
        wanted = refused.search(message.location["url"]) or message.text.startswith(OFFLINE)
        if message.type in ("error", "warning") and not wanted:
            complaints.append(message.text)

    def open_page(handle: str | None, path: str, refuses: str = f"{NOWHERE}$", **options: Any) -> Page:
        nonlocal refused
        refused = re.compile(refuses)
        context = chromium.new_context(
            base_url=house.address, **({"viewport": {"width": 1440, "height": 900}} | options)
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if handle is not None:
            _sign_in(page, handle)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _sign_in(page: Page, handle: str) -> None:
    page.goto("/sign-in")
    page.fill("[name=name]", handle)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def _environment(database: str, home: Path) -> dict[str, str]:
    told = {
        "SIGNALBOX_DATABASE_URL": database.replace("+psycopg", ""),
        "SIGNALBOX_HOME": str(home),
        "SIGNALBOX_SYNC_SECONDS": "5",
    }
    return {**os.environ, **told}


@contextmanager
def _running(*module: str, environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", *module]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait_for(address: str) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(address) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")
