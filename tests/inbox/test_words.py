"""Tags, stars and notes on a conversation, and tags of other programs."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import SYSTEM, Actor, mail_client
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.note import Note
from app.inbox.conversations.tag import ConversationTag, Tag
from app.inbox.errors import Invalid, NotAllowed, UnknownTag
from app.inbox.history.event import Event
from app.inbox.server import mapping
from tests.cast import conversation, mailbox


def _names(c: Conversation) -> list[str]:
    return sorted(t.name for t in c.tags)


def _kinds(session: Session) -> list[str]:
    session.flush()
    of_people = ("member added", "granted", "arrived")
    return [e.kind for e in session.scalars(select(Event).order_by(Event.id)) if e.kind not in of_people]


def _client_tag(session: Session, c: Conversation, name: str) -> Tag:
    """A tag that a mail client set on the conversation's only copy."""
    [found] = tag.client_tags(session, c.mailbox_id, [name]).values()
    session.add(ConversationTag(conversation_id=c.id, tag_id=found.id, last_at=c.last_at))
    c.messages[0].copies[0].keywords = [name]
    session.flush()
    session.expire(c, ["tags"])
    return found


def test_a_tag_is_put_on_and_taken_off(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    tag.make_tag(session, c.mailbox, "billing", by=ben)
    at = c.revision
    for name in ("billing", "BILLING ", "Billing"):
        c.tag(name, by=carla)
    assert (_names(c), c.revision) == (["billing"], at + 1)
    assert c.state.tags == {"billing"}
    c.untag("billing", by=carla)
    c.untag("billing", by=carla)
    assert (_names(c), c.revision) == ([], at + 2)
    assert _kinds(session) == ["tag made", "tagged", "untagged"]


def test_an_unknown_tag_is_made_by_a_manager_and_refused_to_an_agent(
    session: Session, c: Conversation, carla: Actor, ben: Actor
) -> None:
    with pytest.raises(UnknownTag, match="A manager can create it"):
        c.tag("billing", by=carla)
    with pytest.raises(UnknownTag):
        c.untag("billing", by=ben)
    c.tag(" Billing", by=ben)
    assert _names(c) == ["billing"]
    assert _kinds(session) == ["tag made", "tagged"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "a b",
        "ä",
        "a" * 51,
        "a(b",
        "$label",
        "assigned-zoe",
        "state-closed",
        "junk",
        "nonjunk",
        "\0",
        "\ud800",
    ],
)
def test_an_invalid_keyword_is_not_a_tag(session: Session, c: Conversation, ben: Actor, name: str) -> None:
    with pytest.raises(Invalid):
        c.tag(name, by=ben)
    assert _names(c) == []


def test_a_clients_tag_becomes_ours_when_a_member_uses_it(session: Session, c: Conversation, carla: Actor) -> None:
    theirs = _client_tag(session, c, "ToDo")
    assert (theirs.adopted, c.state.tags) == (False, frozenset())
    c.tag("todo", by=carla)
    session.expire_all()
    assert theirs.adopted
    assert c.state.tags == c.agreed.tags == {"todo"}
    assert session.scalars(select(Copy.shown)).all() == [["todo"]]
    assert _kinds(session) == ["tag adopted", "tagged"]


def test_taking_a_clients_tag_off_makes_it_ours_too(session: Session, c: Conversation, carla: Actor) -> None:
    theirs = _client_tag(session, c, "$label1")
    c.untag("$LABEL1", by=carla)
    session.expire_all()
    assert theirs.adopted
    assert _names(c) == []
    assert c.agreed.tags == {"$label1"}
    assert _kinds(session) == ["tag adopted", "untagged"]


def test_one_tag_merged_into_another_is_its_other_name(
    session: Session, c: Conversation, carla: Actor, ben: Actor
) -> None:
    both = conversation(session)
    invoice, billing = (tag.make_tag(session, c.mailbox, name, by=ben) for name in ("invoice", "billing"))
    older = tag.make_tag(session, c.mailbox, "rechnung", by=ben)
    tag.merge_tags(session, c.mailbox, older, invoice, by=ben)
    c.tag("invoice", by=carla)
    both.tag("invoice", by=carla)
    both.tag("billing", by=carla)
    c.agree(c.state)
    both.agree(both.state)
    c.push_needed = both.push_needed = False
    session.flush()
    at = c.revision
    tag.merge_tags(session, c.mailbox, invoice, billing, by=ben)
    assert (_names(c), _names(both)) == (["billing"], ["billing"])
    assert c.agreed.tags == both.agreed.tags == {"billing"}
    assert c.push_needed
    assert both.push_needed
    assert c.revision == at + 1
    vocabulary = tag.vocabulary_of(session, c.mailbox)
    assert {vocabulary.tag_of(name) for name in ("invoice", "billing", "rechnung")} == {"billing"}
    for name in ("rechnung", "invoice"):
        assert tag.find_tag(session, c.mailbox, name) is billing
    c.untag("invoice", by=carla)
    assert _names(c) == []
    assert _kinds(session).count("tags merged") == 2


def test_tags_that_cannot_be_merged(session: Session, c: Conversation, ben: Actor) -> None:
    one, two = (tag.make_tag(session, c.mailbox, name, by=ben) for name in ("one", "two"))
    foreign = tag.make_tag(session, mailbox(session, "Billing"), "three", by=ben)
    tag.merge_tags(session, c.mailbox, one, two, by=ben)
    for source, into in ((two, two), (two, one), (one, two), (two, foreign), (foreign, two)):
        with pytest.raises(Invalid):
            tag.merge_tags(session, c.mailbox, source, into, by=ben)


