"""Promise 2: of any number of simultaneous claims exactly one wins; the others are told who did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from app import db
from app.inbox import find, team
from app.inbox.actor import COMMAND, api
from app.inbox.conversation import claim_next
from app.inbox.errors import AlreadyClaimed
from app.inbox.event import Event
from app.inbox.permission import Role
from app.inbox.receive import receive
from tests.cast import Cast, arrival, conversation, mailbox, member

T = TypeVar("T")
_MEMBERS = [f"agent-{n}" for n in range(20)]


@pytest.fixture
def agents(database: str, cast: Cast) -> Iterator[list[str]]:
    """Twenty agents on Support, and as many connections."""
    engine = db.connect(database, pool_size=20)
    with db.transaction() as session:
        for handle in _MEMBERS:
            agent = team.add_member(session, handle, handle.title(), f"{handle}@halden.example", by=COMMAND)
            team.grant(session, agent, mailbox(session), Role.AGENT, by=COMMAND)
    yield _MEMBERS
    engine.dispose()


def test_of_twenty_who_claim_at_once_one_wins_and_the_others_are_told_who(agents: list[str]) -> None:
    with db.transaction() as session:
        id_ = conversation(session).id

    def claim(handle: str) -> str | None:
        """Nobody when it is ours, else who has it."""
        try:
            with db.transaction() as session:
                someone = member(session, handle)
                find.conversation(session, someone, id_, lock=True).claim(by=api(someone))
        except AlreadyClaimed as error:
            return error.by
        return None

    answers = dict(zip(agents, _at_once(claim, agents), strict=True))
    [winner] = [handle for handle, answer in answers.items() if answer is None]
    assert {answer for handle, answer in answers.items() if handle != winner} == {winner}
    with db.transaction() as session:
        claims = session.query(Event).filter_by(conversation_id=id_, kind="claimed").all()
        assert [event.member.handle for event in claims] == [winner]


def test_of_twenty_who_take_the_next_each_gets_another(agents: list[str]) -> None:
    with db.transaction() as session:
        box = mailbox(session)
        receive(session, box, [arrival(box) for _ in range(15)], importing=False)

    def take(handle: str) -> int | None:
        with db.transaction() as session:
            someone = member(session, handle)
            found = claim_next(session, mailbox(session), by=api(someone))
            return found.id if found else None

    taken = [id_ for id_ in _at_once(take, agents) if id_ is not None]
    assert len(taken) == len(set(taken)) == 15


def _at_once(act: Callable[[str], T], handles: list[str]) -> list[T]:
    start = threading.Barrier(len(handles))

    def run(handle: str) -> T:
        start.wait(30)
        return act(handle)

    with ThreadPoolExecutor(len(handles)) as pool:
        return list(pool.map(run, handles))
