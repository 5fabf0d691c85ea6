"""A real Chromium on the real web, with a real worker and Dovecot if a journey needs them.

No page may cause script errors or violate its own policy; this is checked after each test.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from app.db import transaction
from app.inbox.people.session import open_session
from app.mail.child import MailParser
from local.places import free_port
from tests.cast import PASSWORD, Cast, member
from tests.database import ReusedDatabase
from tests.dovecot import Account
from tests.forked import Program
from tests.served import Served, served
from tests.sync.stage import KEY, Stage, connected

SECONDS = 30
SECRET_KEY = "a key of thirty-two bytes or more"
expect.set_options(timeout=SECONDS * 1000)
NOWHERE = "/nowhere"
#: Messages of the browser and htmx about a network that a test takes away.
OFFLINE = ("Failed to load resource: net::ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")


@dataclass(frozen=True)
class House:
    """A running web with its own database."""

    address: str
    cast: Cast


@pytest.fixture(scope="session")
def web(reused_database: ReusedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The web as production runs it, started once."""
    home = tmp_path_factory.mktemp("home")
    seal_public_key = b64encode(bytes(KEY.public_key)).decode()
    told = {"SIGNALBOX_SECRET_KEY": SECRET_KEY, "SIGNALBOX_SEAL_PUBLIC_KEY": seal_public_key}
    with served({**_environment(reused_database.url, home), **told}, free_port(), workers=1) as web:
        yield web


@pytest.fixture
def house(database: str, cast: Cast, web: Served) -> Iterator[House]:
    yield House(f"http://127.0.0.1:{web.port}", cast)
    web.renew()


@pytest.fixture
def stage(house: House, database: str, account: Account, tmp_path: Path) -> Iterator[Stage]:
    """The web with a mailbox on a real Dovecot, and its worker."""
    with MailParser() as parser, connected(account, parser) as stage, worker(database, tmp_path):
        yield stage


def worker(database: str, home: Path) -> AbstractContextManager[None]:
    """A worker as production runs it."""
    environment = {**_environment(database, home), "SIGNALBOX_SEAL_KEY": b64encode(bytes(KEY)).decode()}
    return _running(Program("flask", "worker", environment=environment, out=home / "worker.log"))


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
            _open_session(context, handle, house)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, handle: str) -> None:
    """Sign in by the form only if a test needs it, because hashing passwords is slow on purpose."""
    page.fill("[name=name]", handle)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def _open_session(context: BrowserContext, handle: str, house: House) -> None:
    """Signed in already."""
    app = Flask("signalbox")
    app.secret_key = SECRET_KEY
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    with transaction() as session:
        key = open_session(session, member(session, handle))
    context.add_cookies(
        [{"name": "signalbox", "value": str(serializer.dumps({"_user_id": key})), "url": house.address}]
    )


def _environment(database: str, home: Path) -> dict[str, str]:
    told = {
        "SIGNALBOX_DATABASE_URL": database.replace("+psycopg", ""),
        "SIGNALBOX_HOME": str(home),
        "SIGNALBOX_SYNC_SECONDS": "5",
    }
    return {**os.environ, **told}


@contextmanager
def _running(program: Program) -> Iterator[None]:
    try:
        yield
    finally:
        program.terminate()
        program.wait(SECONDS)