def test_renaming_changes_the_label_only(session: Session, c: Conversation, ben: Actor) -> None:
    theirs = _client_tag(session, c, "$label1")
    tag.change_tag(session, c.mailbox, theirs, label="  Very   important ", hue=4, by=ben)
    tag.change_tag(session, c.mailbox, theirs, label="Very important", hue=4, by=ben)
    assert (theirs.name, theirs.label, theirs.hue, theirs.adopted) == ("$label1", "Very important", 4, True)
    assert _kinds(session) == ["tag adopted", "tag changed"]
    for label, hue in (("", 1), ("x" * 51, 1), ("fine", 0), ("fine", 9)):
        with pytest.raises(Invalid):
            tag.change_tag(session, c.mailbox, theirs, label=label, hue=hue, by=ben)


def test_a_star_belongs_to_the_conversation(session: Session, c: Conversation, carla: Actor) -> None:
    at = c.revision
    c.star(by=carla)
    c.star(by=mail_client(None))
    assert (c.starred, c.revision) == (True, at + 1)
    c.unstar(by=mail_client(None))
    c.unstar(by=carla)
    assert (c.starred, c.revision) == (False, at + 2)


def test_a_note_is_kept_and_its_author_may_edit_it(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    at = c.revision
    note = c.add_note("  Ask the workshop.\n", by=carla)
    assert (note.text, note.author, note.edited_at) == ("Ask the workshop.", carla.member, None)
    assert (c.notes, c.revision, c.mirrored) == ([note], at + 1, False)
    note.edit("Ask the workshop.", by=carla)
    assert note.edited_at is None
    note.edit("Asked.", by=carla)
    assert (note.text, note.edited_at is None, c.revision) == ("Asked.", False, at + 2)
    with pytest.raises(NotAllowed):
        note.edit("Not mine", by=ben)
    assert _kinds(session) == ["noted", "note edited"]


def test_a_note_sent_again_with_its_key_is_the_same_note(
    session: Session, c: Conversation, carla: Actor, ben: Actor
) -> None:
    note = c.add_note("Called her back.", by=carla, key="k1")
    at = c.revision
    assert c.add_note(" Called her back.\n", by=carla, key="k1") is note
    assert (c.notes, c.revision, _kinds(session)) == ([note], at, ["noted"])
    others = [
        c.add_note("Called her back.", by=carla, key="k2"),
        c.add_note("She calls tomorrow.", by=carla, key="k1"),
        c.add_note("Called her back.", by=ben, key="k1"),
        c.add_note("Called her back.", by=carla),
        c.add_note("Called her back.", by=carla),
        c.add_note("A key too long is cut.", by=carla, key="k" * 5_000),
    ]
    assert len({note.id, *(other.id for other in others)}) == 7


@pytest.mark.parametrize("text", ["", " \n", "\0", "x" * 20_001])
def test_an_invalid_note_is_refused(session: Session, c: Conversation, carla: Actor, text: str) -> None:
    with pytest.raises(Invalid):
        c.add_note(text, by=carla)
    note = c.add_note("x" * 20_000, by=carla)
    with pytest.raises(Invalid):
        note.edit(text, by=carla)


def test_text_is_stored_without_characters_that_postgres_cannot_store(
    session: Session, c: Conversation, carla: Actor
) -> None:
    note = c.add_note("a\0b\ud800c 👋", by=carla)
    c.note_conflict("owner", "zo\0e\udfff", by=SYSTEM)
    session.flush()
    session.expire_all()
    assert session.get_one(Note, note.id).text == "abc 👋"
    assert c.conflict is not None
    assert c.conflict["theirs"] == "zoe"


def test_a_keyword_can_mean_an_owner_or_a_status(session: Session, c: Conversation, ben: Actor) -> None:
    mapping.map_name(session, c.mailbox, "ToDo-Ben", "owner", "ben", by=ben)
    mapping.map_name(session, c.mailbox, "erledigt", "status", "closed", by=ben)
    vocabulary = tag.vocabulary_of(session, c.mailbox)
    assert (vocabulary.owner_of("todo-ben"), vocabulary.status_of("erledigt")) == ("ben", "closed")
    assert vocabulary.owner_name("ben") == "todo-ben"
    with pytest.raises(Invalid, match="already means something else"):
        c.tag("todo-ben", by=ben)
    for meaning, value in (("tag", "x"), ("status", "open"), ("status", "nothing")):
        with pytest.raises(Invalid):
            mapping.map_name(session, c.mailbox, "name", meaning, value, by=ben)
    assert _kinds(session) == ["mapped", "mapped"]


@pytest.mark.parametrize("name", ["Assigned-Carla", "state-pending", "$Junk", "junk", "urgent", "now", "\\Flagged"])
def test_a_keyword_with_a_fixed_meaning_gets_no_other(session: Session, c: Conversation, ben: Actor, name: str) -> None:
    urgent, now = (tag.make_tag(session, c.mailbox, word, by=ben) for word in ("urgent", "now"))
    tag.merge_tags(session, c.mailbox, now, urgent, by=ben)
    with pytest.raises(Invalid):
        mapping.map_name(session, c.mailbox, name, "status", "closed", by=ben)
