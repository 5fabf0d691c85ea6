"""What all calls share: tokens, errors, limits, and their description."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, update

from app import db
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.lists import lists
from app.inbox.people.token import Token, make_token
from app.web import bucket
from app.web.bucket import Buckets
from app.web.live import hub
from tests.api.conftest import Answer, Caller
from tests.cast import Cast, conversation, member


def code(answer: Answer) -> str:
    assert set(answer.json) == {"error"}
    assert answer.headers["Content-Type"] == "application/json"
    found: str = answer.json["error"]["code"]
    return found


def test_without_a_good_token_there_is_nothing(app: Flask, cast: Cast) -> None:
    for token in (None, "sb_wrong", "ünknown", "a b"):
        answer = Caller(app, token).get("/mailboxes")
        assert (answer.status_code, code(answer)) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert Caller(app, token).get("/conversations/99999999999").status_code == 401
    for header in ("Basic YTpi", "Bearer", "Bearer  ", ""):
        assert Caller(app, None).call("GET", "/mailboxes", headers={"Authorization": header}).status_code == 401


def test_a_revoked_token_opens_nothing(app: Flask, cast: Cast) -> None:
    with transaction() as session:
        key = make_token(session, member(session, "carla"), by=COMMAND)
    assert Caller(app, key).get("/mailboxes").status_code == 200
    with transaction() as session:
        session.execute(update(Token).values(revoked_at=func.now()))
    assert Caller(app, key).get("/mailboxes").status_code == 401


def test_a_sign_in_is_not_a_token_and_a_call_sets_no_cookie(app: Flask, carla: Caller, cast: Cast) -> None:
    assert "Set-Cookie" not in carla.get("/mailboxes").headers
    assert carla.post("/claims", {"mailbox": cast.support}).status_code == 204  # without any CSRF token
    assert app.test_client().get("/mailboxes", headers={"Authorization": "Bearer x"}).status_code != 200


WRONG_CALLS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nothing", {}, 404, "not_found"),
    ("GET", "/conversations/abc", {}, 404, "not_found"),
    ("DELETE", "/mailboxes", {}, 405, "method_not_allowed"),
    ("POST", "/claims", {"data": b"{", "content_type": "application/json"}, 400, "bad_request"),
    ("POST", "/claims", {"data": b"\xff", "content_type": "application/json"}, 400, "bad_request"),
    ("POST", "/claims", {"data": b"[" * 100_000, "content_type": "application/json"}, 400, "bad_request"),
    ("POST", "/claims", {"data": b"mailbox=1"}, 415, "unsupported_media_type"),
    ("POST", "/claims", {"data": {"mailbox": "1"}}, 415, "unsupported_media_type"),
    ("POST", "/claims", {"data": b" " * 300_000, "content_type": "application/json"}, 413, "too_large"),
    ("POST", "/claims", {"json": [1]}, 422, "invalid"),
    ("POST", "/claims", {"json": {"mailbox": True}}, 422, "invalid"),
    ("POST", "/claims", {"json": {"mailbox": 1.5}}, 422, "invalid"),
    ("POST", "/claims", {"json": {"mailbox": 10**40}}, 422, "invalid"),
    ("POST", "/claims", {"json": "mailbox"}, 422, "invalid"),
]


def test_a_wrong_call_gets_an_error_in_json(carla: Caller) -> None:
    for method, path, more, status, expected in WRONG_CALLS:
        answer = carla.call(method, path, **more)
        assert (answer.status_code, code(answer)) == (status, expected), (method, path)


def test_a_database_that_is_away_is_said_and_when_to_come_back(carla: Caller) -> None:
    bound = db.engine()
    db.connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    try:
        answer = carla.get("/mailboxes")
    finally:
        db.bind(bound)
    assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_internal_error_reveals_nothing(
    app: Flask, carla: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(lists, "conversations", broken)
    answer = carla.get("/conversations")
    assert (answer.status_code, code(answer)) == (500, "internal")
    assert b"secret" not in answer.data


# limits ---------------------------------------------------------------------------------------------------------------


def test_a_token_has_so_many_calls_and_then_waits(carla: Caller, ben: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "PER_SECOND", 0.01)  # however slow the machine, no call is refilled in the meantime
    monkeypatch.setattr(bucket, "BURST", 3.0)
    answers = [carla.get("/mailboxes") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert code(answers[-1]) == "too_many"
    assert int(answers[-1].headers["Retry-After"]) > 1
    assert ben.get("/mailboxes").status_code == 200


def test_a_burst_is_300_calls_and_processes_share_it(tmp_path: Path) -> None:
    one, other = Buckets(tmp_path / "calls"), Buckets(tmp_path / "calls")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda i: (one if i % 2 else other).take("token"), range(1000)))
    granted = waits.count(0.0)
    assert 300 <= granted <= 301 + (time.monotonic() - began) * 50
    assert all(0 < wait <= 0.02 for wait in waits if wait)
    assert one.take("another token") == 0


def test_calls_are_counted_where_nothing_can_be_written(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path / "no such folder" / "calls")
    assert [buckets.take("token") for _ in range(300)] == [0.0] * 300


# the description ------------------------------------------------------------------------------------------------------


def test_every_call_is_described(app: Flask, cast: Cast) -> None:
    document = Caller(app, None).get("/openapi.json").json
    assert document["openapi"].startswith("3.")
    described = {(path, method.upper()) for path, calls in document["paths"].items() for method in calls}
    real = {
        (str(rule).replace("<int:", "{").replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == real
    assert "Conversation" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_nothing_in_the_description_points_nowhere(app: Flask, cast: Cast) -> None:
    document = Caller(app, None).get("/openapi.json").json
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        _, *steps = part.split('"')[0].split("/")
        found: Any = document
        for step in steps:
            found = found[step]


def test_a_body_that_comes_in_chunks_is_not_cut_but_refused(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        id_ = conversation(session).id
    body = b'{"text": "cut here"}' + b" " * 300_000 + b"GARBAGE"
    answer = carla.call(
        "POST",
        f"/conversations/{id_}/notes",
        input_stream=io.BytesIO(body),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert (answer.status_code, code(answer)) == (413, "too_large")


# news -----------------------------------------------------------------------------------------------------------------


def test_the_stream_only_sends_visible_changes(app: Flask, carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        here, there = conversation(session).id, conversation(session, name="Billing").id
        key = make_token(session, member(session, "carla"), by=COMMAND)
    response = app.test_client().get("/api/v1/stream", headers={"Authorization": f"Bearer {key}"}, buffered=False)
    assert response.status_code == 200
    assert response.mimetype == "text/event-stream"
    frames = response.iter_encoded()
    next(frames)
    with transaction() as session:
        for id_ in (there, here):
            session.get_one(Conversation, id_).star(by=COMMAND)
    seen = b""
    while f'"id":{here},'.encode() not in seen or b"event: counts" not in seen:
        seen += next(frames)
    response.close()
    assert seen.removeprefix(b"retry: 3000\n\n").startswith(b"event: resync"), "who begins to listen asks first"
    assert f'"id":{there},'.encode() not in seen


def test_a_stream_that_is_never_read_takes_no_room(carla: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "limit", 2)
    for _ in range(4):
        assert carla.call("HEAD", "/stream").status_code == 200
