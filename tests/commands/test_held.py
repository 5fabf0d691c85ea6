from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from tests.cast import Cast, acting, conversation, mailbox
from tests.commands.conftest import Run


@pytest.fixture
def lost(cast: Cast) -> None:
    """Two conversations of Carla lost her name with many others; one of them lost its tag too."""
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
def test_health_and_the_command_say_what_was_lost_and_what_to_do(run: Run) -> None:
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
    assert "Nothing waits" in run("mailbox", "held", "Billing").stdout


@pytest.mark.usefixtures("lost")
def test_each_name_is_decided_alone_or_all_at_once(run: Run) -> None:
    done = run("mailbox", "held", "Support", "--take-theirs", "--keyword", "billing")
    assert (done.exit_code, done.stdout) == (0, "“billing”: 1 conversation now as the server shows it.\n")
    assert run("mailbox", "held", "Support", "--keep-ours").exit_code == 0
    assert run("mailbox", "held", "Support").stdout == "Nothing waits for a decision in Support.\n"
    with transaction() as session:
        found = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        assert [one.owner for one in found] == ["carla", "carla"]
        assert [[tag.name for tag in one.tags] for one in found] == [["billing"], []]
        assert all(one.push_needed for one in found)
        assert mailbox(session).id == found[0].mailbox_id
