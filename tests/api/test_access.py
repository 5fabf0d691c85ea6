"""Each call for each role, on the member's own mailbox and on a foreign one: the whole table, and the stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import Caller
from tests.cast import FOREIGN, Cast
from tests.doors import Place, furnish, revision, routes

#: On Support. Ana and Eva administer, which gives access to no call.
ROLES = {"ben": "manager", "carla": "agent", "dora": "observer", "ana": "none", "eva": "agent"}


@dataclass(frozen=True)
class Door:
    """A call with its body and its responses: for a role that may do it, for an observer, and without a role."""

    may: int
    observer: int
    none: int
    body: dict[str, Any] | None = None

    def answer(self, role: str) -> int:
        return {"observer": self.observer, "none": self.none}.get(role, self.may)


def _acting(may: int = 200, **body: Any) -> Door:
    return Door(may, 403, 404, body or None)


DOORS = {
    ("api.mailboxes", "GET"): Door(200, 200, 200),
    ("api.conversations", "GET"): Door(200, 200, 200),
    ("api.events", "GET"): Door(200, 200, 200),
    ("api.stream", "GET"): Door(200, 200, 200),
    ("api.conversation", "GET"): Door(200, 200, 404),
    ("api.source", "GET"): Door(202, 202, 404),
    ("api.attachment", "GET"): Door(202, 202, 404),
    ("api.claim", "POST"): _acting(mailbox="{mailbox}"),
    ("api.assign", "PUT"): _acting(assignee="carla"),
    ("api.release", "DELETE"): _acting(),
    ("api.status", "PUT"): _acting(status="closed"),
    ("api.tag", "PUT"): _acting(),
    ("api.untag", "DELETE"): _acting(),
    ("api.star", "PUT"): _acting(),
    ("api.unstar", "DELETE"): _acting(),
    ("api.add_note", "POST"): _acting(201, text="a word"),
    ("api.reply", "POST"): _acting(202, text="Hello"),
    ("api.reply_state", "GET"): Door(200, 200, 404),
    ("api.cancel_reply", "POST"): _acting(),
    ("api.retry_reply", "POST"): _acting(),
    ("api.drafts", "GET"): Door(200, 200, 200),
    ("api.new_draft", "POST"): _acting(201, text="Hello"),
    ("api.change_draft", "PUT"): _acting(text="Hello", revision=1),
    ("api.discard_draft", "DELETE"): _acting(204),
    ("api.send_draft", "POST"): _acting(202),
    ("api.add_upload", "POST"): Door(422, 422, 422),  # without a file
    ("api.move", "POST"): _acting(role="archive"),
    ("api.merge", "POST"): _acting(into="{other}"),
    ("api.split", "POST"): _acting(201),
}
#: Open to anyone, without a token.
OPEN = {("api.openapi", "GET")}
#: Lists take the mailbox as a parameter.
ASKED = [
    "/conversations?mailbox={mailbox}",
    "/drafts?mailbox={mailbox}",
    "/events?mailbox={mailbox}",
    "/events?conversation={conversation}",
]
#: Administrators can read all history.
AUDITED = ASKED[2:]


def test_every_call_is_in_the_table(app: Flask) -> None:
    served = {(endpoint, method) for endpoint, method, _rule in routes(app) if endpoint.startswith("api.")}
    assert served == DOORS.keys() | OPEN


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("handle", ROLES)
def test_every_call_is_for_whom_it_should_be(app: Flask, calling: Callable[[str], Caller], handle: str) -> None:
    someone, place = calling(handle), furnish("Support")
    for endpoint, method, path in _doors(app):
        door = DOORS[endpoint, method]
        expected, before = door.answer(ROLES[handle]), revision(place)
        assert _knock(someone, method, path, place, door) == expected, (endpoint, method)
        if expected in (403, 404) or method == "GET":
            assert revision(place) == before, (endpoint, method)
        else:
            place = furnish("Support")


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("handle", ROLES)
def test_hidden_things_do_not_exist(app: Flask, calling: Callable[[str], Caller], handle: str) -> None:
    someone, place = calling(handle), furnish(FOREIGN[handle])
    before = revision(place)
    for endpoint, method, path in _doors(app):
        door = DOORS[endpoint, method]
        if door.none == 404:
            assert _knock(someone, method, path, place, door) == 404, (endpoint, method)
        assert revision(place) == before, (endpoint, method)


@pytest.mark.parametrize("path", ASKED)
def test_a_list_of_a_hidden_mailbox_is_not_found(carla: Caller, path: str) -> None:
    for name, expected in (("Support", 200), ("Billing", 404)):
        place = furnish(name)
        asked = path.format(mailbox=place.mailbox, conversation=place.conversation)
        assert carla.call("GET", asked).status_code == expected


@pytest.mark.parametrize("path", ASKED)
def test_an_administrator_reads_only_the_history_of_other_mailboxes(ana: Caller, path: str) -> None:
    place = furnish("Billing")
    asked = path.format(mailbox=place.mailbox, conversation=place.conversation)
    assert ana.call("GET", asked).status_code == (200 if path in AUDITED else 404)


def test_a_body_cannot_name_things_of_a_foreign_mailbox(carla: Caller) -> None:
    here, there = furnish("Support"), furnish("Billing")
    before = revision(here), revision(there)
    assert carla.post(f"/conversations/{here.conversation}/merge", {"into": there.conversation}).status_code == 404
    assert carla.post("/claims", {"mailbox": there.mailbox}).status_code == 404
    assert (revision(here), revision(there)) == before


def test_without_a_token_no_call_is_answered(app: Flask, cast: Cast) -> None:
    place = furnish("Support")
    before = revision(place)
    for endpoint, method, path in _doors(app):
        for token in (None, "not a token"):
            door = DOORS[endpoint, method]
            assert _knock(Caller(app, token), method, path, place, door) == 401, (endpoint, method)
    assert revision(place) == before


def _doors(app: Flask) -> list[tuple[str, str, str]]:
    return [
        (endpoint, method, rule.removeprefix("/api/v1"))
        for endpoint, method, rule in routes(app)
        if (endpoint, method) in DOORS
    ]


def _knock(someone: Caller, method: str, path: str, place: Place, door: Door) -> int:
    """Of a stream only the head is requested; test_calls.py tests its events."""
    if path == "/stream":
        method = "HEAD"
    body = None if door.body is None else place.filled(door.body)
    return someone.call(method, place.address(path), body).status_code
