from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.clock import now, rfc3339
from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.lists.views import VIEWS
from tests.api.conftest import Caller
from tests.cast import Cast, arrival, arrive, conversation, mailbox, member


def ids(caller: Caller, **query: object) -> list[int]:
    answer = caller.get("/conversations", **query)
    assert answer.status_code == 200, answer.json
    return [item["id"] for item in answer.json["items"]]


def test_mailboxes_are_those_one_may_see(ben: Caller, carla: Caller, ana: Caller, cast: Cast) -> None:
    assert [m["name"] for m in ben.get("/mailboxes").json["items"]] == ["Billing", "Support"]
    [support] = carla.get("/mailboxes").json["items"]
    assert (support["id"], support["role"], support["mode"]) == (cast.support, "agent", "keywords")
    assert support["address"] == "help@halden.example"
    assert set(support["health"]) == {
        "state", "last_round_at", "missing", "unmatched", "left_out", "unreadable", "waiting_push", "refused",
        "no_room", "queued_replies", "held", "frozen", "lost_folders", "refused_folders",
        "deferred", "unwritable_folders", "behind", "waiting_read", "waiting_read_since", "slow_mails", "last_slow",
    }  # fmt: skip
    assert ana.get("/mailboxes").json == {"items": [], "next": None}
    with transaction() as session:
        mailbox(session).error_text = "The mail account is full (quota)."
    [support] = carla.get("/mailboxes").json["items"]
    assert (support["health"]["state"], support["health"]["error"]) == ("ok", "The mail account is full (quota).")


