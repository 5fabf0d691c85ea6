"""Promise 2: of any number of simultaneous claims exactly one wins, and the others learn who won."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.db import transaction
from app.inbox.actor import COMMAND, api
from app.inbox.admin import team
from app.inbox.conversations.locking import claim_next
from app.inbox.errors import AlreadyClaimed
from app.inbox.history.event import Event, EventKind
from app.inbox.lists import find
from app.inbox.permission import Role
from tests.cast import Cast, conversation, mailbox, member

CALLERS = 20
T = TypeVar("T")


def agents(cast: Cast) -> list[str]:
    """Twenty agents of Support."""
    handles = [f"agent-{n}" for n in range(CALLERS)]
    with transaction() as session:
        for handle in handles:
            added = team.add_member(session, handle, handle, f"{handle}@halden.example", by=COMMAND)
            team.grant(session, added, mailbox(session), Role.AGENT, by=COMMAND)
    return handles


def at_once(act: Callable[[str], T], handles: list[str]) -> list[T]:
    """Every agent acts in a separate thread, all from the same moment."""
    start = threading.Barrier(len(handles))

    def one(handle: str) -> T:
        start.wait(30)
        return act(handle)

    with ThreadPoolExecutor(len(handles)) as pool:
        return list(pool.map(one, handles))


def claim(conversation_id: int) -> Callable[[str], str]:
    """The owner afterwards, as the caller is told."""

    def act(handle: str) -> str:
        try:
            with transaction() as session:
                me = member(session, handle)
                find.conversation(session, me, conversation_id, lock=True).claim(by=api(me))
        except AlreadyClaimed as refused:
            return refused.by
        return handle

    return act


def test_one_of_twenty_simultaneous_claims_wins_and_all_learn_the_owner(cast: Cast) -> None:
    handles = agents(cast)
    for _ in range(5):
        with transaction() as session:
            one = conversation(session).id
        [owner] = set(at_once(claim(one), handles))
        with transaction() as session:
            found = find.conversation(session, member(session, "ben"), one)
            assert found.owner == owner
            claims = session.query(Event).filter_by(conversation_id=one, kind=EventKind.CLAIMED).all()
            assert [event.after for event in claims] == [{"assignee": owner}]


def test_simultaneous_callers_of_claim_next_get_different_ones_and_none_is_left(cast: Cast) -> None:
    handles = agents(cast)
    with transaction() as session:
        waiting = {conversation(session).id for _ in range(CALLERS - 5)}

    def act(handle: str) -> int | None:
        with transaction() as session:
            me = member(session, handle)
            claimed = claim_next(session, find.mailbox(session, me, cast.support), by=api(me))
            return claimed.id if claimed is not None else None

    got = at_once(act, handles)
    claimed = [id_ for id_ in got if id_ is not None]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == waiting
