"""A server without MOVE: a move is COPY, STORE and EXPUNGE, and may end after each. In the end each mail is in its
target folder, and only there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.folder import Folder
from app.mail.imap import ImapSession
from local.dovecot import LocalDovecot
from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.dying import start_round
from tests.faults.ledger import Fate, come_to_rest
from tests.faults.test_killed_workers import killed
from tests.faults.ways import HIDES
from tests.proxy import Fault, How, Proxy, proxied
from tests.sync.stage import Stage

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

_WRITES = {"UID COPY", "UID STORE", "UID EXPUNGE", "APPEND"}
#: Where a sample is killed: between the pull and the commands to the server, and after that.
_COMMITS = (6, 9, 11)
#: These cover every way to interrupt a move.
_HOWS = (How.DROP, How.DROP_AFTER, How.HANG_AFTER, How.NO)


class Moves(Days):
    """Mails with an owner, a status, a tag and a star, all to be moved."""

    names = ("trash", "archive", "spam", "no spam")

    def morning(self) -> None:
        self._dawn()
        for name in self.names:
            self._act(name, Conversation.claim)
            self._act(name, Conversation.tag, "billing", by="ben")
            self._act(name, Conversation.star)
            self._act(name, Conversation.set_pending)
        self._act("no spam", Conversation.mark_spam)
        come_to_rest(self.stage)

    def noon(self) -> None:
        self._act("trash", Conversation.move, self._folder("Trash"))
        self._act("archive", Conversation.move, self._folder("Archive"))
        self._act("spam", Conversation.mark_spam)
        self.stage.act(self._number("no spam"), Conversation.reopen)

    def evening(self) -> dict[str, Fate]:
        """`$Junk` beside `$NotJunk` is not spam by rule. Both stay if a worker died between the two writes."""
        fates = super().evening()
        return {
            name: replace(fate, copies=tuple(sorted(map(_spelt_once, fate.copies)))) for name, fate in fates.items()
        }

    def _folder(self, name: str) -> Folder:
        with transaction() as session:
            return session.scalars(select(Folder).filter_by(mailbox_id=self.stage.mailbox_id, name=name)).one()


def _spelt_once(copy: tuple[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
    folder, names = copy
    return folder, tuple(name for name in names if name != "$Junk" or "$NotJunk" not in names)


@pytest.fixture(params=["no MOVE", "neither MOVE nor UIDPLUS"])
def proxy(request: pytest.FixtureRequest, sdbox_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(sdbox_server.port, hides=HIDES[request.param]) as proxy:
        yield proxy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a minute of silence."""
    monkeypatch.setitem(vars(ImapSession)["open"].__func__.__kwdefaults__, "read_timeout", 2.0)


def places_of_moves(days: Moves, proxy: Proxy) -> list[int]:
    """The positions of COPY and the following commands in a round that moves."""
    days.morning()
    days.noon()
    proxy.arm(None)
    days.stage.service().once(30)
    heard = list(proxy.heard)
    ends = {"UID EXPUNGE"} if "UIDPLUS" not in proxy.hides else {"UID STORE"}
    found, moving = [], False
    for place, command in enumerate(heard, start=1):
        moving = moving or command == "UID COPY"
        if moving:
            found.append(place)
        moving = moving and command not in ends
    assert len(found) == (12 if ends == {"UID EXPUNGE"} else 8), heard
    return found


def is_quiet(days: Moves, proxy: Proxy) -> None:
    proxy.arm(None)
    assert days.stage.service().once(30) is None
    assert not _WRITES.intersection(proxy.heard)


def tried(places: list[int], number: int) -> list[int]:
    """All of them; in a sample every nth."""
    return places if LONG else places[number % 3 :: 5]


def test_a_move_may_end_at_any_of_its_commands(stage: Stage, proxy: Proxy, impatient: None) -> None:
    days = Moves(stage)
    places = places_of_moves(days, proxy)
    usual = days.evening()
    for number, how in enumerate(_HOWS):
        for place in tried(places, number):
            days.morning()
            days.noon()
            proxy.arm(Fault(place, how))
            stage.service().once(30)
            assert proxy.struck
            what = f"{how} at {place}, {proxy.heard[place - 1]}"
            proxy.arm(None)
            assert days.evening() == usual, what
            is_quiet(days, proxy)


def test_a_worker_may_be_killed_at_any_command_of_a_move(stage: Stage, proxy: Proxy, database: str) -> None:
    days = Moves(stage)
    places = places_of_moves(days, proxy)
    usual = days.evening()
    for place in tried(places, 0):
        break_off(days, place, proxy, database)
        assert days.evening() == usual, f"killed at command {place}"
        is_quiet(days, proxy)


def test_the_repair_of_an_interrupted_move_may_be_interrupted_at_any_command(
    stage: Stage, proxy: Proxy, database: str
) -> None:
    days = Moves(stage)
    copy = places_of_moves(days, proxy)[0]
    usual = days.evening()
    break_off(days, copy, proxy, database)
    stage.service().once(30)
    mending = list(proxy.heard)
    assert days.evening() == usual
    everywhere = range(1, len(mending) + 1)
    for place in everywhere if LONG else [place for place in everywhere if mending[place - 1] in _WRITES][::5]:
        break_off(days, copy, proxy, database)
        kill_at(place, stage, proxy, database)
        assert days.evening() == usual, f"killed at {mending[place - 1]}, {place} of the next round"


def test_the_repair_of_an_interrupted_move_may_be_interrupted_after_any_commit(
    stage: Stage, proxy: Proxy, database: str
) -> None:
    days = Moves(stage)
    copy = places_of_moves(days, proxy)[0]
    usual = days.evening()
    for place in itertools.count(1) if LONG else _COMMITS:
        break_off(days, copy, proxy, database)
        died = killed(start_round(database, stage.mailbox_id, dies_after=place))
        assert days.evening() == usual, f"killed after commit {place} of the next round"
        if not died:
            assert place > _COMMITS[-1]
            break


def break_off(days: Moves, place: int, proxy: Proxy, database: str) -> None:
    """A day whose worker is killed at this command of its moves."""
    days.morning()
    days.noon()
    assert kill_at(place, days.stage, proxy, database)


def kill_at(place: int, stage: Stage, proxy: Proxy, database: str) -> bool:
    """Whether the worker was killed; it may have sent its last command before."""
    processes: list[BaseProcess] = []
    proxy.arm(Fault(place, How.DROP_AFTER, act=lambda: processes[0].kill()))
    processes.append(start_round(database, stage.mailbox_id))
    died = killed(processes[0])
    proxy.arm(None)
    return died
