"""The vocabulary: the meaning of keywords, and what is written within the server's limit."""

from __future__ import annotations

import pytest

from app.inbox.mailboxes.vocabulary import STAR, DatabaseVocabulary, State, Vocabulary, is_bookkeeping
from app.inbox.status import Status

PLAIN = Vocabulary(tags={"billing": "billing"})


@pytest.mark.parametrize(
    ("keyword", "owner", "status", "tag"),
    [
        ("assigned-carla", "carla", None, None),
        ("Assigned-Carla", "carla", None, None),
        ("assigned-", None, None, None),
        ("state-pending", None, Status.PENDING, None),
        ("State-Closed", None, Status.CLOSED, None),
        ("state-snoozed", None, Status.SNOOZED, None),
        ("state-open", None, None, None),
        ("state-spam", None, None, None),
        ("$Junk", None, Status.SPAM, None),
        ("Junk", None, Status.SPAM, None),
        ("$NotJunk", None, None, None),
        ("NonJunk", None, None, None),
        ("Billing", None, None, "billing"),
        ("urgent", None, None, None),
    ],
)
def test_a_keyword_means_an_owner_a_status_a_tag_or_nothing_of_ours(
    keyword: str, owner: str | None, status: Status | None, tag: str | None
) -> None:
    name = keyword.casefold()
    assert (PLAIN.owner_of(name), PLAIN.status_of(name), PLAIN.tag_of(name)) == (owner, status, tag)
    assert bool(PLAIN.ours([keyword])) == any(meaning is not None for meaning in (owner, status, tag))


@pytest.mark.parametrize(
    ("keyword", "bookkeeping"),
    [
        ("\\Seen", True),
        ("$Forwarded", True),
        ("$MDNSent", True),
        ("$NotJunk", True),
        ("Junk", True),
        ("NonJunk", True),
        ("NotJunk", True),
        ("JunkRecorded", True),
        ("Redirected", True),
        ("Forwarded", True),
        ("$cl_1", True),
        ("unknown-3", True),
        ("Old", True),
        ("gnus-dormant", True),
        ("receipt-handled", True),
        ("KMAILTODO", True),
        ("OIB-Seen-INBOX", True),
        ("old-customer", False),
        ("gnus", False),
        ("$label1", False),
        ("$Label5", False),
        ("Urgent", False),
        ("kunde-a", False),
    ],
)
def test_bookkeeping_of_programs_is_not_a_tag(keyword: str, bookkeeping: bool) -> None:
    assert is_bookkeeping(keyword) is bookkeeping
    assert PLAIN.client_tags([keyword]) == (frozenset() if bookkeeping else frozenset({keyword}))


@pytest.mark.parametrize("keyword", ["assigned-a]b", "assigned-" + "x" * 60, "assigned-jos\u00e9", "\u017ftate-closed"])
def test_a_name_no_server_would_be_sent_is_a_clients_and_never_written(keyword: str) -> None:
    assert PLAIN.ours([keyword]) == frozenset()
    assert PLAIN.client_tags([keyword]) == {keyword}
    assert PLAIN.goal(State(owner=keyword.casefold().removeprefix("assigned-"))) <= {"assigned-state-closed"}


@pytest.mark.parametrize("denial", ["$NotJunk", "NonJunk", "notjunk"])
def test_junk_and_not_junk_together_are_not_spam(denial: str) -> None:
    assert PLAIN.ours(["$Junk", "Junk", denial, "state-closed"]) == {"state-closed"}


def test_an_open_conversation_nobody_owns_needs_no_keyword() -> None:
    assert PLAIN.goal(State()) == frozenset()


def test_every_register_is_written_under_its_name() -> None:
    state = State("carla", Status.CLOSED, True, frozenset({"billing"}))
    assert PLAIN.goal(state) == {"assigned-carla", "state-closed", STAR, "billing"}
    assert PLAIN.goal(State(status=Status.SPAM)) == {"$junk"}


def test_a_mapped_name_is_written_and_the_default_still_read() -> None:
    words = Vocabulary(owners={"todo-ben": "ben"}, statuses={"done": Status.CLOSED})
    assert words.goal(State("ben", Status.CLOSED)) == {"todo-ben", "done"}
    assert words.owner_of("assigned-ben") == words.owner_of("todo-ben") == "ben"
    assert words.ours(["Todo-Ben", "done", "assigned-ben"]) == {"todo-ben", "done", "assigned-ben"}


def test_other_prefixes_are_read_and_written() -> None:
    words = Vocabulary(assigned_prefix="owner/", state_prefix="st-")
    assert words.goal(State("ben", Status.PENDING)) == {"owner/ben", "st-pending"}
    assert words.owner_of("assigned-ben") is None


def test_an_alias_is_read_as_its_tag_and_written_under_the_tags_name() -> None:
    words = Vocabulary(tags={"invoice": "billing", "billing": "billing"})
    assert words.tag_of("invoice") == "billing"
    assert words.goal(State(tags=frozenset({"billing"}))) == {"billing"}


def test_without_keywords_only_the_star_is_ours() -> None:
    words = DatabaseVocabulary(tags={"billing": "billing"})
    assert words.ours(["assigned-ben", "$Junk", "billing", "\\Flagged"]) == {STAR}
    assert words.goal(State("ben", Status.CLOSED, True, frozenset({"billing"}))) == {STAR}
    assert (words.owner_of("assigned-ben"), words.status_of("$junk"), words.tag_of("billing")) == (None, None, None)


def test_in_mode_database_a_keyword_with_a_meaning_is_not_a_clients_tag() -> None:
    words = DatabaseVocabulary(tags={"billing": "billing"}, owners={"todo-ben": "ben"})
    assert words.client_tags(["assigned-ben", "todo-ben", "state-closed", "billing", "urgent"]) == {"urgent"}


def test_of_registers_that_are_left_out_nothing_is_read_or_written() -> None:
    words = Vocabulary(tags={"billing": "billing", "vip": "vip", "gold": "vip"}).without({"owner", "tag vip"})
    names = ["assigned-ben", "state-closed", "billing", "gold", "\\Flagged"]
    assert words.ours(names) == {"state-closed", "billing", STAR}
    assert words.goal(State("ben", Status.CLOSED, True, frozenset({"billing", "vip"}))) == words.ours(names)
    assert words.without({"status"}).ours(names) == {"billing", STAR}


@pytest.mark.parametrize(
    ("used", "wanted"),
    [
        (17, {"assigned-carla", "state-closed", STAR}),  # the tag would be number 20, and tags stop at 18
        (15, {"assigned-carla", "state-closed", STAR, "vip"}),
        (22, {"assigned-carla", "state-closed", STAR}),
        (23, {"assigned-carla", STAR}),
        (24, {STAR}),
    ],
)
def test_keywords_beyond_the_servers_limit_are_not_in_the_goal(used: int, wanted: set[str]) -> None:
    words = Vocabulary(tags={"vip": "vip"}, limit=24)
    known = [f"k{number}" for number in range(used)]
    assert words.goal(State("carla", Status.CLOSED, True, frozenset({"vip"})), known) == wanted


def test_names_the_folder_holds_already_always_fit() -> None:
    words = Vocabulary(tags={"vip": "vip"}, limit=24)
    known = ["assigned-carla", "vip", *(f"k{number}" for number in range(22))]
    assert words.goal(State("carla", tags=frozenset({"vip"})), known) == {"assigned-carla", "vip"}
