from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.clock import now, rfc3339
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.tag import make_tag
from app.inbox.people.member import Member
from app.web.api import show
from tests.api.conftest import Answer, Caller
from tests.cast import Cast, arrival, arrive, conversation, mailbox, member


@pytest.fixture
def one(cast: Cast) -> int:
    """An unassigned conversation on Support."""
    with transaction() as session:
        return conversation(session).id


def error(answer: Answer, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.data
    told: dict[str, Any] = answer.json["error"]
    assert told["code"] == code
    assert told["message"]
    return told


def done(answer: Answer, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.data
    told: dict[str, Any] = answer.json
    return told


@pytest.mark.parametrize("call", ["claim next", "claim", "star", "merge", "split"])
def test_the_response_is_built_after_the_lock_is_released(
    ben: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with transaction() as session:
        first, second = conversation(session), conversation(session)
        arrive(session, arrival(mailbox(session), references=(first.messages[0].message_id,)))
        one, two, mail = first.id, second.id, first.messages[0].id
    made = show.conversation
    free: list[int] = []

    def shown(session: Session, member: Member, id_: int) -> Any:
        with transaction() as other:
            locked = sa.text("SELECT id FROM conversation WHERE id = :id FOR UPDATE NOWAIT")
            free.append(other.execute(locked, {"id": id_}).scalar_one())
        return made(session, member, id_)

    monkeypatch.setattr(show, "conversation", shown)
    answer = {
        "claim next": lambda: ben.post("/claims", {"mailbox": cast.support}),
        "claim": lambda: ben.put(f"/conversations/{one}/assignment", {"assignee": "ben"}),
        "star": lambda: ben.put(f"/conversations/{one}/star"),
        "merge": lambda: ben.post(f"/conversations/{two}/merge", {"into": one}),
        "split": lambda: ben.post(f"/messages/{mail}/split"),
    }[call]()
    assert answer.status_code in (200, 201)
    assert free == [answer.json["id"]]


# assignment -----------------------------------------------------------------------------------------------------------


def test_the_first_claim_wins_and_the_other_caller_learns_the_owner(carla: Caller, ben: Caller, one: int) -> None:
    path = f"/conversations/{one}/assignment"
    assert done(carla.put(path, {"assignee": "carla"}))["assignee"] == "carla"
    assert error(ben.put(path, {"assignee": "ben"}), 409, "already_claimed")["assignee"] == "carla"
    assert error(ben.delete(path), 409, "already_claimed")["assignee"] == "carla"
    assert done(ben.get(f"/conversations/{one}"))["assignee"] == "carla"


def test_claiming_ones_own_again_changes_nothing(carla: Caller, one: int) -> None:
    path = f"/conversations/{one}/assignment"
    first = done(
        carla.put(path, {"assignee": "carla", "if_revision": done(carla.get(f"/conversations/{one}"))["revision"]})
    )
    again = done(carla.put(path, {"assignee": "carla", "if_revision": first["revision"] - 1}))
    assert again == first


def test_a_manager_takes_over_and_an_agent_cannot(carla: Caller, ben: Caller, one: int, cast: Cast) -> None:
    path = f"/conversations/{one}/assignment"
    done(ben.put(path, {"assignee": "ben"}))
    assert error(carla.put(path, {"assignee": "carla", "take_over": True}), 409, "already_claimed")["assignee"] == "ben"
    done(ben.delete(path))
    done(carla.put(path, {"assignee": "carla"}))
    taken = done(ben.put(path, {"assignee": "ben", "take_over": True}))
    assert taken["assignee"] == "ben"
    assert taken["events"][-1]["kind"] == "taken over"


def test_an_agent_gives_to_others_where_the_mailbox_allows_it(carla: Caller, one: int, cast: Cast) -> None:
    path = f"/conversations/{one}/assignment"
    assert done(carla.put(path, {"assignee": "ben"}))["assignee"] == "ben"
    with transaction() as session:
        mailbox(session).agents_assign = False
        other = conversation(session).id
    error(carla.put(f"/conversations/{other}/assignment", {"assignee": "ben"}), 403, "not_allowed")


def test_releasing_is_repeated_without_harm(carla: Caller, one: int) -> None:
    path = f"/conversations/{one}/assignment"
    done(carla.put(path, {"assignee": "carla"}))
    first = done(carla.delete(path))
    assert first["assignee"] is None
    assert done(carla.delete(path)) == first


def test_a_member_without_a_role_cannot_be_assigned(carla: Caller, one: int) -> None:
    for handle in ("nobody", "ana", "dora", "Carla", ""):
        answer = carla.put(f"/conversations/{one}/assignment", {"assignee": handle})
        assert error(answer, 422, "invalid")["field"] == "assignee"


def test_an_old_revision_is_refused_and_nothing_changes(carla: Caller, one: int) -> None:
    revision = done(carla.get(f"/conversations/{one}"))["revision"]
    done(carla.put(f"/conversations/{one}/star"))
    for path, name, value in (("assignment", "assignee", "carla"), ("status", "status", "closed")):
        body: dict[str, object] = {name: value, "if_revision": revision}
        told = error(carla.put(f"/conversations/{one}/{path}", body), 409, "changed")
        assert told["revision"] == revision + 1
    now_ = done(carla.get(f"/conversations/{one}"))
    assert (now_["assignee"], now_["status"]) == (None, "open")


def test_an_unknown_name_on_the_server_can_be_claimed(carla: Caller, one: int) -> None:
    with transaction() as session:
        session.get_one(Conversation, one).assign_name("zoe", by=COMMAND)
    seen = done(carla.get(f"/conversations/{one}"))
    assert (seen["assignee"], seen["assigned_name"]) == (None, "zoe")
    claimed = done(carla.put(f"/conversations/{one}/assignment", {"assignee": "carla"}))
    assert (claimed["assignee"], claimed["assigned_name"]) == ("carla", None)


def test_without_a_copy_on_the_server_nothing_is_claimed(carla: Caller, one: int) -> None:
    with transaction() as session:
        session.get_one(Conversation, one).place = "gone"
    error(carla.put(f"/conversations/{one}/assignment", {"assignee": "carla"}), 409, "gone")
    assert done(carla.get(f"/conversations/{one}"))["assignee"] is None


def test_claim_next_takes_the_one_that_waits_longest(carla: Caller, ben: Caller, cast: Cast) -> None:
    with transaction() as session:
        made = [conversation(session).id for _ in range(2)]
        answered = conversation(session)
        arrive(session, arrival(mailbox(session), folder="Sent", references=(answered.messages[0].message_id,)))
        conversation(session, name="Billing")
    body = {"mailbox": cast.support}
    assert done(carla.post("/claims", body))["id"] == made[0]
    assert done(ben.post("/claims", body))["id"] == made[1]
    empty = carla.post("/claims", body)
    assert (empty.status_code, empty.data) == (204, b"")


def test_claim_next_needs_a_mailbox_and_a_role_on_it(carla: Caller, dora: Caller, cast: Cast) -> None:
    error(dora.post("/claims", {"mailbox": cast.support}), 403, "not_allowed")
    error(carla.post("/claims", {"mailbox": cast.billing}), 404, "not_found")
    assert error(carla.post("/claims", {"mailbox": "Support"}), 422, "invalid")["field"] == "mailbox"
    assert error(carla.post("/claims"), 422, "invalid")["field"] == "mailbox"


# status ---------------------------------------------------------------------------------------------------------------


def test_every_status_can_be_set_and_repeated(carla: Caller, one: int) -> None:
    for status in ("pending", "snoozed", "closed", "spam", "open"):
        first = done(carla.put(f"/conversations/{one}/status", {"status": status}))
        assert first["status"] == status
        assert done(carla.put(f"/conversations/{one}/status", {"status": status})) == first


def test_a_snooze_ends_when_asked_for(carla: Caller, one: int) -> None:
    until = (now() + dt.timedelta(days=2)).replace(microsecond=0)
    path = f"/conversations/{one}/status"
    elsewhere = until.astimezone(dt.timezone(dt.timedelta(hours=5))).isoformat()
    assert done(carla.put(path, {"status": "snoozed", "until": elsewhere}))["snoozed_until"] == rfc3339(until)
    assert done(carla.put(path, {"status": "open"}))["snoozed_until"] is None


WRONG_STATUSES: list[tuple[dict[str, Any], str]] = [
    ({}, "status"),
    ({"status": "asleep"}, "status"),
    ({"status": None}, "status"),
    ({"status": "snoozed", "until": "tomorrow"}, "until"),
    ({"status": "snoozed", "until": "2020-01-01T00:00:00Z"}, "until"),
    ({"status": "snoozed", "until": "2099-01-01T00:00:00"}, "until"),
    ({"status": "snoozed", "until": "9999-12-31T23:59:59-12:00"}, "until"),
    ({"status": "snoozed", "until": 1893456000}, "until"),
    ({"status": "closed", "until": "2099-01-01T00:00:00Z"}, "until"),
    ({"status": "closed", "reason": "done"}, "reason"),
    ({"status": "closed", "if_revision": "1"}, "if_revision"),
]


def test_an_impossible_status_names_the_field(carla: Caller, one: int) -> None:
    for body, field in WRONG_STATUSES:
        assert error(carla.put(f"/conversations/{one}/status", body), 422, "invalid")["field"] == field, body


# tags, star, notes ----------------------------------------------------------------------------------------------------


def test_a_tag_is_put_on_and_taken_off(carla: Caller, one: int, cast: Cast) -> None:
    with transaction() as session:
        make_tag(session, mailbox(session), "billing", by=COMMAND)
    path = f"/conversations/{one}/tags/billing"
    tagged = done(carla.put(path))
    assert tagged["tags"] == ["billing"]
    assert done(carla.put(path)) == tagged
    assert done(carla.delete(path))["tags"] == []
    assert done(carla.delete(path))["tags"] == []


def test_an_unknown_tag_is_made_by_a_manager_only(carla: Caller, ben: Caller, one: int) -> None:
    assert error(carla.put(f"/conversations/{one}/tags/new-word"), 404, "unknown_tag")["tag"] == "new-word"
    error(carla.delete(f"/conversations/{one}/tags/new-word"), 404, "unknown_tag")
    assert done(ben.put(f"/conversations/{one}/tags/new-word"))["tags"] == ["new-word"]
    for name in ("assigned-ben", "state-closed", "two words", "ärger", "$junk"):
        assert error(ben.put(f"/conversations/{one}/tags/{name}"), 422, "invalid")["field"] == "tag"
    error(ben.put(f"/conversations/{one}/tags/a%00b"), 404, "unknown_tag")


def test_the_star_is_set_and_taken(carla: Caller, one: int) -> None:
    starred = done(carla.put(f"/conversations/{one}/star"))
    assert starred["starred"]
    assert done(carla.put(f"/conversations/{one}/star")) == starred
    assert not done(carla.delete(f"/conversations/{one}/star"))["starred"]


def test_a_note_is_kept_with_its_author(carla: Caller, one: int) -> None:
    noted = done(carla.post(f"/conversations/{one}/notes", {"text": " Called back.\n"}), 201)
    [note] = noted["notes"]
    assert (note["author"], note["text"], note["edited_at"]) == ("carla", "Called back.", None)
    assert noted["events"][-1]["after"] == {"note": note["id"]}


def test_a_note_sent_again_with_its_idempotency_key_is_added_once(carla: Caller, one: int) -> None:
    key = {"Idempotency-Key": "2f1c"}
    for _ in range(2):
        noted = done(carla.post(f"/conversations/{one}/notes", {"text": "Called back."}, headers=key), 201)
    assert len(noted["notes"]) == 1


def test_a_note_that_cannot_be_is_refused(carla: Caller, one: int) -> None:
    wrong: list[object] = ["", "  \n", "x" * 20_001, "half \ud800", "nul \0", 7, None, ["a"]]
    for text in wrong:
        assert error(carla.post(f"/conversations/{one}/notes", {"text": text}), 422, "invalid")["field"] == "text"


# place ----------------------------------------------------------------------------------------------------------------


def test_a_conversation_is_moved_by_folder_or_by_role(carla: Caller, one: int) -> None:
    moved = done(carla.post(f"/conversations/{one}/move", {"role": "trash"}))
    assert moved["messages"][0]["copies"][0]["waiting"]
    assert [c["id"] for c in done(carla.get("/conversations", view="trash"))["items"]] == [one]
    back = done(carla.post(f"/conversations/{one}/move", {"folder": "INBOX"}))
    assert not back["messages"][0]["copies"][0]["waiting"]


def test_only_a_watched_folder_is_moved_to(carla: Caller, one: int) -> None:
    with transaction() as session:
        for folder in mailbox(session).folders:
            folder.watched = folder.name != "Archive"
    for body in ({"folder": "Nowhere"}, {"folder": "Archive"}, {"role": "archive"}):
        error(carla.post(f"/conversations/{one}/move", body), 422, "not_watched")
    for wrong in ({}, {"folder": "INBOX", "role": "inbox"}, {"role": "sent"}, {"folder": 1}):
        error(carla.post(f"/conversations/{one}/move", wrong), 422, "invalid")


def test_two_conversations_become_one_and_the_old_address_leads_there(carla: Caller, one: int, cast: Cast) -> None:
    with transaction() as session:
        other = conversation(session).id
    merged = done(carla.post(f"/conversations/{one}/merge", {"into": other}))
    assert (merged["id"], merged["message_count"]) == (other, 2)
    assert done(carla.get(f"/conversations/{one}"))["id"] == other
    error(carla.post(f"/conversations/{other}/merge", {"into": other}), 422, "invalid")


def test_only_visible_conversations_are_merged(carla: Caller, ben: Caller, one: int, cast: Cast) -> None:
    with transaction() as session:
        elsewhere = conversation(session, name="Billing").id
    error(carla.post(f"/conversations/{one}/merge", {"into": elsewhere}), 404, "not_found")
    assert error(ben.post(f"/conversations/{one}/merge", {"into": elsewhere}), 422, "invalid")["field"] == "into"


def test_a_message_is_split_off_into_a_conversation_of_its_own(carla: Caller, one: int) -> None:
    with transaction() as session:
        first = session.get_one(Conversation, one).messages[0].message_id
        [second] = arrive(session, arrival(mailbox(session), references=(first,)))
    new = done(carla.post(f"/messages/{second.message_id}/split"), 201)
    assert new["id"] != one
    assert (new["status"], new["assignee"], new["message_count"]) == ("open", None, 1)
    assert error(carla.post(f"/messages/{second.message_id}/split"), 422, "invalid")["field"] == "message"


# roles ----------------------------------------------------------------------------------------------------------------

ACTS: list[tuple[str, str, Any]] = [
    ("PUT", "/conversations/{id}/assignment", {"assignee": "carla"}),
    ("DELETE", "/conversations/{id}/assignment", None),
    ("PUT", "/conversations/{id}/status", {"status": "closed"}),
    ("PUT", "/conversations/{id}/tags/urgent", None),
    ("DELETE", "/conversations/{id}/tags/urgent", None),
    ("PUT", "/conversations/{id}/star", None),
    ("DELETE", "/conversations/{id}/star", None),
    ("POST", "/conversations/{id}/notes", {"text": "x"}),
    ("POST", "/conversations/{id}/move", {"role": "archive"}),
    ("POST", "/conversations/{id}/merge", None),
    ("POST", "/messages/{message}/split", None),
]
READS = ["/conversations/{id}", "/messages/{message}/source", "/attachments/{file}"]


def test_missing_and_hidden_things_give_the_same_404(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        theirs = conversation(session, name="Billing", files=(a_file(),))
        into = conversation(session).id
        place = {"id": theirs.id, "message": theirs.messages[0].id, "file": theirs.messages[0].attachments[0].id}
    for method, path, fixed in [*ACTS, *(("GET", path, None) for path in READS)]:
        body = {"into": into} if path.endswith("merge") else fixed
        foreign = carla.call(method, path.format(**place), body)
        error(foreign, 404, "not_found")
        for number in (999_999, 0, 2**31, 10**30):
            missing = carla.call(method, path.format(id=number, message=number, file=number), body)
            assert missing.json == foreign.json, path


def a_file() -> File:
    return File("2", "a.txt", "text/plain", 3, "7bit", None, False)


def test_every_act_is_in_the_history_as_done_through_the_api(carla: Caller, one: int) -> None:
    done(carla.put(f"/conversations/{one}/assignment", {"assignee": "carla"}))
    event = done(carla.get("/events", conversation=one, limit=1))["items"][0]
    assert event | {"id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "mailbox": event["mailbox"],
        "conversation": one,
        "kind": "claimed",
        "actor": "carla",
        "source": "api",
        "before": {"assignee": None},
        "after": {"assignee": "carla"},
    }


def test_a_disabled_member_no_longer_owns_anything(carla: Caller, ben: Caller, one: int) -> None:
    done(carla.put(f"/conversations/{one}/assignment", {"assignee": "carla"}))
    with transaction() as session:
        team.disable(session, member(session, "carla"), by=COMMAND)
    error(carla.get("/mailboxes"), 401, "unauthorized")
    seen = done(ben.get(f"/conversations/{one}"))
    assert (seen["assignee"], seen["assigned_name"]) == (None, "carla")
