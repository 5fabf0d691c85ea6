"""Replies and drafts through the API: who may, what is refused, and that one call is one reply."""

from __future__ import annotations

import io
from typing import Any

import pytest

from app.clock import now
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.replies import upload
from tests.api.conftest import Answer, Caller
from tests.cast import Cast, arrival, arrive, conversation, mailbox


@pytest.fixture
def one(cast: Cast) -> int:
    """A conversation on Support, whose mailbox can send."""
    with transaction() as session:
        box = mailbox(session)
        box.smtp_host, box.smtp_port, box.smtp_security = "127.0.0.1", 9, "none"
        return conversation(session).id


def code(answer: Answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"] if answer.status_code >= 400 else ""


def reply(caller: Caller, conversation_id: int, key: str | None = None, **content: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"/conversations/{conversation_id}/replies", {"text": "Hello", **content}, headers=headers)


def test_a_reply_is_queued_and_can_be_called_back(carla: Caller, one: int) -> None:
    answer = reply(carla, one)
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    path = f"/replies/{answer.json['id']}"
    assert carla.get(path).json == answer.json
    assert carla.post(f"{path}/cancel").json["state"] == "draft"
    [draft] = carla.get("/drafts").json["items"]
    assert (draft["id"], draft["text"]) == (answer.json["id"], "Hello\n")
    assert code(carla.post(f"/drafts/{draft['id']}/send", {})) == (202, "")
    assert code(carla.post(f"/drafts/{draft['id']}/send", {})) == (409, "already_sent")


def test_the_same_key_gives_the_same_reply(carla: Caller, ben: Caller, one: int) -> None:
    first = reply(carla, one, "a key").json["id"]
    assert reply(carla, one, "a key").json["id"] == first
    assert reply(carla, one, "another").json["id"] != first
    assert reply(ben, one, "a key").json["id"] != first


def test_a_key_belongs_to_one_conversation(carla: Caller, one: int) -> None:
    with transaction() as session:
        other = conversation(session).id
    assert code(reply(carla, one, "a key")) == (202, "")
    assert code(reply(carla, other, "a key")) == (422, "invalid")


def test_only_agents_reply_and_nobody_learns_of_other_mailboxes(
    ana: Caller, carla: Caller, dora: Caller, one: int
) -> None:
    assert code(reply(dora, one)) == (403, "not_allowed")
    assert code(reply(ana, one)) == (404, "not_found")
    draft = carla.post(f"/conversations/{one}/drafts", {"text": "Hi"}).json
    assert code(ana.put(f"/drafts/{draft['id']}", {"revision": 1})) == (404, "not_found")
    assert code(dora.delete(f"/drafts/{draft['id']}")) == (403, "not_allowed")
    assert ana.get("/drafts").json["items"] == []
    assert len(dora.get("/drafts").json["items"]) == 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "", "html": "<p> </p>"}, "text"),
        ({"to": []}, "to"),
        ({"to": ["nobody"]}, "to"),
        ({"cc": ["a@b\nBcc: c@d"]}, "cc"),
        ({"to": [f"a{n}@x.example" for n in range(101)]}, "to"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "send_at"),
        ({"send_at": "2099-01-01T00:00:00Z"}, "send_at"),
        ({"status_after": "snoozed"}, "status_after"),
        ({"text": "x" * 1_000_001}, "text"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_field(
    carla: Caller, one: int, content: dict[str, Any], field: str
) -> None:
    answer = reply(carla, one, **content)
    assert answer.status_code in (413, 422), answer.data
    assert answer.json["error"].get("field", "body") == field
    assert carla.get("/drafts").json["items"] == []


def test_a_newer_message_stops_a_reply_once(carla: Caller, one: int) -> None:
    seen = carla.get(f"/conversations/{one}").json["messages"][-1]["id"]
    with transaction() as session:
        first = session.get_one(Conversation, one).messages[0]
        arrive(session, arrival(mailbox(session), references=(first.message_id,)))
    answer = reply(carla, one, if_last_message=seen)
    assert code(answer) == (409, "newer_messages")
    [newer] = answer.json["error"]["messages"]
    assert code(reply(carla, one, if_last_message=newer)) == (202, "")


def test_two_writers_of_one_draft_do_not_overwrite_each_other(carla: Caller, ben: Caller, one: int) -> None:
    draft = carla.post(f"/conversations/{one}/drafts", {"text": "Hi"}).json
    path = f"/drafts/{draft['id']}"
    assert carla.put(path, {"revision": 1, "text": "Hi Zoe"}).json["revision"] == 2
    answer = ben.put(path, {"revision": 2, "text": "Ben's"})
    assert code(answer) == (409, "being_written")
    assert answer.json["error"]["writer"] == "carla"
    assert ben.put(path, {"revision": 2, "text": "Ben's", "take_over": True}).json["writer"] == "ben"
    assert code(carla.put(path, {"revision": 2, "text": "Carla's"})) == (409, "being_written")
    assert code(ben.put(path, {"revision": 2, "text": "older tab"})) == (409, "changed")
    assert carla.get("/drafts").json["items"][0]["text"] == "Ben's\n"


def test_a_scheduled_reply_waits_for_its_time(carla: Caller, one: int) -> None:
    at = now().replace(year=now().year + 1, month=1, day=1).isoformat()
    answer = reply(carla, one, send_at=at)
    assert answer.json["state"] == "scheduled"
    assert carla.post(f"/replies/{answer.json['id']}/cancel").json["state"] == "draft"


def test_a_mailbox_without_outgoing_server_says_so(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        id_ = conversation(session).id
    answer = reply(carla, id_)
    assert code(answer) == (422, "invalid")
    assert "no server for outgoing mail" in answer.json["error"]["message"]


def put_file(caller: Caller, name: str = "plan.pdf", data: bytes = b"%PDF-1") -> Answer:
    return caller.call("POST", "/uploads", data={"file": (io.BytesIO(data), name, "application/pdf")})


def test_a_file_belongs_to_the_member_and_then_to_the_reply(carla: Caller, ben: Caller, one: int) -> None:
    file = put_file(carla, "../etc/pa\tsswd").json
    assert (file["filename"], file["size"]) == (".. etc pa sswd", 6)
    path = f"/drafts/{carla.post(f'/conversations/{one}/drafts', {'text': 'Hi'}).json['id']}"
    assert code(ben.put(path, {"revision": 1, "attachments": [file["id"]]})) == (422, "invalid")
    saved = carla.put(path, {"revision": 1, "attachments": [file["id"]]}).json
    assert saved["attachments"] == [file]
    kept = ben.put(path, {"revision": 2, "text": "Hi", "attachments": [file["id"]], "take_over": True}).json
    assert kept["attachments"] == [file]
    assert ben.put(path, {"revision": 3, "text": "Hi", "attachments": []}).json["attachments"] == []
    assert code(reply(carla, one, attachments=[file["id"]])) == (422, "invalid")


def test_files_are_bounded(carla: Caller, monkeypatch: pytest.MonkeyPatch, one: int) -> None:
    monkeypatch.setattr(upload, "LARGEST_FILES", 1000)
    assert code(put_file(carla, data=b"x" * 1001)) == (422, "invalid")
    ids = [put_file(carla, data=b"x" * 600).json["id"] for _ in range(2)]
    assert code(reply(carla, one, attachments=ids)) == (422, "invalid")
    assert code(reply(carla, one, text="", attachments=ids[:1])) == (202, "")
    assert code(carla.post("/uploads")) == (422, "invalid")
    assert code(carla.call("POST", "/uploads", data=b"x" * (26 * 1024 * 1024 + 1)))[0] in (413, 422)
