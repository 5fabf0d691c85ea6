"""One keyword removed from many copies at once is held until a person decides; fewer removals are somebody's act."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import COMMAND, Actor, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.errors import NotAllowed
from app.inbox.history.event import Event, EventKind
from app.inbox.lists.whole_conversation import whole_conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.held import Hold, decide, holds
from app.inbox.server.keywords_on_server import server_copies
from app.inbox.server.mapping import map_name
from tests.cast import member
from tests.dovecot import mail
from tests.sync.stage import Stage, conversation, kinds

_MANY = 30


@pytest.fixture
def assigned(stage: Stage) -> Stage:
    """Thirty conversations of Carla's, on both sides."""
    for number in range(_MANY):
        stage.account.append(mail(f"No {number}"))
    stage.round()
    for number in range(1, _MANY + 1):
        stage.act(number, Conversation.claim)
    stage.round()
    assert _carrying(stage) == _MANY
    return stage


def test_a_name_taken_off_many_copies_at_once_releases_nobody_and_is_not_written_back(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    for _ in range(3):
        assigned.round()
    assert _carrying(assigned) == 0
    with transaction() as session:
        assert _owners(session) == {"carla"}
        assert holds(session, _box(session)) == [Hold("assigned-carla", _MANY)]
        assert kinds(session, 1)[-1] == EventKind.HELD
        assert kinds(session, 1).count(EventKind.HELD) == 1


def test_ours_are_written_again_when_a_person_says_so(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    _decide(take_theirs=False)
    assigned.round()
    assert _carrying(assigned) == _MANY
    with transaction() as session:
        assert _owners(session) == {"carla"}
        assert holds(session, _box(session)) == []
    _assert_at_rest(assigned)


def test_the_servers_are_taken_when_a_person_says_so(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    _decide(take_theirs=True)
    assigned.round()
    assert _carrying(assigned) == 0
    with transaction() as session:
        assert _owners(session) == {None}
        assert kinds(session, 1)[-1] == EventKind.RELEASED
        told = session.scalars(select(Event).where(Event.kind == EventKind.DECIDED)).one()
        assert told.after == {"keyword": "assigned-carla", "use": "server", "conversations": _MANY}
        assert holds(session, _box(session)) == []
    _assert_at_rest(assigned)


def test_fewer_are_somebodys_act(assigned: Stage) -> None:
    _strip(assigned, 20)
    assigned.round()
    with transaction() as session:
        assert sorted(c.owner or "" for c in session.scalars(select(Conversation))) == [""] * 20 + ["carla"] * 10
        assert holds(session, _box(session)) == []


def test_a_name_that_gives_way_to_another_is_somebodys_act_on_any_number(assigned: Stage) -> None:
    uids = assigned.account.uids()
    for uid in uids:
        assigned.account.remove_flags(uid, "assigned-carla")
        assigned.account.add_flags(uid, "assigned-ben")
    assigned.round()
    with transaction() as session:
        assert _owners(session) == {"ben"}
        assert holds(session, _box(session)) == []


def test_a_held_keyword_follows_a_move_and_ends_when_it_returns(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    uids = assigned.account.uids()
    assigned.account.move(uids[0], "Archive")
    assigned.account.add_flags(uids[1], "assigned-carla")
    assigned.account.add_flags(uids[2], "assigned-ben")
    assigned.round()
    assigned.round()
    with transaction() as session:
        assert [conversation(session, number).owner for number in (1, 2, 3)] == ["carla", "carla", "ben"]
        assert holds(session, _box(session)) == [Hold("assigned-carla", _MANY - 2)]
    assert assigned.shown(folder="Archive") == set()


def test_the_rest_of_a_removal_that_is_seen_later_is_held_too(assigned: Stage) -> None:
    _strip(assigned, 25)
    assigned.round()
    _strip(assigned, _MANY)
    assigned.round()
    with transaction() as session:
        assert holds(session, _box(session)) == [Hold("assigned-carla", _MANY)]
        assert _owners(session) == {"carla"}


def test_members_continue_to_work_with_held_conversations(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    assigned.act(1, Conversation.release)
    assigned.act(2, Conversation.close)
    assigned.round()
    assert assigned.shown(1) == set()
    assert assigned.shown(2) == {"state-closed"}
    _decide(take_theirs=False, of=_MANY - 1)
    assigned.round()
    assert assigned.shown(1) == set()
    assert assigned.shown(2) == {"assigned-carla", "state-closed"}
    _assert_at_rest(assigned)


def test_a_members_other_act_ends_a_pending_decision(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    assigned.act(1, Conversation.release)
    assigned.act(2, _take_over, by="ben")
    with transaction() as session:
        map_name(session, _box(session), "at-carla", "owner", "carla", by=COMMAND)
    assigned.act(3, Conversation.close)
    assigned.round()
    assert assigned.shown(2) == {"assigned-ben"}
    assert assigned.shown(3) == {"at-carla", "state-closed"}  # another name with the same meaning
    with transaction() as session:
        assert holds(session, _box(session)) == [Hold("assigned-carla", _MANY - 3)]
        for number in (1, 2, 3):
            whole = whole_conversation(session, member(session, "dora"), conversation(session, number).id)
            assert not any(copy.lacking for copy in server_copies(session, whole))


def test_only_an_administrator_decides(assigned: Stage) -> None:
    _strip(assigned, _MANY)
    assigned.round()
    with transaction() as session, pytest.raises(NotAllowed):
        decide(session, _box(session), "assigned-carla", take_theirs=True, by=web(member(session, "ben")))
    with transaction() as session:
        ana = web(member(session, "ana"))
        assert decide(session, _box(session), "assigned-carla", take_theirs=True, by=ana) == _MANY


def _take_over(conversation: Conversation, *, by: Actor) -> None:
    assert by.member is not None
    conversation.assign(by.member, by=by, take_over=True)


def _strip(stage: Stage, count: int) -> None:
    for uid in stage.account.uids()[:count]:
        stage.account.remove_flags(uid, "assigned-carla")


def _carrying(stage: Stage) -> int:
    return sum("assigned-carla" in stage.account.flags(uid) for uid in stage.account.uids())


def _decide(*, take_theirs: bool, of: int = _MANY) -> None:
    with transaction() as session:
        decided = decide(session, _box(session), "assigned-carla", take_theirs=take_theirs, by=COMMAND)
    assert decided == of


def _box(session: Session) -> Mailbox:
    return session.scalars(select(Mailbox).where(Mailbox.name == "Shop")).one()


def _owners(session: Session) -> set[str | None]:
    return {c.owner for c in session.scalars(select(Conversation))}


def _assert_at_rest(stage: Stage) -> None:
    stage.round()
    with transaction() as session:
        for held in session.scalars(select(Conversation)):
            assert not held.push_needed
            assert held.state == held.agreed
