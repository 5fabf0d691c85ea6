"""Permissions: the table of the contract, tested verb by verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import SYSTEM, Actor, web
from app.inbox.admin import team
from app.inbox.admin.invitation import invite, invite_first
from app.inbox.arriving import thread
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import claim_next
from app.inbox.errors import NotAllowed, NotFound
from app.inbox.history.event import Event
from app.inbox.lists import find
from app.inbox.people.token import make_token
from app.inbox.permission import Role
from app.inbox.server import comparison, held, mapping
from app.inbox.server.retrying import resume
from tests.cast import FOREIGN, Cast, arrival, arrive, conversation, mailbox, member

Verb = Callable[[Session, Conversation, Actor], object]


def _other(session: Session, c: Conversation) -> Conversation:
    return conversation(session, name=c.mailbox.name)


def _trash(c: Conversation) -> Any:
    return c.mailbox.folder("trash")


def _reply(session: Session, c: Conversation) -> Any:
    """A second mail in the conversation."""
    first = c.messages[0].message_id or ""
    arrive(session, arrival(c.mailbox, references=(first,)), name=c.mailbox.name)
    session.refresh(c)
    return c.messages[1]


def _named(c: Conversation, name: str) -> Conversation:
    c.assign_name(name, by=SYSTEM)
    return c


def _in_conflict(c: Conversation) -> Conversation:
    c.note_conflict("status", "closed", by=SYSTEM)
    return c


AGENT_VERBS: dict[str, Verb] = {
    "claim": lambda s, c, by: c.claim(by=by),
    "claim the next": lambda s, c, by: claim_next(s, c.mailbox, by=by),
    "release an unknown owner": lambda s, c, by: _named(c, "zoe").release(by=by),
    "open": lambda s, c, by: c.reopen(by=by),
    "pending": lambda s, c, by: c.set_pending(by=by),
    "snooze": lambda s, c, by: c.snooze(by=by),
    "close": lambda s, c, by: c.close(by=by),
    "spam": lambda s, c, by: c.mark_spam(by=by),
    "tag": lambda s, c, by: c.tag("urgent", by=by),
    "untag": lambda s, c, by: c.untag("urgent", by=by),
    "star": lambda s, c, by: c.star(by=by),
    "unstar": lambda s, c, by: c.unstar(by=by),
    "note": lambda s, c, by: c.add_note("Ask the workshop.", by=by),
    "move": lambda s, c, by: c.move(_trash(c), by=by),
    "mark seen": lambda s, c, by: c.mark_seen(by=by),
    "merge": lambda s, c, by: thread.merge(c, _other(s, c), by=by),
    "split": lambda s, c, by: thread.split(_reply(s, c), by=by),
    "assign to another": lambda s, c, by: c.assign(member(s, "ben"), by=by),
    "settle a conflict": lambda s, c, by: _in_conflict(c).decide_conflict(take_theirs=True, by=by),
}
MANAGER_VERBS: dict[str, Verb] = {
    "make a tag": lambda s, c, by: tag.make_tag(s, c.mailbox, "new", by=by),
    "change a tag": lambda s, c, by: tag.change_tag(s, c.mailbox, _urgent(s, c), label="Now", hue=3, by=by),
    "merge tags": lambda s, c, by: tag.merge_tags(
        s, c.mailbox, _urgent(s, c), tag.make_tag(s, c.mailbox, "now", by=SYSTEM), by=by
    ),
    "take a keyword's meaning away": lambda s, c, by: mapping.unmap_name(s, c.mailbox, "todo-ben", by=by),
    "give a keyword a meaning": lambda s, c, by: mapping.map_name(s, c.mailbox, "todo-ben", "owner", "ben", by=by),
}
ADMIN_VERBS: dict[str, Verb] = {
    "add a member": lambda s, c, by: team.add_member(s, "zoe", "Zoe", "zoe@halden.example", by=by),
    "change a member": lambda s, c, by: team.change_member(
        s, member(s, "dora"), name="Dora", email="dora@halden.example", admin=True, by=by
    ),
    "let a member in again": lambda s, c, by: team.enable(s, member(s, "dora"), by=by),
    "invite a member": lambda s, c, by: invite(s, member(s, "dora"), by=by),
    "invite the first administrator": lambda s, c, by: invite_first(s, by=by),
    "compare with the server": lambda s, c, by: comparison.ask(s, c.mailbox, by=by),
    "decide on names that were held": lambda s, c, by: held.decide(s, c.mailbox, "x", take_theirs=True, by=by),
    "watch a folder": lambda s, c, by: c.mailbox.watch(c.mailbox.folders[0], by=by),
    "disable a member": lambda s, c, by: team.disable(s, member(s, "dora"), by=by),
    "set a password": lambda s, c, by: team.set_password(s, member(s, "dora"), "another long password", by=by),
    "grant a role": lambda s, c, by: team.grant(s, member(s, "dora"), c.mailbox, Role.AGENT, by=by),
    "pause the mailbox": lambda s, c, by: c.mailbox.pause(by=by),
    "resume the mailbox": lambda s, c, by: resume(c.mailbox, by=by),
    "make a token for someone": lambda s, c, by: make_token(s, member(s, "dora"), by=by),
}


def _urgent(session: Session, c: Conversation) -> Any:
    return tag.find_tag(session, c.mailbox, "urgent")


@pytest.fixture
def c(c: Conversation, session: Session) -> Conversation:
    tag.make_tag(session, mailbox(session), "urgent", by=SYSTEM)
    return c


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("verb", AGENT_VERBS)
def test_agents_and_managers_work_on_conversations(session: Session, c: Conversation, verb: str) -> None:
    for handle in ("carla", "ben", "eva"):
        with session.begin_nested() as attempt:
            AGENT_VERBS[verb](session, c, web(member(session, handle)))
            attempt.rollback()
        session.refresh(c)


@pytest.mark.parametrize("verb", [*AGENT_VERBS, *MANAGER_VERBS])
def test_observers_change_nothing(session: Session, c: Conversation, verb: str) -> None:
    dora = member(session, "dora")
    with pytest.raises(NotAllowed):
        (AGENT_VERBS | MANAGER_VERBS)[verb](session, c, web(dora))
    assert session.scalars(select(Event).where(Event.member_id == dora.id)).all() == []


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("verb", MANAGER_VERBS)
def test_tags_of_the_mailbox_are_the_managers(session: Session, c: Conversation, verb: str) -> None:
    for handle in ("carla", "eva"):
        with pytest.raises(NotAllowed), session.begin_nested():
            MANAGER_VERBS[verb](session, c, web(member(session, handle)))
    MANAGER_VERBS[verb](session, c, web(member(session, "ben")))


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("verb", ADMIN_VERBS)
def test_people_and_mailboxes_are_the_admins(session: Session, c: Conversation, verb: str) -> None:
    for handle in ("ben", "carla"):
        with pytest.raises(NotAllowed), session.begin_nested():
            ADMIN_VERBS[verb](session, c, web(member(session, handle)))
    for handle in ("ana", "eva"):
        with session.begin_nested() as attempt:
            ADMIN_VERBS[verb](session, c, web(member(session, handle)))
            attempt.rollback()
        session.refresh(c)


@pytest.mark.parametrize("verb", [*AGENT_VERBS, *MANAGER_VERBS])
@pytest.mark.parametrize("handle", FOREIGN)
def test_without_a_role_the_mailbox_does_not_exist(whole_cast: Cast, session: Session, verb: str, handle: str) -> None:
    foreign = conversation(session, name=FOREIGN[handle])
    tag.make_tag(session, foreign.mailbox, "urgent", by=SYSTEM)
    someone = member(session, handle)
    with pytest.raises(NotFound):
        (AGENT_VERBS | MANAGER_VERBS)[verb](session, foreign, web(someone))
    with pytest.raises(NotFound):
        find.conversation(session, someone, foreign.id)
    with pytest.raises(NotFound):
        find.mailbox(session, someone, foreign.mailbox_id)


@pytest.mark.parametrize("verb", [*AGENT_VERBS, *MANAGER_VERBS])
def test_a_disabled_member_can_do_nothing(session: Session, c: Conversation, verb: str) -> None:
    by = web(member(session, "ben"))
    team.disable(session, member(session, "ben"), by=SYSTEM)
    with pytest.raises(NotFound):
        (AGENT_VERBS | MANAGER_VERBS)[verb](session, c, by)


def test_a_mailbox_can_leave_assigning_to_its_managers(session: Session, c: Conversation) -> None:
    c.mailbox.agents_assign = False
    carla, ben = member(session, "carla"), member(session, "ben")
    with pytest.raises(NotAllowed):
        c.assign(ben, by=web(carla))
    c.claim(by=web(carla))
    c.assign(carla, by=web(carla))
    c.release(by=web(carla))
    c.assign(carla, by=web(ben))
    assert c.assignee is carla


def test_members_make_their_own_tokens(cast: Cast, session: Session) -> None:
    carla = member(session, "carla")
    assert make_token(session, carla, by=web(carla)).startswith("sb_")
