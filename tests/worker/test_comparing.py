"""The page of differences: the worker compares, and applies a choice only if the difference is still as shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.db import transaction
from app.inbox.actor import Actor, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.errors import Invalid, NotAllowed, NotFound
from app.inbox.history.event import EventKind
from app.inbox.lists import history
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import comparison
from app.inbox.server.comparison import Comparison, Difference, Outcome
from app.mail.child import MailParser
from app.queue import take
from app.sync.compare.drift import Drift, drift
from app.sync.compare.sides import choose as choose_side
from app.worker.jobs.comparing import answer_administrators
from tests.cast import Cast, member
from tests.conftest import Clock
from tests.dovecot import Account, mail
from tests.sync.stage import KEY, Stage, connected, conversation, move_server


@pytest.fixture
def shared(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """Conversation 1 is Carla's on both sides."""
    account.append(mail("Hers", message_id="<hers@customer.example>"))
    with connected(account, parser) as stage:
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        yield stage


def ask(stage: Stage, *, by: str = "ana") -> None:
    with transaction() as session:
        comparison.ask(session, session.get_one(Mailbox, stage.mailbox_id), by=web(member(session, by)))


def choose(stage: Stage, line: Difference, side: str, *, by: str = "ana") -> None:
    with transaction() as session:
        box = session.get_one(Mailbox, stage.mailbox_id)
        comparison.choose(session, box, line.id, side, by=web(member(session, by)))


def answered(stage: Stage) -> tuple[Comparison, list[Difference]]:
    """The content of the page after a worker's turn."""
    answer_administrators(bytes(KEY))
    with transaction() as session:
        box = session.get_one(Mailbox, stage.mailbox_id)
        return session.get_one(Comparison, box.id), comparison.differences(session, box)


def compared(stage: Stage) -> list[Difference]:
    ask(stage)
    found, lines = answered(stage)
    assert (found.stage, found.total) == ("done", len(lines))
    return lines


def take_over(held: Conversation, *, by: Actor) -> None:
    assert by.member is not None
    held.assign(by.member, by=by, take_over=True)


def owner(stage: Stage) -> str | None:
    with transaction() as session:
        return conversation(session, 1).owner


def test_where_nothing_differs_it_says_so(shared: Stage) -> None:
    assert compared(shared) == []


