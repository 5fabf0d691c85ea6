"""A mailbox changes its storage mode and back, on a real server, while members and clients work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.goal import conversation_copies
from app.inbox.conversations.tag import find_tag, make_tag, merge_tags
from app.inbox.errors import Invalid, NotAllowed
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server import comparison, mode
from app.inbox.server.comparison import Outcome
from app.inbox.server.health import health
from app.mail.child import MailParser
from app.sync.compare.drift import drift
from app.sync.compare.sides import choose
from app.sync.pull import reset
from app.worker.jobs.comparing import answer_administrators
from tests.cast import Cast, member
from tests.dovecot import mail
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.sync.modes import all_at_goal, change_mode, frozen, number_of, settle, told, waiting
from tests.sync.stage import KEY, Stage, connected, conversation


def test_in_mode_database_only_flags_are_synced(shared: Stage) -> None:
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.act(hers, Conversation.star)
    shared.act(bare, Conversation.claim)
    shared.account.remove_flags(shared.uid(his), "assigned-ben", "billing")
    shared.account.add_flags(shared.uid(his), "assigned-carla", "state-pending", "\\Flagged", "\\Seen", "urgent")
    shared.round()
    shared.round()
    assert shared.shown(hers) == {"assigned-carla", "state-closed", "\\Flagged"}
    assert shared.shown(his) == {"assigned-carla", "state-pending", "\\Flagged", "\\Seen", "urgent"}
    assert shared.shown(bare) == set()
    with transaction() as session:
        one = conversation(session, his)
        assert (one.owner, one.status, one.starred, one.unseen) == ("ben", "open", True, False)
        assert {tag.name for tag in one.tags} == {"billing", "urgent"}
        assert conversation(session, hers).status == "open"
    assert waiting(shared) == (0, 0)
    assert told(shared) == set()


def test_back_on_the_server_equal_values_are_synced_at_once(shared: Stage) -> None:
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.account.remove_flags(shared.uid(hers), "state-closed")
    shared.account.add_flags(shared.uid(bare), "assigned-zoe")
    shared.account.append(mail("Re: His", in_reply_to="<his@example.com>"))
    shared.round()
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert frozen(hers) == frozen(his) == []
    assert frozen(bare) == ["owner"]
    shared.act(hers, Conversation.set_pending)
    shared.account.remove_flags(shared.uid(his), "billing")
    shared.round()
    assert shared.shown(hers) == {"assigned-carla", "state-pending"}
    with transaction() as session:
        assert [tag.name for tag in conversation(session, his).tags] == []


def test_a_person_chooses_whose_counts_where_both_differ_and_then_both_hold_the_same(shared: Stage) -> None:
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.set_pending)
    shared.account.add_flags(shared.uid(hers), "urgent")
    shared.account.remove_flags(shared.uid(his), "assigned-ben")
    shared.account.add_flags(shared.uid(his), "assigned-carla", "state-closed")
    shared.act(bare, Conversation.claim)
    shared.account.append(mail("New"))
    shared.account.add_flags(shared.uid(bare), "assigned-zoe")
    shared.round()
    new = number_of("New")
    shared.act(new, Conversation.claim, by="ben")
    change_mode(shared, Mode.KEYWORDS)
    before = {number: shared.shown(number) for number in (hers, his, bare, new)}
    shared.round()
    shared.round()
    assert {number: shared.shown(number) for number in before} == before
    assert waiting(shared) == (0, 4)
    assert told(shared) == {
        (hers, "status", "closed", "pending"),
        (his, "owner", "carla", "ben"),
        (his, "status", "closed", "open"),
        (bare, "owner", "zoe", "carla"),
        (new, "owner", None, "ben"),
    }
    found = drift(shared.mailbox_id, private_key=bytes(KEY))
    owner = [line for line in found.lines if (line.number, line.what) == (his, "owner")]
    choose(shared.mailbox_id, replace(found, lines=owner), take_theirs=True, by=COMMAND)
    shared.round()
    with transaction() as session:
        assert (conversation(session, his).owner, conversation(session, his).status) == ("carla", "open")
    assert shared.shown(his) == before[his]
    for number, take_theirs in ((bare, True), (hers, False), (his, False), (new, False)):
        found = drift(shared.mailbox_id, private_key=bytes(KEY))
        mine = [line for line in found.lines if line.number == number]
        choose(shared.mailbox_id, replace(found, lines=mine), take_theirs=take_theirs, by=COMMAND)
    shared.round()
    assert shared.shown(hers) == {"assigned-carla", "state-pending", "urgent"}
    assert shared.shown(his) == {"assigned-carla", "billing"}
    assert shared.shown(bare) == {"assigned-zoe"}
    assert shared.shown(new) == {"assigned-ben"}
    assert told(shared) == set()
    assert waiting(shared) == (0, 0)
    assert all_at_goal(shared)


def test_several_statuses_on_the_server_are_a_difference_though_ours_is_one_of_them(shared: Stage) -> None:
    his = number_of("His")
    change_mode(shared, Mode.DATABASE)
    shared.account.add_flags(shared.uid(his), "state-closed", "state-pending")
    shared.act(his, Conversation.set_pending)
    before = shared.shown(his)
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert (his, "status", "closed, pending", "pending") in told(shared)
    assert shared.shown(his) == before
    settle(shared, take_theirs=False)
    shared.round()
    assert shared.shown(his) == before - {"state-closed"}


def test_only_so_many_are_compared_before_the_bell_is_looked_at(shared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sync.push.push._CONVERSATIONS", 1)
    monkeypatch.setattr("app.sync.push.push._COMPARED_AT_ONCE", 1)
    for subject in ("One", "Two", "Three"):
        shared.account.append(mail(subject))
    shared.round()
    change_mode(shared, Mode.DATABASE)
    change_mode(shared, Mode.KEYWORDS)
    service = shared.service()
    with monkeypatch.context() as once:
        once.setattr(service.wakeup, "wait", lambda _seconds: frozenset())
        service.once(10)
    with transaction() as session:
        left = session.scalars(select(Conversation.number).where(Conversation.frozen == ["*"])).all()
    assert left
    shared.round()
    with transaction() as session:
        assert not session.scalars(select(Conversation.id).where(Conversation.frozen != [])).all()


def test_an_administrator_chooses_on_the_page_line_by_line(shared: Stage) -> None:
    hers, his = number_of("Hers"), number_of("His")
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.account.copy(shared.uid(his), "Archive")
    shared.account.remove_flags(shared.uid(his), "assigned-ben")
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    with transaction() as session:
        ana, box = web(member(session, "ana")), session.get_one(Mailbox, shared.mailbox_id)
        comparison.ask(session, box, by=ana)
    answer_administrators(bytes(KEY))
    with transaction() as session:
        lines = {(line.number, line.what): line.id for line in comparison.differences(session, box)}
        assert lines.keys() == {(hers, "status"), (his, "owner")}
        comparison.choose(session, box, lines[hers, "status"], "ours", by=ana)
        comparison.choose(session, box, lines[his, "owner"], "server", by=ana)
    answer_administrators(bytes(KEY))
    with transaction() as session:
        assert {line.outcome for line in comparison.differences(session, box)} == {Outcome.DONE}
        assert conversation(session, his).owner is None
    shared.round()
    assert shared.shown(hers) == {"assigned-carla"}
    assert shared.shown(his) == shared.shown(his, "Archive") == {"billing"}
    assert (told(shared), waiting(shared)) == (set(), (0, 0))


def test_a_clients_copy_and_a_new_mail_in_a_conversation_that_waits_change_nothing_either(shared: Stage) -> None:
    his = number_of("His")
    change_mode(shared, Mode.DATABASE)
    shared.act(his, Conversation.release, by="ben")
    shared.account.copy(shared.uid(his), "Archive")
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert frozen(his) == ["owner"]
    answer = shared.account.append(mail("Re: His", in_reply_to="<his@example.com>"))
    shared.account.add_flags(answer, "assigned-zoe")
    shared.round()
    shared.act(his, Conversation.tag, "vip", by="ben")
    shared.round()
    with transaction() as session:
        one = conversation(session, his)
        assert (one.owner, one.frozen) == (None, ["owner"])
    assert shared.account.flags(answer) == {"assigned-zoe", "billing", "vip"}
    assert shared.shown(his, "Archive") == {"assigned-ben", "billing", "vip"}
    settle(shared, take_theirs=False)
    shared.round()
    assert shared.account.flags(answer) == shared.shown(his, "Archive") == {"billing", "vip"}
    assert (told(shared), waiting(shared)) == (set(), (0, 0))


def test_conversations_without_acts_are_left_alone(shared: Stage) -> None:
    """Keywords that were there at the import change nothing, here or on the server."""
    imported = shared.account.append(mail("Old"))
    shared.account.add_flags(imported, "assigned-zoe", "state-closed")
    change_mode(shared, Mode.DATABASE)
    shared.round()
    assert frozen(number_of("Old")) == []
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert frozen(number_of("Old")) == ["owner", "status"]
    settle(shared, take_theirs=True)
    with transaction() as session:
        one = conversation(session, number_of("Old"))
        assert (one.owner, one.status) == ("zoe", "closed")
    shared.round()
    assert shared.account.flags(imported) == {"assigned-zoe", "state-closed"}
    assert (told(shared), waiting(shared)) == (set(), (0, 0))


def test_once_both_sides_agree_no_choice_is_needed(shared: Stage) -> None:
    hers, his = number_of("Hers"), number_of("His")
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.act(his, Conversation.close, by="ben")
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert frozen(hers) == frozen(his) == ["status"]
    shared.account.remove_flags(shared.uid(hers), "state-closed")
    shared.act(his, Conversation.reopen, by="ben")
    shared.round()
    assert frozen(hers) == frozen(his) == []
    assert (told(shared), waiting(shared)) == (set(), (0, 0))


def test_mode_database_ends_pending_decisions_and_refusals(shared: Stage) -> None:
    his = number_of("His")
    with transaction() as session:
        [copy] = conversation_copies(conversation(session, his))
        copy.held, copy.refuses = ["assigned-ben"], ["billing"]
    change_mode(shared, Mode.DATABASE)
    shared.round()
    with transaction() as session:
        well = health(session, session.get_one(Mailbox, shared.mailbox_id))
        assert (well.held, well.refused, well.waiting_push) == ([], 0, 0)
    assert shared.shown(his) == {"assigned-ben", "billing"}


def test_a_server_that_keeps_none_when_it_is_tried_leaves_the_mailbox_in_the_database(
    parser: MailParser, cast: Cast
) -> None:
    with account_with_rights(READ_AND_SEEN_ONLY) as account, connected(account, parser) as stage:
        stage.round()
        change_mode(stage, Mode.KEYWORDS)
        with pytest.raises(Invalid, match="The worker must check every message first"):
            drift(stage.mailbox_id, private_key=bytes(KEY))
        stage.round()
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            assert (mailbox.mode, mailbox.returning, mailbox.report["mode"]) == ("database", False, "database")
            changes = session.scalars(
                select(Event).where(Event.kind == EventKind.MAILBOX_MODE).order_by(Event.id)
            ).all()
            assert [(change.source, (change.after or {})["mode"]) for change in changes] == [
                ("command", "keywords"),
                ("system", "database"),
            ]


def test_a_request_cancelled_before_the_worker_came_leaves_the_mode(shared: Stage) -> None:
    change_mode(shared, Mode.DATABASE)
    change_mode(shared, Mode.KEYWORDS)
    change_mode(shared, Mode.DATABASE)
    shared.round()
    with transaction() as session:
        mailbox = session.get_one(Mailbox, shared.mailbox_id)
        assert (mailbox.mode, mailbox.returning) == ("database", False)


def test_only_an_administrator_changes_the_mode(shared: Stage) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, shared.mailbox_id)
        for handle in ("ben", "carla", "dora"):
            with pytest.raises(NotAllowed):
                mode.change_mode(mailbox, Mode.DATABASE, by=web(member(session, handle)))
        mode.change_mode(mailbox, Mode.DATABASE, by=web(member(session, "ana")))
        [change] = session.scalars(select(Event).where(Event.kind == EventKind.MAILBOX_MODE))
        assert (change.before, change.after) == ({"mode": "keywords"}, {"mailbox": "Shop", "mode": "database"})


def test_where_one_of_two_sides_goes_for_good_there_is_nothing_to_choose(shared: Stage) -> None:
    hers = number_of("Hers")
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.release)
    shared.account.copy(shared.uid(hers), "Archive")
    shared.account.remove_flags(shared.uid(hers), "assigned-carla")
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert frozen(hers) == ["owner"]
    with transaction() as session:
        [copy] = [c for c in conversation_copies(conversation(session, hers)) if c.folder.name == "Archive"]
        copy.unmatched_since = now() - 2 * reset.GRACE
    reset.expire_unmatched()
    shared.push()
    assert frozen(hers) == []


def test_a_tag_that_becomes_another_waits_for_the_same_choice_under_its_new_name(shared: Stage) -> None:
    hers = number_of("Hers")
    change_mode(shared, Mode.DATABASE)
    shared.account.add_flags(shared.uid(hers), "billing")
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    with transaction() as session:
        box, ben = session.get_one(Mailbox, shared.mailbox_id), web(member(session, "ben"))
        billing = find_tag(session, box, "billing")
        assert billing is not None
        merge_tags(session, box, billing, make_tag(session, box, "money", by=ben), by=ben)
    shared.round()
    shared.account.add_flags(shared.uid(hers), "\\Seen")
    shared.round()
    with transaction() as session:
        one = conversation(session, hers)
        assert (one.frozen, [*one.tags]) == (["tag money"], [])
    assert (hers, "tag", "money", None) in told(shared)


def test_mode_database_counts_no_missing_room_and_no_choices(shared: Stage) -> None:
    his = number_of("His")
    with transaction() as session:
        conversation(session, his).frozen, conversation(session, his).lacks_room = ["owner"], True
    change_mode(shared, Mode.DATABASE)
    with transaction() as session:
        well = health(session, session.get_one(Mailbox, shared.mailbox_id))
        assert (well.frozen, well.no_room) == (0, 0)
    change_mode(shared, Mode.KEYWORDS)
    shared.round()
    with transaction() as session:
        well = health(session, session.get_one(Mailbox, shared.mailbox_id))
        assert (well.frozen, well.no_room) == (0, 0)
