from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event, EventKind
from app.inbox.server.held import decide
from tests.cast import Cast, acting, conversation, mailbox
from tests.commands.conftest import Run
from tests.waiting import eventually


@pytest.fixture
def lost(cast: Cast) -> None:
    """Two conversations of Carla lost her keyword together with many others. One of them also lost its tag."""
    with transaction() as session:
        for names in (["assigned-carla"], ["assigned-carla", "billing"]):
            one = conversation(session)
            one.claim(by=acting(session, "carla"))
            one.tag("billing", by=acting(session, "ben"))
            one.agree(one.state)
            session.flush()
            [copy] = session.scalars(select(Copy).where(Copy.message_id.in_([m.id for m in one.messages])))
            copy.shown, copy.held = names, names


@pytest.mark.usefixtures("lost")
def test_health_and_the_command_name_the_loss_and_what_to_do(run: Run) -> None:
    box = json.loads(run("mailbox", "list", "--json").stdout)[1]
    assert box["health"]["held"] == [
        {"keyword": "assigned-carla", "conversations": 2},
        {"keyword": "billing", "conversations": 1},
    ]
    listed = run("mailbox", "list").stdout
    assert "2 conversations lost “assigned-carla” at once on the server" in listed
    assert 'flask mailbox held "Support"' in listed
    shown = run("mailbox", "held", "support").stdout
    assert "1 conversation lost “billing” at once on the server" in shown
    assert "--take-theirs or --keep-ours" in shown
    assert "No decision is needed" in run("mailbox", "held", "Billing").stdout


@pytest.mark.usefixtures("lost")
def test_each_name_is_decided_alone_or_all_at_once(run: Run) -> None:
    done = run("mailbox", "held", "Support", "--take-theirs", "--keyword", "Billing")
    assert (done.exit_code, done.stdout) == (0, "“billing”: 1 conversation now as on the server.\n")
    again = run("mailbox", "held", "Support", "--take-theirs", "--keyword", "Billing").stdout
    assert again == "No decision is needed about “billing” in Support.\n"
    assert run("mailbox", "held", "Support", "--keep-ours").exit_code == 0
    assert run("mailbox", "held", "Support").stdout == "No decision is needed in Support.\n"
    with transaction() as session:
        found = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        assert [one.owner for one in found] == ["carla", "carla"]
        assert [[tag.name for tag in one.tags] for one in found] == [["billing"], []]
        assert all(one.push_needed for one in found)
        assert mailbox(session).id == found[0].mailbox_id


@pytest.mark.usefixtures("lost")
def test_where_the_name_comes_back_while_one_decides_nothing_is_taken_off() -> None:
    deciding = threading.Thread(target=_take_theirs)
    with transaction() as session:
        first = min(session.scalars(select(Conversation.id)))
        [one] = locked(session, [first])
        deciding.start()
        eventually(lambda: _waits_for_a_lock(session))
        for copy in session.scalars(select(Copy).join(Message).where(Message.conversation_id == one.id)):
            copy.held = []  # as a pull does that sees the keyword again
    deciding.join()
    with transaction() as session:
        found = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        assert [one.owner for one in found] == ["carla", None]


@pytest.mark.usefixtures("lost")
def test_the_second_of_two_simultaneous_decisions_finds_nothing_left() -> None:
    with ThreadPoolExecutor() as pool, transaction() as session:
        assert decide(session, mailbox(session), "assigned-carla", take_theirs=False, by=COMMAND) == 2
        session.flush()
        second = pool.submit(_take_theirs)
        eventually(lambda: _waits_for_a_lock(session))
        session.commit()
        assert second.result() == 0
    with transaction() as session:
        assert {one.owner for one in session.scalars(select(Conversation))} == {"carla"}
        [decided] = session.scalars(select(Event).where(Event.kind == EventKind.DECIDED))
        assert decided.after == {"keyword": "assigned-carla", "use": "ours", "conversations": 2}
    assert _take_theirs() is None


def _take_theirs() -> int | None:
    with transaction() as session:
        return decide(session, mailbox(session), "assigned-carla", take_theirs=True, by=COMMAND)


def _waits_for_a_lock(session: Session) -> bool:
    return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