def test_looking_changes_nothing_and_the_servers_is_taken_when_somebody_says_so(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    assert (line.number, line.folder, line.uid, line.what) == (1, "INBOX", shared.uid(), "owner")
    assert (line.values, line.sides) == ({"server": None, "ours": "carla"}, ["server", "ours"])
    assert (owner(shared), shared.shown()) == ("carla", set())
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    assert (line.outcome, line.is_open, owner(shared)) == (Outcome.DONE, False, None)
    with transaction() as session:
        adopted, settled = history.of_conversation(session, conversation(session, 1).id)[-2:]
        assert (adopted.kind, adopted.source) == (EventKind.RELEASED, "mail client")
        assert (settled.kind, settled.source, settled.actor) == (EventKind.SETTLED, "web", "ana")
    assert compared(shared) == []


def test_ours_is_written_again_when_somebody_says_so(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    choose(shared, line, "ours")
    _found, [line] = answered(shared)
    shared.push()
    assert (line.outcome, shared.shown(), owner(shared)) == (Outcome.DONE, {"assigned-carla"}, "carla")


def test_a_choice_is_not_applied_if_the_server_changed(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    shared.account.add_flags(shared.uid(), "assigned-ben")
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    assert (line.outcome, line.is_open, owner(shared)) == (Outcome.CHANGED, True, "carla")
    assert line.values == {"server": "ben", "ours": "carla"}
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    assert (line.outcome, owner(shared)) == (Outcome.DONE, "ben")


def test_a_members_change_in_the_meantime_is_left_alone(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    shared.act(1, take_over, by="ben")
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    assert (line.outcome, line.values["ours"], owner(shared)) == (Outcome.CHANGED, "ben", "ben")


def test_a_member_who_is_faster_than_the_choice_keeps_the_change(shared: Stage) -> None:
    """Between the look at the server and the lock on the conversation."""
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    looked: Drift = drift(shared.mailbox_id, private_key=bytes(KEY))
    shared.act(1, take_over, by="ben")
    with transaction() as session:
        ana = web(member(session, "ana"))
    assert choose_side(shared.mailbox_id, looked, take_theirs=True, by=ana) == 0
    assert choose_side(shared.mailbox_id, looked, take_theirs=False, by=ana) == 0
    with transaction() as session:
        assert conversation(session, 1).owner == "ben"
        assert EventKind.SETTLED not in [e.kind for e in history.of_conversation(session, conversation(session, 1).id)]


def test_values_that_agree_by_then_need_no_decision(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    shared.account.add_flags(shared.uid(), "assigned-carla")
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    assert (line.outcome, owner(shared)) == (Outcome.SAME, "carla")


def test_one_decision_counts_for_all_copies_that_differ_in_the_same_way(shared: Stage) -> None:
    shared.account.append(mail("Re: Hers", in_reply_to="<hers@customer.example>"))
    shared.round()
    for uid in shared.account.uids():
        shared.account.remove_flags(uid, "assigned-carla")
    first, second = compared(shared)
    choose(shared, second, "server")
    _found, lines = answered(shared)
    assert {line.outcome for line in lines} <= {Outcome.DONE, Outcome.SAME, Outcome.CHANGED}
    assert (owner(shared), first.what) == (None, "owner")
    assert compared(shared) == []


def test_a_mail_that_one_side_lacks_is_read_again(shared: Stage) -> None:
    new = shared.account.append(mail("New"))
    [line] = compared(shared)
    assert (line.what, line.uid, line.sides) == ("missing", new, ["server"])
    with pytest.raises(Invalid):
        choose(shared, line, "ours")
    choose(shared, line, "server")
    _found, [line] = answered(shared)
    shared.round()
    assert (line.outcome, compared(shared)) == (Outcome.DONE, [])


def test_a_folder_that_has_gone_since_is_not_written_to(account: Account, parser: MailParser, cast: Cast) -> None:
    account.create_folder("Orders")
    account.append(mail("An order"), "Orders")
    with connected(account, parser, folders=["Orders"]) as stage:
        stage.round()
        stage.act(1, Conversation.claim)
        [line] = compared(stage)
        account.delete_folder("Orders")
        choose(stage, line, "ours")
        _found, [line] = answered(stage)
        assert line.outcome == Outcome.GONE


def test_an_unreachable_mail_server_is_reported_and_nothing_is_done(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    with transaction() as session:
        box = session.get_one(Mailbox, shared.mailbox_id)
        port = box.imap_port
        move_server(box, 1)
    choose(shared, line, "server")
    found, [line] = answered(shared)
    assert (found.error_code, line.outcome, line.is_open) == ("unreachable", Outcome.AWAY, True)
    ask(shared)
    found, lines = answered(shared)
    assert (found.stage, found.error_code, lines, owner(shared)) == ("failed", "unreachable", [], "carla")
    with transaction() as session:
        move_server(session.get_one(Mailbox, shared.mailbox_id), port)
    assert [line.what for line in compared(shared)] == ["owner"]


def test_a_refused_sign_in_is_not_tried_once_more(shared: Stage) -> None:
    with transaction() as session:
        session.get_one(Mailbox, shared.mailbox_id).error_code = "login_refused"
    ask(shared)
    found, _lines = answered(shared)
    assert (found.stage, found.error_code) == ("failed", "login_refused")


def test_the_page_gets_an_answer_even_if_our_code_fails(shared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)

    def fail(*_told: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.worker.jobs.comparing.drift", fail)
    monkeypatch.setattr("app.worker.jobs.comparing.look_again", fail)
    choose(shared, line, "server")
    found, [line] = answered(shared)
    assert (found.error_code, line.outcome) == ("internal", Outcome.AWAY)
    ask(shared)
    found, _lines = answered(shared)
    assert (found.stage, found.error_code) == ("failed", "internal")


def test_only_an_administrator_asks_and_chooses(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    with pytest.raises(NotAllowed):
        ask(shared, by="ben")
    with pytest.raises(NotAllowed):
        choose(shared, line, "server", by="ben")
    choose(shared, line, "server")
    with transaction() as session:
        member(session, "ana").is_admin = False
    _found, [line] = answered(shared)
    assert (line.outcome, line.is_open, owner(shared)) == (Outcome.REFUSED, True, "carla")


def test_a_line_is_decided_once(shared: Stage) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    [line] = compared(shared)
    choose(shared, line, "ours")
    with pytest.raises(NotFound):
        choose(shared, line, "server")
    ask(shared)
    with pytest.raises(NotFound):
        choose(shared, line, "server")


def test_a_worker_that_died_over_it_is_followed_by_another(shared: Stage, clock: Clock) -> None:
    shared.account.remove_flags(shared.uid(), "assigned-carla")
    ask(shared)
    with transaction() as session:
        assert take(session, Comparison) is not None
        assert take(session, Comparison) is None
    clock.pass_(minutes=31)
    found, [line] = answered(shared)
    assert found.stage == "done"
    choose(shared, line, "server")
    with transaction() as session:
        assert take(session, Difference) is not None
        assert take(session, Difference) is None
    clock.pass_(minutes=4)
    _found, [line] = answered(shared)
    assert line.outcome == Outcome.DONE
