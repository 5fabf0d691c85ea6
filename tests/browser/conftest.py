"""A real Chromium on the real web, with a real worker and Dovecot where a journey needs them.

Every page must be free of script errors and of violations of its own policy: that is checked after each test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from app.local.places import free_port
from app.mail.child import MailParser
from tests.cast import PASSWORD, Cast
from tests.dovecot import Account
from tests.sync.stage import KEY, Stage, connected

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 30
expect.set_options(timeout=SECONDS * 1000)
LAUNCH = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@dataclass(frozen=True)
class House:
    """A running web on a database of its own."""

    address: str
    environment: dict[str, str]
    cast: Cast


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium: run `make setup`, or set CHROMIUM to its path."
    browser = playwright.chromium.launch(executable_path=program, headless=True, args=LAUNCH)
    yield browser
    browser.close()


@pytest.fixture
def house(database: str, cast: Cast, tmp_path: Path) -> Iterator[House]:
    port = free_port()
    environment = {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": database.replace("+psycopg", ""),
        "SIGNALBOX_HOME": str(tmp_path),
        "SIGNALBOX_BIND": f"127.0.0.1:{port}",
        "SIGNALBOX_SYNC_SECONDS": "5",
        "WEB_CONCURRENCY": "1",
    }
    public = b64encode(bytes(KEY.public_key)).decode()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
    with _running(command, {**environment, "SIGNALBOX_SEAL_PUBLIC_KEY": public}):
        _wait_for(f"{address}/healthz")
        yield House(address, environment, cast)


@pytest.fixture
def stage(house: House, account: Account) -> Iterator[Stage]:
    """The web with a mailbox on a real Dovecot, and a worker that serves it."""
    key = b64encode(bytes(KEY)).decode()
    with MailParser() as parser, connected(account, parser) as stage:
        with _running([sys.executable, "-m", "flask", "worker"], {**house.environment, "SIGNALBOX_SEAL_KEY": key}):
            yield stage


@pytest.fixture
def open_page(chromium: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """`open_page("carla", "/m/1/open")`: a browser signed in as Carla, at that page."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def open_page(handle: str | None, path: str, **options: object) -> Page:
        context = chromium.new_context(base_url=house.address, **({"viewport": {"width": 1440, "height": 900}} | options))
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
    page.click("button:has-text('Sign in')")
    page.wait_for_url(lambda address: "sign-in" not in address)


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
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
