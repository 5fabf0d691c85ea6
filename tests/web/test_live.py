"""Open pages receive every change that their member may see, and no others."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from queue import Queue
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import db
from app.announcements import HealthChanged
from app.db import announce
from app.inbox.actor import COMMAND, web
from app.inbox.admin import team
from app.inbox.lists import counts, find
from app.inbox.people.session import member_signed_in, open_session, sign_out
from app.inbox.people.token import make_token
from app.web import live
from app.web.live import Hub, NoRoom
from tests import cast as stage
from tests.cast import Cast
from tests.web.conftest import Browser, new_conversation

SECONDS = 30


class Listener:
    """Reads a stream in a separate thread, as an open page does."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self.heard: Queue[tuple[str, dict[str, Any]]] = Queue()
        self.ready, self.ended = threading.Event(), threading.Event()
        threading.Thread(target=self._read, args=(frames,), daemon=True).start()

    def next(self, event: str) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while True:
            name, data = self.heard.get(timeout=until - time.monotonic())
            if name == event:
                return data

    def _read(self, frames: Iterator[bytes]) -> None:
        for frame in frames:
            lines = dict(
                line.split(": ", 1) for line in frame.decode().strip().splitlines() if not line.startswith(":")
            )
            if "event" in lines:
                self.heard.put((lines["event"], json.loads(lines["data"])))
            elif "retry" in lines:
                self.ready.set()
        self.ended.set()


@pytest.fixture
def hub(app: Flask, database: str) -> Iterator[Hub]:
    hub = Hub()
    hub.configure(url=database, limit=4)
    yield hub
    hub.close()


def _listen(hub: Hub, handle: str, *mailboxes: int) -> Listener:
    with db.transaction() as session:
        member = stage.member(session, handle)
    listener = Listener(hub.subscribe(member, mailboxes))
    assert listener.ready.wait(SECONDS)  # from here on nothing is missed
    return listener


def test_a_change_reaches_every_member_who_may_see_it(hub: Hub, cast: Cast, talk: int) -> None:
    carla, ben = _listen(hub, "carla", cast.support), _listen(hub, "ben", cast.support, cast.billing)
    with db.transaction() as session:
        member = stage.member(session, "ben")
        conversation = find.conversation(session, member, talk, lock=True)
        conversation.claim(by=web(member))
        revision = conversation.revision
    for listener in (carla, ben):
        assert listener.next("conversation") == {"id": talk, "mailbox": cast.support, "revision": revision}
    assert carla.next("counts")["unassigned"] == 0
    assert ben.next("counts")["mine"] == 1


def test_news_of_another_mailbox_are_not_heard(hub: Hub, cast: Cast) -> None:
    carla, ben = _listen(hub, "carla", cast.support), _listen(hub, "ben", cast.support, cast.billing)
    hidden = new_conversation("Billing")
    assert ben.next("conversation")["id"] == hidden
    shown = new_conversation()
    assert carla.next("conversation")["id"] == shown


def test_the_health_of_a_mailbox_is_sent(hub: Hub, cast: Cast) -> None:
    carla = _listen(hub, "carla", cast.support)
    with db.transaction() as session:
        announce(session, HealthChanged(cast.support, "ok"))
    assert carla.next("health")["mailbox"] == cast.support


def test_a_lost_connection_to_the_database_is_made_up_for(hub: Hub, cast: Cast, database: str) -> None:
    carla = _listen(hub, "carla", cast.support)
    admin = make_url(database).set(drivername="postgresql", database="postgres")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = %s",
            [make_url(database).database],
        )
    carla.next("resync")
    shown = new_conversation()
    assert carla.next("conversation")["id"] == shown


def test_counts_that_could_not_be_had_are_counted_when_they_can(
    hub: Hub, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    carla = _listen(hub, "carla", cast.support)
    count, tries = counts.counts_for, []

    def busy_at_first(session: Session, members: Collection[int], mailbox_id: int) -> dict[int, dict[str, int]]:
        tries.append(mailbox_id)
        if len(tries) == 1:
            raise OperationalError("too many clients", None, Exception())
        return count(session, members, mailbox_id)

    monkeypatch.setattr(counts, "counts_for", busy_at_first)
    new_conversation()
    assert carla.next("counts")["mailbox"] == cast.support
    assert len(tries) > 1


def test_a_member_who_loses_the_role_receives_nothing_further(
    hub: Hub, cast: Cast, talk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.5)
    carla = _listen(hub, "carla", cast.support)
    with db.transaction() as session:
        team.grant(session, stage.member(session, "carla"), stage.mailbox(session), None, by=COMMAND)
    assert carla.ended.wait(SECONDS)


def test_without_room_a_page_is_told_to_poll(hub: Hub, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(hub.limit):
        _listen(hub, "carla", cast.support)
    with db.transaction() as session, pytest.raises(NoRoom):
        hub.subscribe(stage.member(session, "carla"), [cast.support])


def test_no_room_is_503_with_a_time_to_come_back_and_no_fault_in_the_log(
    app: Flask, carla: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live.hub, "limit", 0)
    with db.transaction() as session:
        token = make_token(session, stage.member(session, "carla"), by=COMMAND)
    call = app.test_client().get("/api/v1/stream", headers={"Authorization": f"Bearer {token}"})
    for answer in (carla.get("/stream"), call):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "15"
    told = [(record.levelname, " 503 " in record.getMessage()) for record in caplog.records]
    assert told == [("WARNING", True)] * 2


def test_a_stopping_process_ends_its_streams(app: Flask, database: str, cast: Cast) -> None:
    over = threading.Event()
    hub = Hub()
    hub.configure(url=database, ending=over.is_set)
    carla = _listen(hub, "carla", cast.support)
    over.set()
    assert carla.ended.wait(SECONDS)


def test_a_stream_needs_a_sign_in(nobody: Browser, browser: Callable[[str], Browser]) -> None:
    assert nobody.get("/stream", headers={"Accept": "text/event-stream"}).status_code == 401


def test_after_signing_out_a_stream_receives_nothing_further(
    hub: Hub, cast: Cast, talk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.5)
    with db.transaction() as session:
        carla = stage.member(session, "carla")
        key = open_session(session, carla)
    listener = Listener(hub.subscribe(carla, [cast.support], lambda s: member_signed_in(s, key) is not None))
    assert listener.ready.wait(SECONDS)
    with db.transaction() as session:
        sign_out(session, key)
    assert listener.ended.wait(SECONDS)


def test_one_member_cannot_take_the_room_of_all(hub: Hub, cast: Cast) -> None:
    hub.configure(limit=40)
    with db.transaction() as session:
        carla, ben = stage.member(session, "carla"), stage.member(session, "ben")
        open_ = [hub.subscribe(carla, [cast.support]) for _ in range(hub.limit_per_member)]
        with pytest.raises(NoRoom):
            hub.subscribe(carla, [cast.support])
        open_.append(hub.subscribe(ben, [cast.support]))
    for frames in open_:
        frames.close()  # type: ignore[attr-defined]  # they are generators
