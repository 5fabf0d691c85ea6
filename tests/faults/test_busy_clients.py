"""Mail clients do at once what nobody does by hand: they move everything, fetch and delete as with POP3, and rename and
remove folders. Signalbox sees what a client did, and the team's state stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from app.mail.child import MailParser
from app.worker.jobs.housekeeping import mark_gone_conversations
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.conftest import Clock
from tests.dovecot import fresh_account
from tests.faults.conftest import LONG, Admin
from tests.faults.day import Days
from tests.faults.ledger import Fate, balance, come_to_rest, fates
from tests.sync.stage import Stage, connected

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

each_format = pytest.mark.parametrize("format_", ["sdbox", "maildir"] if LONG else ["sdbox"])


@pytest.fixture
def stage(request: pytest.FixtureRequest, format_: str, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    server: LocalDovecot = request.getfixturevalue(f"{format_}_server")
    account = fresh_account(server)
    account.create_folder("Orders")
    with connected(account, parser, folders=["Orders"]) as stage:
        yield stage


def doveadm(stage: Stage, *words: str) -> None:
    command, *more = words
    stage.account.dovecot.doveadm(*command.split(), "-u", stage.account.user, *more)


def move_all(stage: Stage, source: str, to: str) -> None:
    doveadm(stage, "move", to, "mailbox", source, "all")


def states(found: Mapping[str, Fate]) -> dict[str, Fate]:
    """Without places and moves, which are the client's doing. Everything else is the team's."""
    return {
        name: replace(fate, copies=(), history=tuple(line for line in fate.history if line[0] != "moved"))
        for name, fate in found.items()
    }


def names(found: Mapping[str, Fate]) -> dict[str, list[tuple[str, ...]]]:
    """The keywords that the server shows, in any folder."""
    return {name: sorted(shown for _, shown in fate.copies) for name, fate in found.items()}


def some_days(stage: Stage, count: int) -> tuple[Days, dict[str, Fate]]:
    """This many days without a fault, and the fates of the last one. After three there are more mails in the inbox than
    a person removes by hand."""
    days = Days(stage)
    for _ in range(count - 1):
        days.whole()
    return days, days.whole()


@each_format
@pytest.mark.parametrize("count", [1, 3] if LONG else [1])
def test_a_client_may_move_everything_there_and_back(stage: Stage, count: int) -> None:
    days, usual = some_days(stage, count)
    before = fates(stage)
    for source, to in (("INBOX", "Orders"), ("Orders", "INBOX")):
        move_all(stage, source, to)
        come_to_rest(stage)
        balance(stage, days.delivered)
        after = fates(stage)
        assert states(after) == states(before)
        assert names(after) == names(before)
    assert days.whole() == usual


@each_format
def test_a_client_may_move_everything_that_was_just_acted_on(stage: Stage) -> None:
    days, usual = some_days(stage, 1)
    days.morning()
    days.noon()
    move_all(stage, "INBOX", "Orders")
    found = days.evening()
    assert states(found) == states(usual)
    assert names(found) == names(usual)


@each_format
@pytest.mark.parametrize("count", [1, 3] if LONG else [3])
def test_a_client_may_fetch_and_delete_everything_as_pop3_does(
    stage: Stage, count: int, admin: Admin, clock: Clock
) -> None:
    days, usual = some_days(stage, count)
    before = fates(stage)
    there = len(stage.account.uids())
    doveadm(stage, "expunge", "mailbox", "INBOX", "all")
    come_to_rest(stage)
    disaster = count == 3
    balance(stage, days.delivered, unmatched=there if disaster else 0)
    assert ("no longer in “INBOX”" in admin.listed()) == disaster
    assert ("have disappeared from their folders" in admin.page(stage)) == disaster
    clock.pass_(hours=25)
    mark_gone_conversations()
    come_to_rest(stage)
    balance(stage, days.delivered)
    assert "no longer" not in admin.listed()
    assert states_of_the_gone(fates(stage)) == states_of_the_gone(before)
    assert days.whole() == usual


def states_of_the_gone(found: Mapping[str, Fate]) -> dict[str, Fate]:
    """What stays of them: everything except the place. The history has one more line."""
    return {
        name: replace(fate, place="", copies=(), history=tuple(line for line in fate.history if line[0] != "gone"))
        for name, fate in found.items()
    }


@each_format
def test_a_folder_may_be_renamed_there_and_back(stage: Stage, admin: Admin) -> None:
    days, usual = some_days(stage, 1)
    before = fates(stage)
    move_all(stage, "INBOX", "Orders")
    come_to_rest(stage)
    for old, new in (("Orders", "Old orders"), ("Old orders", "Orders")):
        doveadm(stage, "mailbox rename", old, new)
        come_to_rest(stage)
        balance(stage, days.delivered)
        assert (states(fates(stage)), names(fates(stage))) == (states(before), names(before))
        assert "no longer" not in admin.listed()
    assert days.whole() == usual


@each_format
def test_a_folder_may_be_removed(stage: Stage, admin: Admin) -> None:
    days, _ = some_days(stage, 1)
    before = fates(stage)
    lay = len(stage.account.uids())
    move_all(stage, "INBOX", "Orders")
    come_to_rest(stage)
    doveadm(stage, "mailbox delete", "Orders")
    come_to_rest(stage)
    balance(stage, days.delivered, unmatched=lay)
    assert "The folder “Orders” is no longer on the server" in admin.listed()
    assert f"{lay} messages are no longer in “Orders”" in admin.listed()
    assert "no longer on the server" in admin.page(stage)
    assert states(fates(stage)) == states(before)
