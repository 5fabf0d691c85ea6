"""A mailbox changes where its state is kept, and back, on a real server, while members and clients go on working."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox import comparison, thread
from app.inbox.actor import COMMAND, web
from app.inbox.comparison import Outcome
from app.inbox.conversation import Conversation
from app.inbox.errors import Invalid, NotAllowed
from app.inbox.event import Event, EventKind
from app.inbox.goal import conversation_copies, goals
from app.inbox.health import health
from app.inbox.locking import locked
from app.inbox.mailbox import Mailbox, Mode
from app.inbox.tag import find_tag, make_tag, merge_tags, vocabulary
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.sync import reset, returning, serve
from app.sync.comparing import answer_administrators
from app.sync.drift import drift
from app.sync.link import Link
from app.sync.look import MANY
from app.sync.returning import try_to_return
from app.sync.sides import choose
from tests.cast import Cast, member
from tests.dovecot import Account, mail
from tests.faults.dying import start_round
from tests.faults.test_forgetful_servers import the_numbers_of_mails
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.sync.stage import KEY, Stage, connected, conversation


@pytest.fixture
def shared(any_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """Three conversations that both sides hold the same: Carla's, which is closed, Ben's with a tag, and a bare one."""
    for subject in ("Hers", "His", "Bare"):
        any_account.append(mail(subject, message_id=f"<{subject.lower()}@example.com>"))
    with connected(any_account, parser) as stage:
        stage.round()
        stage.act(number_of("Hers"), Conversation.claim)
        stage.act(number_of("Hers"), Conversation.close)
        stage.act(number_of("His"), Conversation.claim, by="ben")
        stage.act(number_of("His"), Conversation.tag, "billing", by="ben")
        stage.round()
        yield stage


def test_in_the_database_only_what_each_server_keeps_goes_both_ways(shared: Stage) -> None:
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


def test_back_on_the_server_what_does_not_differ_goes_on_at_once(shared: Stage) -> None:
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
    monkeypatch.setattr("app.sync.push._CONVERSATIONS", 1)
    monkeypatch.setattr("app.sync.push._COMPARED_AT_ONCE", 1)
    for subject in ("One", "Two", "Three"):
        shared.account.append(mail(subject))
    shared.round()
    change_mode(shared, Mode.DATABASE)
    change_mode(shared, Mode.KEYWORDS)
    service = shared.service()
    with monkeypatch.context() as once:
        once.setattr(service.bell, "wait", lambda _seconds: frozenset())
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


def test_what_nobody_acted_on_is_left_alone_as_before(shared: Stage) -> None:
    """Names that lay on it when it was imported say nothing new, here or there."""
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


def test_where_both_come_to_hold_the_same_nobody_has_to_choose_any_more(shared: Stage) -> None:
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


def test_what_waited_for_a_person_or_was_refused_waits_no_more_in_the_database(shared: Stage) -> None:
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
        with pytest.raises(Invalid, match="A worker has to look at every mail first"):
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


def test_who_changes_their_mind_before_a_worker_came_stays_in_the_database(shared: Stage) -> None:
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
                mailbox.change_mode(Mode.DATABASE, by=web(member(session, handle)))
        mailbox.change_mode(Mode.DATABASE, by=web(member(session, "ana")))
        [change] = session.scalars(select(Event).where(Event.kind == EventKind.MAILBOX_MODE))
        assert (change.before, change.after) == ({"mode": "keywords"}, {"mailbox": "Shop", "mode": "database"})


#: Commits of the round: while it pulls, and around the one that changes the mode.
@pytest.mark.parametrize("dies_after", [3, 9, 15, 16, 17, 18, 19])
def test_a_worker_killed_on_the_way_back_is_followed_by_one_that_ends_it(
    account: Account, parser: MailParser, cast: Cast, database: str, dies_after: int
) -> None:
    account.append(mail("Hers"))
    account.append(mail("His"))
    with connected(account, parser) as stage:
        stage.round()
        hers, his = number_of("Hers"), number_of("His")
        stage.act(hers, Conversation.claim)
        stage.round()
        change_mode(stage, Mode.DATABASE)
        stage.act(hers, Conversation.close)
        stage.account.add_flags(stage.uid(hers), "state-pending")
        stage.act(his, Conversation.star)
        change_mode(stage, Mode.KEYWORDS)
        start_round(database, stage.mailbox_id, dies_after=dies_after).join()
        assert stage.shown(hers) == {"assigned-carla", "state-pending"}
        stage.round()
        stage.round()
        assert frozen(hers) == ["status"]
        assert told(stage) == {(hers, "status", "pending", "closed")}
        settle(stage, take_theirs=False)
        start_round(database, stage.mailbox_id, dies_after=dies_after).join()
        stage.round()
        stage.round()
        assert stage.shown(hers) == {"assigned-carla", "state-closed"}
        assert stage.shown(his) == {"\\Flagged"}
        assert (told(stage), waiting(stage)) == (set(), (0, 0))


def test_folders_that_were_numbered_anew_are_read_before_both_sides_are_compared(
    maildir_account: Account, parser: MailParser, cast: Cast
) -> None:
    """As after a mailbox has moved to a server that keeps keywords."""
    maildir_account.append(mail("Hers"))
    with connected(maildir_account, parser) as stage:
        stage.round()
        hers = number_of("Hers")
        stage.act(hers, Conversation.claim)
        stage.round()
        change_mode(stage, Mode.DATABASE)
        stage.account.remove_flags(stage.uid(hers), "assigned-carla")
        stage.account.add_flags(stage.uid(hers), "assigned-zoe")
        the_numbers_of_mails(stage.account)
        change_mode(stage, Mode.KEYWORDS)
        stage.round()
        stage.round()
        assert stage.shown(hers) == {"assigned-zoe"}
        assert told(stage) == {(hers, "owner", "zoe", "carla")}


def test_who_asks_for_keywords_between_the_try_and_the_pull_waits_for_the_next_try(
    parser: MailParser, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked_just_after(mailbox_id: int, private_key: bytes | None) -> None:
        try_to_return(mailbox_id, private_key)
        change_mode(stage, Mode.KEYWORDS)

    with account_with_rights(READ_AND_SEEN_ONLY) as account, connected(account, parser) as stage:
        monkeypatch.setattr(serve, "try_to_return", asked_just_after)
        stage.round()
        monkeypatch.undo()
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            assert (mailbox.mode, mailbox.returning) == ("database", True)


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
    reset.settle_unmatched()
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


def test_what_comes_between_the_freezing_and_the_change_of_mode_is_frozen_too(
    shared: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation is split, others are merged, one of them frozen and one not yet; and one comes into sight where
    freezing was done already, as after a transaction that took its time."""
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    answer = shared.account.append(mail("Re: His", message_id="<answer@example.com>", in_reply_to="<his@example.com>"))
    shared.account.append(mail("Last"))
    shared.round()
    last = number_of("Last")
    change_mode(shared, Mode.DATABASE)
    shared.account.remove_flags(answer, "assigned-ben")
    shared.account.add_flags(answer, "assigned-zoe")
    shared.account.add_flags(shared.uid(bare), "state-pending")
    change_mode(shared, Mode.KEYWORDS)
    acts = [
        lambda: split(his, "Re: His"),
        lambda: merge(hers, into=last),
        lambda: merge(last, into=bare),
        lambda: set_frozen(his, []),
    ]
    between_two_batches(monkeypatch, lambda: acts.pop(0)() if acts else None)
    shared.account.add_flags(shared.uid(his), "state-closed")
    shared.round()
    assert acts == []
    split_off = number_of("Re: His")
    assert (frozen(split_off), frozen(bare)) == (["owner", "tag billing"], ["owner", "status"])
    assert shared.account.flags(answer) == {"assigned-zoe", "billing"}
    assert (waiting(shared), frozen(his), frozen(hers), frozen(last)) == ((0, 3), ["status"], [], [])
    settle(shared, take_theirs=False)
    shared.round()
    assert shared.account.flags(answer) == set()
    assert (told(shared), waiting(shared)) == (set(), (0, 0))
    assert all_at_goal(shared)


