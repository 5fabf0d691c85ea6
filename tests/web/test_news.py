"""Each event of the streams for each role, on the member's own mailbox and on a foreign one: the whole table, for the
streams of pages and API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.lists import find
from app.inbox.people.token import make_token
from app.web.live import StreamEvent, hub
from tests.cast import Cast, mailbox, member
from tests.doors import Place, furnish
from tests.web.conftest import Browser

SECONDS = 30
#: The mailboxes whose events a member receives.
SEES = {"ben": {"Support", "Billing"}, "carla": {"Support"}, "dora": {"Support"}, "ana": set[str]()}


def _touched(place: Place) -> dict[str, Any]:
    with transaction() as session:
        ben = member(session, "ben")
        conversation = find.conversation(session, ben, place.conversation, lock=True)
        conversation.unstar(by=COMMAND)
        return {"id": place.conversation, "mailbox": place.mailbox, "revision": conversation.revision}


def _counted(place: Place) -> dict[str, Any]:
    return {"mailbox": _touched(place)["mailbox"]}


def _told(place: Place, name: str) -> dict[str, Any]:
    with transaction() as session:
        mailbox(session, name).tell_health()
    return {"mailbox": place.mailbox, "state": "ok"}


#: How to cause each event, and its data at least.
MAKE: dict[StreamEvent, Callable[[Place, str], dict[str, Any]]] = {
    StreamEvent.CONVERSATION: lambda place, _: _touched(place),
    StreamEvent.COUNTS: lambda place, _: _counted(place),
    StreamEvent.HEALTH: _told,
}
#: For everybody, and without any data.
EMPTY = {StreamEvent.RESYNC}


class Listener:
    """Reads a stream in a separate thread to its end, and keeps all events."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.status_code == 200
        self.all: list[tuple[str, dict[str, Any]]] = []
        self._heard: Queue[tuple[str, dict[str, Any]]] = Queue()
        self._frames: Iterator[bytes] = answer.iter_encoded()
        next(self._frames)  # it listens from here on
        threading.Thread(target=self._read, daemon=True).start()

    def hears(self, news: StreamEvent, what: dict[str, Any]) -> None:
        """Wait for this event, whatever comes before."""
        until = time.monotonic() + SECONDS
        while True:
            name, data = self._heard.get(timeout=max(0, until - time.monotonic()))
            if name == news and what.items() <= data.items():
                return

    def _read(self) -> None:
        for frame in self._frames:
            lines = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line)
            if "event" in lines:
                heard = lines["event"], json.loads(lines["data"])
                self.all.append(heard)
                self._heard.put(heard)


@pytest.fixture(params=["/stream", "/api/v1/stream"])
def listening(
    request: pytest.FixtureRequest, app: Flask, browser: Callable[[str], Browser], cast: Cast
) -> Iterator[dict[str, Listener]]:
    """All members at once, each at the stream of this address."""
    path: str = request.param
    listeners = {}
    for handle in SEES:
        if path == "/stream":
            answer = browser(handle).get(path, buffered=False)
        else:
            with transaction() as session:
                key = make_token(session, member(session, handle), by=COMMAND)
            answer = app.test_client().get(path, headers={"Authorization": f"Bearer {key}"}, buffered=False)
        listeners[handle] = Listener(answer)
    assert hub._listening.wait(SECONDS)
    yield listeners
    hub.close()


def test_every_event_is_in_the_table() -> None:
    assert set(StreamEvent) == MAKE.keys() | EMPTY


def test_every_event_is_heard_by_whom_it_should_be_and_by_nobody_else(
    listening: dict[str, Listener], cast: Cast
) -> None:
    ids = {"Support": cast.support, "Billing": cast.billing}
    for news, make in MAKE.items():
        for name in ids:
            what = make(furnish(name), name)
            for handle, listener in listening.items():
                if name in SEES[handle]:
                    listener.hears(news, what)
    _let_all_be_read(listening)
    for handle, listener in listening.items():
        told = {data["mailbox"] for name, data in listener.all if name not in EMPTY}
        assert told == {ids[name] for name in SEES[handle]}, handle
        assert all(data == {} for name, data in listener.all if name in EMPTY)


def _let_all_be_read(listening: dict[str, Listener]) -> None:
    """Between two resyncs a stream reads its queue."""
    for _ in range(2):
        hub._all_lost()
        for listener in listening.values():
            listener.hears(StreamEvent.RESYNC, {})
