"""Browsers without a screen: Flask's test client, signed in as one of the cast, with real sessions and real CSRF."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from nacl.public import PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from app import create_app, db
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.people.session import open_session
from app.web.live import hub
from config import Config
from tests import cast as stage
from tests.cast import PASSWORD, Cast
from tests.markup import Flat

_KEY = PrivateKey.generate()


class Browser:
    """One member's browser. Forms carry the page's token, as a real browser would send it."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.client.response_wrapper = type("Answer", (Flat, self.client.response_wrapper), {})
        self._token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def submit(self, path: str, method: str = "POST", *, htmx: bool = False, **form: Any) -> TestResponse:
        """A form as pages send it: DELETE and PUT as a POST with `_method`."""
        if method != "POST":
            path += ("&" if "?" in path else "?") + f"_method={method}"
        headers = {"HX-Request": "true"} if htmx else {}
        answer = self.client.post(path, data={"csrf_token": self.token, **form}, headers=headers)
        if path.startswith("/sign-"):
            self._token = ""  # a new session has a new token
        return answer

    def sign_in(self, name: str, password: str = PASSWORD, path: str = "/sign-in") -> TestResponse:
        return self.submit(path, name=name, password=password)

    @property
    def token(self) -> str:
        if not self._token:
            page = self.client.get("/sign-in", follow_redirects=True).text
            found = re.search(r'name="csrf-token" content="([^"]+)"', page)
            assert found, page
            self._token = found.group(1)
        return self._token


@pytest.fixture(scope="session")
def app_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Flask]:
    """The application on a database, created once: it stores nothing of a test, and its templates stay compiled."""
    home = tmp_path_factory.mktemp("home")

    @functools.cache
    def made(database: str) -> Flask:
        config = Config(
            database_url=database,
            home=home,
            secret_key=b"a key of thirty-two bytes or more",
            seal_public_key=bytes(_KEY.public_key),
            seal_key=None,
            base_url="http://localhost",
        )
        return create_app(config)

    return made


@pytest.fixture
def app(database: str, cast: Cast, app_on: Callable[[str], Flask]) -> Iterator[Flask]:
    """A test that changes it restores it."""
    engine = db.engine()
    app = app_on(database)
    db.bind(engine)
    hub.configure(url=database)
    yield app
    hub.close()


@pytest.fixture
def nobody(app: Flask) -> Browser:
    """Not signed in."""
    return Browser(app)


@pytest.fixture
def browser(app: Flask) -> Callable[[str], Browser]:
    """`browser("carla")` is signed in as Carla; test_session.py tests the form itself."""

    def signed_in(handle: str) -> Browser:
        browser = Browser(app)
        with db.transaction() as session, browser.client.session_transaction() as cookie:
            cookie["_user_id"] = open_session(session, stage.member(session, handle))
        return browser

    return signed_in


@pytest.fixture
def carla(browser: Callable[[str], Browser]) -> Browser:
    return browser("carla")


@pytest.fixture
def ben(browser: Callable[[str], Browser]) -> Browser:
    return browser("ben")


@pytest.fixture
def dora(browser: Callable[[str], Browser]) -> Browser:
    return browser("dora")


@pytest.fixture
def talk(app: Flask) -> int:
    """The id of an open, unowned conversation of Support."""
    return new_conversation()


def new_conversation(name: str = "Support", **told: Any) -> int:
    with db.transaction() as session:
        return stage.conversation(session, name=name, **told).id


def stored(talk: int) -> Conversation:
    with db.transaction() as session:
        return session.get_one(Conversation, talk)


def folder_id(folder: str, name: str = "Support") -> int:
    with db.transaction() as session:
        return next(f.id for f in stage.mailbox(session, name).folders if f.name == folder)


def stored_message(talk: int) -> Message:
    """The first message of a conversation, with its attachments."""
    with db.transaction() as session:
        wanted = select(Message).where(Message.conversation_id == talk).options(selectinload(Message.attachments))
        return session.scalars(wanted.order_by(Message.id)).first()  # type: ignore[return-value]  # there is one