@pytest.mark.parametrize("to", Mode)
def test_a_worker_that_dies_while_it_freezes_leaves_a_mailbox_in_the_database_as_it_was(
    shared: Stage, monkeypatch: pytest.MonkeyPatch, to: Mode
) -> None:
    """Whether an administrator still wants keywords or has changed their mind."""
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.account.copy(shared.uid(hers), "Archive")
    shared.account.add_flags(shared.uid(his), "assigned-carla", "urgent")
    change_mode(shared, Mode.KEYWORDS)
    between_two_batches(monkeypatch, dies)
    assert shared.service().once(10) == "it died"
    monkeypatch.undo()
    assert (frozen(hers), waiting(shared)) == (["*"], (1, 0))  # what she did waits for the push, and no choice
    change_mode(shared, to)
    shared.act(hers, Conversation.star)
    shared.account.remove_flags(shared.uid(hers), "assigned-carla")
    shared.account.add_flags(shared.uid(his), "\\Flagged", "vip")
    shared.account.move(shared.uid(bare), "Junk")
    shared.pull()
    shared.push()
    if to is Mode.DATABASE:
        shared.round()
        assert told(shared) == set()
        assert (shared.shown(hers), waiting(shared)) == ({"state-closed", "\\Flagged"}, (0, 0))
        with transaction() as session:
            tags = {tag.name for tag in conversation(session, his).tags}
            assert (conversation(session, his).starred, tags) == (True, {"billing", "urgent", "vip"})
            assert (conversation(session, hers).owner, conversation(session, bare).status) == ("carla", "spam")
        change_mode(shared, Mode.KEYWORDS)
    shared.round()
    assert (frozen(hers), frozen(his), frozen(bare)) == (["owner", "status"], ["owner"], ["status"])
    settle(shared, take_theirs=True)
    shared.round()
    shared.round()
    assert (told(shared), waiting(shared)) == (set(), (0, 0))


