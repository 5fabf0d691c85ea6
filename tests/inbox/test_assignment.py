"""Owners: claim, assign, release, take over; and names on the server without a member who could own it here."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, Actor, api, mail_client, web
from app.inbox.admin import team
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import claim_next
from app.inbox.errors import AlreadyClaimed, Changed, Gone, Invalid
from app.inbox.history.event import Event
from app.inbox.permission import Role
from tests.cast import Cast, acting, conversation, mailbox, member


def _held(c: Conversation) -> tuple[str | None, str | None, str | None]:
    """(the owner's handle, the assigned name without a member, what the server shows)"""
    return c.assignee.handle if c.assignee else None, c.assigned_name, c.owner


def _last(session: Session, c: Conversation) -> tuple[str, object, object, str]:
    session.flush()
    event = session.scalars(select(Event).where(Event.conversation_id == c.id).order_by(Event.id.desc())).first()
    assert event is not None
    return event.kind, event.before, event.after, event.source


def test_a_claim_makes_the_actor_its_owner(session: Session, c: Conversation, carla: Actor) -> None:
    before = c.revision
    c.claim(by=carla)
    assert _held(c) == ("carla", None, "carla")
    assert c.revision == before + 1
    assert c.push_needed
    assert c.mirrored
    assert _last(session, c) == ("claimed", {"assignee": None}, {"assignee": "carla"}, "web")


def test_a_second_claim_learns_the_owner(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    c.claim(by=carla)
    with pytest.raises(AlreadyClaimed, match="Carla has it") as refused:
        c.claim(by=ben)
    assert (refused.value.by, refused.value.code) == ("carla", "already_claimed")


def test_claiming_an_own_conversation_changes_nothing(session: Session, c: Conversation, carla: Actor) -> None:
    c.claim(by=carla)
    at = c.revision
    c.claim(by=carla)
    c.assign(member(session, "carla"), by=acting(session, "ben"))
    assert c.revision == at
    assert _last(session, c)[0] == "claimed"


def test_an_owner_is_known_by_identity_not_by_object(cast: Cast, session: Session, c: Conversation) -> None:
    """A page's member may come from another session."""
    c.claim(by=acting(session, "carla"))
    session.commit()
    someone = member(session, "carla")
    session.expunge(someone)
    c.release(by=api(someone))
    assert _last(session, c) == ("released", {"assignee": "carla"}, {"assignee": None}, "api")


def test_the_owner_gives_it_away_others_cannot(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    c.claim(by=carla)
    with pytest.raises(AlreadyClaimed):
        c.assign(member(session, "ben"), by=ben)
    c.assign(member(session, "ben"), by=carla)
    assert _last(session, c)[:3] == ("assigned", {"assignee": "carla"}, {"assignee": "ben"})


def test_a_manager_takes_over(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    c.claim(by=carla)
    c.assign(member(session, "ben"), by=ben, take_over=True)
    assert _last(session, c)[:3] == ("taken over", {"assignee": "carla"}, {"assignee": "ben"})


def test_an_agent_who_tries_to_take_over_learns_the_owner(
    session: Session, c: Conversation, carla: Actor, ben: Actor
) -> None:
    c.claim(by=ben)
    for take_over in (True, False):
        with pytest.raises(AlreadyClaimed) as refused:
            c.assign(member(session, "carla"), by=carla, take_over=take_over)
        assert refused.value.by == "ben"
        with pytest.raises(AlreadyClaimed):
            c.release(by=carla, take_over=take_over)


@pytest.mark.parametrize("handle", ["ana", "dora"])
def test_another_owner_is_reported_before_other_errors(
    session: Session, c: Conversation, carla: Actor, ben: Actor, handle: str
) -> None:
    c.claim(by=ben)
    with pytest.raises(AlreadyClaimed):
        c.assign(member(session, handle), by=carla)


def test_releasing_an_unowned_conversation_changes_nothing(session: Session, c: Conversation, carla: Actor) -> None:
    at = c.revision
    c.release(by=carla)
    assert c.revision == at


@pytest.mark.parametrize("handle", ["dora", "ana"])
def test_only_members_with_a_role_can_own_it(session: Session, c: Conversation, ben: Actor, handle: str) -> None:
    with pytest.raises(Invalid, match="cannot own conversations"):
        c.assign(member(session, handle), by=ben)


def test_a_disabled_member_cannot_be_given_anything(session: Session, c: Conversation, ben: Actor) -> None:
    team.disable(session, member(session, "carla"), by=COMMAND)
    with pytest.raises(Invalid):
        c.assign(member(session, "carla"), by=ben)


def test_a_conversation_gone_from_the_server_cannot_be_claimed(session: Session, c: Conversation, carla: Actor) -> None:
    c.place = "gone"
    with pytest.raises(Gone):
        c.claim(by=carla)


def test_an_old_revision_is_refused(c: Conversation, carla: Actor) -> None:
    seen = c.revision
    c.require_revision(seen)
    c.require_revision(None)
    c.star(by=carla)
    with pytest.raises(Changed):
        c.require_revision(seen)


def test_claim_next_takes_the_longest_waiting(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    newer, answered = conversation(session), conversation(session)
    answered.waiting_since = None
    c.assign_name("zoe", by=mail_client(None))
    session.flush()
    box = mailbox(session)
    assert [claim_next(session, box, by=by) for by in (carla, ben, carla)] == [c, newer, None]
    assert c.owner == "carla"


def test_a_mail_client_may_name_anyone(session: Session, c: Conversation) -> None:
    client = mail_client(c.created_at)
    c.assign_name("carla", by=client)
    assert _held(c) == ("carla", None, "carla")
    assert _last(session, c) == ("assigned", {"assignee": None}, {"assignee": "carla"}, "mail client")
    c.assign_name("zoe", by=client)
    assert _held(c) == (None, "zoe", "zoe")
    c.assign_name("dora", by=client)
    assert _held(c) == (None, "dora", "dora")
    at = c.revision
    c.assign_name("dora", by=client)
    assert c.revision == at
    c.release(by=client)
    assert (c.owner, c.revision) == (None, at + 1)


def test_a_name_waits_for_its_member(session: Session, c: Conversation, carla: Actor) -> None:
    c.assign_name("zoe", by=mail_client(None))
    zoe = team.add_member(session, "zoe", "Zoe", "zoe@halden.example", by=COMMAND)
    assert c.assignee is None
    at = c.revision
    team.grant(session, zoe, mailbox(session), Role.OBSERVER, by=COMMAND)
    assert c.assignee is None
    team.grant(session, zoe, mailbox(session), Role.AGENT, by=COMMAND)
    assert _held(c) == ("zoe", None, "zoe")
    assert c.revision == at + 1
    assert _last(session, c)[:3] == ("assigned", {"assignee": None, "assigned_name": "zoe"}, {"assignee": "zoe"})
    with pytest.raises(AlreadyClaimed):
        c.claim(by=carla)


@pytest.mark.parametrize("how", ["disabled", "role taken", "made an observer"])
def test_conversations_of_a_disabled_member_keep_the_name_and_can_be_claimed(
    session: Session, c: Conversation, carla: Actor, ben: Actor, how: str
) -> None:
    c.claim(by=carla)
    someone, at = member(session, "carla"), c.revision
    if how == "disabled":
        team.disable(session, someone, by=COMMAND)
    else:
        team.grant(session, someone, mailbox(session), None if how == "role taken" else Role.OBSERVER, by=COMMAND)
    assert _held(c) == (None, "carla", "carla")
    assert c.revision == at + 1
    assert _last(session, c)[:3] == ("released", {"assignee": "carla"}, {"assignee": None, "assigned_name": "carla"})
    c.claim(by=ben)
    assert (c.owner, c.assigned_name) == ("ben", None)


def test_a_conflict_is_settled_by_a_person(session: Session, c: Conversation, carla: Actor, ben: Actor) -> None:
    c.claim(by=carla)
    c.note_conflict("owner", "ben", by=mail_client(None))
    conflict = c.conflict or {}
    assert (conflict["theirs"], conflict["ours"], c.owner) == ("ben", "carla", "carla")
    assert _last(session, c) == ("conflict", {"owner": "ben"}, {"owner": "carla"}, "mail client")
    c.decide_conflict(take_theirs=True, by=ben)
    assert c.owner == "ben"
    assert c.conflict is None
    assert _last(session, c)[0] == "taken over"


def test_keeping_ours_is_an_act_too(session: Session, c: Conversation, carla: Actor) -> None:
    c.close(by=carla)
    c.note_conflict("status", "pending", by=mail_client(None))
    c.decide_conflict(take_theirs=False, by=carla)
    assert (c.status, c.conflict) == ("closed", None)
    assert _last(session, c)[:3] == ("settled", {"status": "pending"}, {"status": "closed"})
    c.decide_conflict(take_theirs=True, by=carla)
    assert c.status == "closed"


def test_theirs_may_be_nobody_or_open_or_a_stranger(session: Session, c: Conversation, carla: Actor) -> None:
    c.claim(by=carla)
    c.note_conflict("owner", None, by=mail_client(None))
    c.decide_conflict(take_theirs=True, by=carla)
    assert _held(c) == (None, None, None)
    assert c.conflict is None
    c.close(by=carla)
    c.note_conflict("status", "open", by=mail_client(None))
    c.decide_conflict(take_theirs=True, by=carla)
    assert (c.status, c.conflict) == ("open", None)
    c.claim(by=carla)
    c.note_conflict("owner", "zoe", by=mail_client(None))
    with pytest.raises(Invalid, match="“zoe” cannot own"):
        c.decide_conflict(take_theirs=True, by=carla)
    c.release(by=carla)
    assert c.conflict is None


def test_a_normal_act_on_the_same_register_settles_it(session: Session, c: Conversation, carla: Actor) -> None:
    c.note_conflict("status", "closed", by=mail_client(None))
    c.star(by=carla)
    c.claim(by=carla)
    assert c.conflict is not None
    c.set_pending(by=carla)
    assert c.conflict is None


def test_web_and_api_are_distinguished(session: Session, c: Conversation) -> None:
    c.star(by=web(member(session, "carla")))
    assert _last(session, c)[3] == "web"
    c.unstar(by=api(member(session, "carla")))
    assert _last(session, c)[3] == "api"