def test_an_item_has_the_fields_of_the_contract(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        one = conversation(session, subject="Scale", preview="Good morning")
        one.tag("billing", by=COMMAND)
        one.assign_name("zoe", by=COMMAND)
        expected, at = one.id, one.last_at
    [item] = carla.get("/conversations").json["items"]
    assert item == {
        "id": expected,
        "number": 1,
        "mailbox": cast.support,
        "subject": "Scale",
        "preview": "Good morning",
        "from": {"name": "Mia Kunze", "address": "mia@customer.example"},
        "status": "open",
        "assignee": None,
        "assigned_name": "zoe",
        "tags": ["billing"],
        "starred": False,
        "message_count": 1,
        "last_message_at": rfc3339(at),
        "waiting_since": rfc3339(at),
        "has_attachments": False,
        "last_machine": None,
        "revision": item["revision"],
    }
    assert item["last_message_at"].endswith("Z")


def test_every_view_lists_its_conversations(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        me = web(member(session, "carla"))
        made = {view: conversation(session) for view in VIEWS if view not in ("all", "unassigned", "trash", "gone")}
        free, trashed, gone = conversation(session), conversation(session, folder="Trash"), conversation(session)
        made["mine"].claim(by=me)
        made["open"].assign(member(session, "ben"), by=me)
        made["pending"].set_pending(by=me)
        made["snoozed"].snooze(by=me)
        made["closed"].close(by=me)
        made["spam"].mark_spam(by=me)
        made["starred"].star(by=me)
        gone.place = "gone"
        made |= {"trash": trashed, "gone": gone, "unassigned": free}
        made_ids = {view: one.id for view, one in made.items()}
    for view, id_ in made_ids.items():
        assert id_ in ids(carla, view=view), view
    assert set(ids(carla, view="unassigned")) == {made_ids["unassigned"], made_ids["starred"]}
    assert ids(carla, view="mine") == [made_ids["mine"]]
    assert set(ids(carla, view="all")) == set(made_ids.values()) - {made_ids[v] for v in ("spam", "trash", "gone")}


def test_the_longest_waiting_is_first_among_the_unassigned_and_the_newest_elsewhere(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        made = [conversation(session).id for _ in range(3)]
        answered = conversation(session)
        arrive(session, arrival(mailbox(session), folder="Sent", references=(answered.messages[0].message_id,)))
        nothing_waits = answered.id
    assert ids(carla, view="unassigned") == [*made, nothing_waits]
    assert ids(carla, view="open")[1:] == made[::-1]


def test_lists_are_narrowed_by_mailbox_owner_and_tag(ben: Caller, cast: Cast) -> None:
    with transaction() as session:
        here, there = conversation(session), conversation(session, name="Billing")
        here.assign(member(session, "carla"), by=COMMAND)
        there.tag("billing", by=COMMAND)
        here_id, there_id = here.id, there.id
    assert set(ids(ben)) == {here_id, there_id}
    assert ids(ben, mailbox=cast.support) == [here_id]
    assert ids(ben, assignee="carla") == [here_id]
    assert ids(ben, assignee="nobody") == []
    assert ids(ben, tag="BILLING") == [there_id]
    assert ids(ben, tag="", assignee="", q="") == ids(ben)


@pytest.mark.parametrize("view", ["all", "unassigned"])
def test_pages_follow_each_other_without_gap_or_repetition(carla: Caller, cast: Cast, view: str) -> None:
    with transaction() as session:
        at = now() - dt.timedelta(days=1)
        made = {conversation(session, received_at=at).id for _ in range(5)}  # the same moment: ids decide
        made |= {conversation(session).id for _ in range(4)}
    found: list[int] = []
    cursor = None
    while True:
        page = carla.get("/conversations", view=view, limit=2, **({"cursor": cursor} if cursor else {})).json
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 9
    assert set(found) == made


def test_a_page_has_at_most_200_conversations(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        box = mailbox(session)
        arrive(session, *(arrival(box) for _ in range(201)))
    assert len(ids(carla)) == 50
    assert len(ids(carla, limit=200)) == 200
    assert len(ids(carla, limit=1000)) == 200


WRONG_QUESTIONS: list[tuple[dict[str, object], str]] = [
    ({"view": "mien"}, "view"),
    ({"limit": 0}, "limit"),
    ({"limit": "many"}, "limit"),
    ({"cursor": "bm9uZQ=="}, "cursor"),
    ({"cursor": "?"}, "cursor"),
    ({"mailbox": "Support"}, "mailbox"),
    ({"mailbox": 2**40}, "mailbox"),
    ({"asignee": "carla"}, "asignee"),
    ({"tag": "a\0b"}, "tag"),
    ({"view": ["open", "mine"]}, "view"),
]


def test_a_wrong_parameter_names_the_field(carla: Caller) -> None:
    for query, field in WRONG_QUESTIONS:
        answer = carla.get("/conversations", **query)
        assert answer.status_code == 422, query
        assert answer.json["error"]["field"] == field


def test_a_cursor_made_up_is_refused(carla: Caller, cast: Cast) -> None:
    made_up: list[object] = [[None, 10**30], ["x", 1], [1, 1], {}, [], None, ["2026-01-01T00:00:00+00:00", "a"]]
    texts = [json.dumps(value) for value in [*made_up, [None, float("inf")], [None, "9" * 5_000]]]
    for text in [*texts, "[null, 1e999]", "[" * 4_000, "[" * 100]:
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        for path, view in (
            ("/conversations", {"view": "unassigned"}),
            ("/conversations", {"view": "open"}),
            ("/events", {}),
        ):
            assert carla.get(path, cursor=cursor, **view).status_code in (200, 422), text


def test_a_mailbox_one_may_not_see_does_not_exist(carla: Caller, ana: Caller, cast: Cast) -> None:
    """Administrators may see events that concern the whole installation: ids and values."""
    for caller, path in ((carla, "/conversations"), (carla, "/events"), (ana, "/conversations")):
        answer = caller.get(path, mailbox=cast.billing)
        assert answer.status_code == 404
        assert answer.json["error"]["code"] == "not_found"
    assert ana.get("/events", mailbox=cast.billing).status_code == 200


def test_words_find_by_their_beginning_in_text_subject_and_people(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        found = conversation(
            session, subject="Große Waage", text="Die Anzeige bleibt dunkel.", sender=("Zoë", "z@x.test")
        )
        conversation(session, text="Something else")
        found_id = found.id
    for q in ("waag", "anzei dunk", "zoe", "z@x.test", "WAAGE"):
        assert ids(carla, q=q) == [found_id], q
    assert ids(carla, q="waage nothing") == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_no_words_are_ever_wrong(carla: Caller, q: str) -> None:
    assert carla.get("/conversations", q=q.encode("utf-8", "replace").decode(), limit=1).status_code == 200


def test_words_that_look_like_operators_are_searched(carla: Caller, cast: Cast) -> None:
    for q in ("&", "a | b", "!x", "a:*", "'quoted", "(", "from:", "from:mia is:strange", "\\", "a\0b", "%", "_"):
        assert carla.get("/conversations", q=q).status_code == 200, q
