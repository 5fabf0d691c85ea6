"""The API as programs call it: each member of the cast with a token, on the whole application."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from app import create_app, db
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.people.token import make_token
from app.web.live import hub
from config import Config
from tests.cast import Cast, member


@dataclass(frozen=True)
class Answer:
    """The response of a call; `json` is None for anything except JSON."""

    status_code: int
    headers: Headers
    data: bytes
    json: Any


class Caller:
    """One member's program: `carla.get("/mailboxes")`, paths below /api/v1."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> Answer:
        headers = {**self._headers, **more.pop("headers", {})}
        if json is not None:
            more["json"] = json
        got = self._client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        return Answer(got.status_code, got.headers, got.data, got.get_json(silent=True))

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, json, **more)

    def put(self, path: str, json: Any = None) -> Answer:
        return self.call("PUT", path, json)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)


@pytest.fixture(scope="session")
def app_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Flask]:
    """The application on a database, created once; it stores nothing of a test."""
    home = tmp_path_factory.mktemp("home")

    @functools.cache
    def made(database: str) -> Flask:
        env = {"SIGNALBOX_DATABASE_URL": database, "SIGNALBOX_HOME": str(home)}
        Config.from_env(env, opens_secrets=True)  # creates the keys, as `flask migrate` does
        return create_app(Config.from_env(env))

    return made


@pytest.fixture
def app(database: str, app_on: Callable[[str], Flask]) -> Iterator[Flask]:
    engine = db.engine()
    app = app_on(database)
    db.bind(engine)
    hub.configure(url=database)
    yield app
    hub.close()


@pytest.fixture
def calling(app: Flask, cast: Cast) -> Callable[[str], Caller]:
    """Returns a caller for a handle."""

    def calling(handle: str) -> Caller:
        with transaction() as session:
            return Caller(app, make_token(session, member(session, handle), by=COMMAND))

    return calling


@pytest.fixture
def carla(calling: Callable[[str], Caller]) -> Caller:
    """An agent on Support; Billing does not exist for her."""
    return calling("carla")


@pytest.fixture
def ben(calling: Callable[[str], Caller]) -> Caller:
    """A manager on both."""
    return calling("ben")


@pytest.fixture
def dora(calling: Callable[[str], Caller]) -> Caller:
    """An observer on Support."""
    return calling("dora")


@pytest.fixture
def ana(calling: Callable[[str], Caller]) -> Caller:
    """An admin without a role on any mailbox."""
    return calling("ana")