def test_a_star_that_many_lose_at_once_after_such_a_death_is_held_as_ever(
    shared: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stars = [shared.account.append(mail(f"Star {n}")) for n in range(MANY + 1)]
    star(shared, stars, ImapSession.add)
    shared.round()
    change_mode(shared, Mode.DATABASE)
    change_mode(shared, Mode.KEYWORDS)
    between_two_batches(monkeypatch, dies, many=100)
    assert shared.service().once(10) == "it died"
    monkeypatch.undo()
    change_mode(shared, Mode.DATABASE)
    star(shared, stars, ImapSession.remove)
    shared.round()
    with transaction() as session:
        [hold] = health(session, session.get_one(Mailbox, shared.mailbox_id)).held
        assert (hold.keyword, hold.conversations) == ("\\flagged", len(stars))


def test_what_has_no_room_or_waits_for_a_choice_is_not_counted_in_the_database(shared: Stage) -> None:
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


def between_two_batches(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, many: int = 1) -> None:
    """Something happens after every `many` conversations that are frozen before the mode changes."""

    def freeze_and_act(link: Link, last: int) -> int | None:
        frozen_last = freeze_some(link, last)
        act()
        return frozen_last

    freeze_some = returning._freeze_some
    monkeypatch.setattr(returning, "_CONVERSATIONS", many)
    monkeypatch.setattr(returning, "_freeze_some", freeze_and_act)


def set_frozen(number: int, registers: list[str]) -> None:
    with transaction() as session:
        conversation(session, number).frozen = registers


def star(stage: Stage, uids: list[int], how: Callable[[ImapSession, list[int], list[str]], None]) -> None:
    with stage.account.open() as imap:
        imap.select("INBOX")
        how(imap, uids, ["\\Flagged"])


def dies() -> None:
    raise RuntimeError("it died")


def split(number: int, subject: str) -> None:
    with transaction() as session:
        [held] = locked(session, [conversation(session, number).id])
        thread.split(next(m for m in held.messages if m.subject == subject), by=web(member(session, "ben")))


def merge(number: int, *, into: int) -> None:
    with transaction() as session:
        source, target = (conversation(session, one) for one in (number, into))
        locked(session, [source.id, target.id])
        thread.merge(source, target, by=web(member(session, "ben")))


def settle(stage: Stage, *, take_theirs: bool) -> None:
    found = drift(stage.mailbox_id, private_key=bytes(KEY))
    choose(stage.mailbox_id, found, take_theirs=take_theirs, by=COMMAND)


def number_of(subject: str) -> int:
    with transaction() as session:
        return session.scalars(select(Conversation.number).where(Conversation.subject == subject)).one()


def change_mode(stage: Stage, to: Mode) -> None:
    with transaction() as session:
        session.get_one(Mailbox, stage.mailbox_id).change_mode(to, by=COMMAND)


def frozen(number: int) -> list[str]:
    with transaction() as session:
        return conversation(session, number).frozen


def waiting(stage: Stage) -> tuple[int, int]:
    """Conversations that are to be written, and those that wait for a person."""
    with transaction() as session:
        well = health(session, session.get_one(Mailbox, stage.mailbox_id))
        return well.waiting_push, well.frozen


def told(stage: Stage) -> set[tuple[int | None, str, str | bool | None, str | bool | None]]:
    found = drift(stage.mailbox_id, private_key=bytes(KEY))
    return {(line.number, line.what, line.server, line.ours) for line in found.lines}


def all_at_goal(stage: Stage) -> bool:
    with transaction() as session:
        words = vocabulary(session, session.get_one(Mailbox, stage.mailbox_id))
        for one in session.scalars(select(Conversation).where(Conversation.mailbox_id == stage.mailbox_id)):
            copies = conversation_copies(one)
            wanted = goals(copies, one.state, words, mirrored=one.mirrored)
            if any(wanted[copy.id] != words.ours(copy.keywords) for copy in copies if copy.live):
                return False
    return True
