"""Merging two conversations and splitting one: by a member, or by a mail that ties them together."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, Actor
from app.inbox.arriving import thread
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.reading import Reading, mark_read
from app.inbox.conversations.snooze import wake_due
from app.inbox.errors import Invalid
from app.inbox.history.event import Event
from app.inbox.status import Status
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox
from tests.conftest import Clock

_ONE, _TWO, _THREE = "<one@x.example>", "<two@x.example>", "<three@x.example>"


def _arrive(session: Session, message_id: str, *references: str, **told: object) -> Conversation:
    [came] = arrive(session, arrival(mailbox(session), message_id=message_id, references=references, **told))
    return session.get_one(Conversation, came.conversation_id)


def test_a_merge_keeps_the_targets_owner_and_status_and_unites_the_rest(
    cast: Cast, session: Session, carla: Actor
) -> None:
    source, target = conversation(session, message_id=_ONE), conversation(session, message_id=_TWO)
    for name in ("red", "blue"):
        tag.make_tag(session, source.mailbox, name, by=COMMAND)
    source.claim(by=acting(session, "ben"))
    source.star(by=carla)
    source.tag("red", by=carla)
    source.add_note("Seen before", by=carla)
    target.claim(by=carla)
    target.set_pending(by=carla)
    target.tag("red", by=carla)
    target.tag("blue", by=carla)
    mark_read(session, cast.carla, source.id)
    thread.merge(source, target, by=carla)
    assert (target.owner, target.status, target.starred, target.message_count) == ("carla", "pending", True, 2)
    assert sorted(t.name for t in target.tags) == ["blue", "red"]
    assert [note.text for note in target.notes] == ["Seen before"]
    assert (source.place, source.merged_into_id, source.tags) == ("merged", target.id, [])
    assert session.scalars(select(Reading)).all() == []
    assert target.push_needed
    assert _arrive(session, "<answer@x.example>", _ONE) is target


def test_merges_that_are_refused(cast: Cast, session: Session) -> None:
    ben = acting(session, "ben")
    c = conversation(session)
    with pytest.raises(Invalid, match="two different conversations"):
        thread.merge(c, c, by=ben)
    with pytest.raises(Invalid, match="of one mailbox"):
        thread.merge(c, conversation(session, name="Billing"), by=ben)


def test_a_split_off_message_is_open_and_nobodys(cast: Cast, session: Session, carla: Actor) -> None:
    c = _arrive(session, _ONE)
    _arrive(session, _TWO, _ONE, subject="Another thing")
    c.claim(by=carla)
    c.set_pending(by=carla)
    session.flush()
    session.refresh(c)
    new = thread.split(c.messages[1], by=carla)
    assert (new.status, new.owner, new.subject, new.message_count) == ("open", None, "Another thing", 1)
    assert (c.status, c.owner, c.message_count) == ("pending", "carla", 1)
    assert new.number > c.number
    assert new.push_needed
    with pytest.raises(Invalid, match="the only message"):
        thread.split(new.messages[0], by=carla)


def test_a_split_conversation_stays_split_when_both_parts_are_answered(
    cast: Cast, session: Session, carla: Actor
) -> None:
    """Answers name the whole chain, so they name ids of both."""
    c = _arrive(session, _ONE)
    _arrive(session, _TWO, _ONE)
    session.refresh(c)
    new = thread.split(c.messages[1], by=carla)
    assert _arrive(session, "<a@x.example>", _ONE, _TWO) is new
    assert _arrive(session, "<b@x.example>", _ONE) is c
    assert _arrive(session, "<c@x.example>", _ONE, _TWO, "<a@x.example>") is new
    batch = [
        arrival(mailbox(session), message_id=f"<{name}@x.example>", references=references)
        for name, references in (("d", (_ONE, _TWO)), ("e", (_ONE,)), ("f", (_ONE, "<e@x.example>")))
    ]
    assert [r.conversation_id for r in arrive(session, *batch)] == [new.id, c.id, c.id]


def test_a_split_conversation_stays_split_when_one_part_is_merged_elsewhere(
    cast: Cast, session: Session, carla: Actor
) -> None:
    c, other = _arrive(session, _ONE), _arrive(session, _THREE)
    _arrive(session, _TWO, _ONE)
    session.refresh(c)
    new = thread.split(c.messages[1], by=carla)
    thread.merge(c, other, by=carla)
    assert _arrive(session, "<a@x.example>", _ONE, _TWO) is new
    thread.merge(new, other, by=carla)
    assert _arrive(session, "<b@x.example>", _ONE, _TWO) is other


def test_a_late_parent_joins_two_and_both_histories_say_so(cast: Cast, session: Session, carla: Actor) -> None:
    """The older number stays, with the owner and status of the newer activity."""
    at = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    older = _arrive(session, _ONE, received_at=at)
    newer = _arrive(session, _TWO, received_at=at + dt.timedelta(hours=1))
    older.claim(by=acting(session, "ben"))
    newer.claim(by=carla)
    newer.set_pending(by=carla)
    joined = _arrive(session, _THREE, _ONE, _TWO, received_at=at - dt.timedelta(hours=1), machine="auto_reply")
    assert joined is older
    assert (joined.owner, joined.status, joined.message_count) == ("carla", Status.PENDING, 3)
    assert newer.merged_into_id == older.id
    session.flush()
    lines = session.scalars(select(Event).where(Event.kind == "merged").order_by(Event.id)).all()
    was, now = {"assignee": "ben", "status": "open"}, {"assignee": "carla", "status": "pending"}
    assert [(e.conversation_id, e.source, e.before, e.after) for e in lines] == [
        (newer.id, "system", now, {"conversation": older.id, **now}),
        (older.id, "system", was, {"conversation": newer.id, **now}),
    ]


def test_a_join_keeps_agreed_values_and_pending_changes(cast: Cast, session: Session, carla: Actor) -> None:
    at = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    older = _arrive(session, _ONE, received_at=at)
    newer = _arrive(session, _TWO, received_at=at + dt.timedelta(hours=1))
    older.mark_seen(by=carla)
    newer.claim(by=carla)
    newer.set_pending(by=carla)
    newer.agree(newer.state)
    joined = _arrive(session, _THREE, _ONE, _TWO, received_at=at - dt.timedelta(hours=1), machine="auto_reply")
    assert joined is older
    assert joined.agreed == joined.state
    assert (joined.mirrored, joined.push_needed) == (True, True)


def test_a_pending_seen_flag_survives_a_join(cast: Cast, session: Session, carla: Actor) -> None:
    older, newer = _arrive(session, _ONE), _arrive(session, _TWO)
    newer.mark_seen(by=carla)
    assert not newer.mirrored
    joined = _arrive(session, _THREE, _ONE, _TWO, machine="auto_reply")
    assert joined is older
    assert joined.push_needed


def test_several_joins_in_one_batch_end_in_one_conversation(cast: Cast, session: Session) -> None:
    ids = [f"<{n}@x.example>" for n in range(6)]
    first = [_arrive(session, id_) for id_ in ids]
    box = mailbox(session)
    batch = [arrival(box, references=(ids[n], ids[n + 1])) for n in (4, 2, 0, 1, 3)]
    batch.append(arrival(box, message_id=ids[5], folder="Archive"))  # known, and joined by the others
    received = arrive(session, *batch)
    assert {r.conversation_id for r in received} == {first[0].id}
    session.refresh(first[0])
    assert first[0].message_count == 11
    assert len(first[0].messages[5].copies) + len(first[0].messages[-1].copies) >= 2


def test_endless_ids_and_references_are_taken(cast: Cast, session: Session) -> None:
    long = "<" + "x" * 5000 + "@x.example>"
    c = _arrive(session, long)
    assert _arrive(session, "<answer@x.example>", long) is c
    many = tuple(f"<{n}@many.example>" for n in range(3000))
    root = _arrive(session, many[0])
    assert _arrive(session, "<end@x.example>", *many) is root
    assert _arrive(session, "<next@x.example>", many[-1]) is root


def test_a_new_person_in_a_conversation_is_marked(cast: Cast, session: Session) -> None:
    at = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    c = _arrive(session, _ONE, received_at=at)
    _arrive(session, _TWO, _ONE, sender=("", "MIA@customer.example"), received_at=at + dt.timedelta(hours=1))
    _arrive(session, _THREE, _ONE, sender=("", "eve@elsewhere.example"), received_at=at + dt.timedelta(hours=2))
    session.refresh(c)
    assert [m.newcomer for m in c.messages] == [False, False, True]
    new = thread.split(c.messages[2], by=acting(session, "ben"))
    assert [m.newcomer for m in new.messages] == [False]


def test_a_snooze_that_was_merged_away_is_never_woken(cast: Cast, session: Session, clock: Clock, carla: Actor) -> None:
    source, target = conversation(session, message_id=_ONE), conversation(session, message_id=_TWO)
    source.snooze(by=carla)
    thread.merge(source, target, by=carla)
    clock.pass_(days=7)
    assert wake_due(session) == []
