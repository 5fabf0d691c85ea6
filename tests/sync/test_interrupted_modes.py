"""A change of the storage mode that is interrupted, or crossed by another act."""

from __future__ import annotations

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.health import health
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.sync.look.look import MANY
from app.sync.pull.returning import try_to_return
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.faults.dying import start_round
from tests.faults.test_forgetful_servers import the_numbers_of_mails
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.sync.modes import (
    all_at_goal,
    between_two_batches,
    change_mode,
    dies,
    frozen,
    merge,
    number_of,
    set_frozen,
    settle,
    split,
    star,
    told,
    waiting,
)
from tests.sync.stage import Stage, connected, conversation


#: Commits of the round: during the pull, and around the one that changes the mode.
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


def test_a_request_for_keywords_between_test_and_pull_waits_for_the_next_test(
    parser: MailParser, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked_just_after(mailbox_id: int, private_key: bytes | None) -> None:
        try_to_return(mailbox_id, private_key)
        change_mode(stage, Mode.KEYWORDS)

    with account_with_rights(READ_AND_SEEN_ONLY) as account, connected(account, parser) as stage:
        monkeypatch.setattr("app.worker.service.try_to_return", asked_just_after)
        stage.round()
        monkeypatch.undo()
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            assert (mailbox.mode, mailbox.returning) == ("database", True)


def test_conversations_created_during_the_freezing_are_frozen_too(
    shared: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation is split, and others are merged, one of them frozen and one not yet. Another one appears where
    freezing was finished already, as after a slow transaction."""
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
    """Whether an administrator still wants keywords or has cancelled the request."""
    hers, his, bare = (number_of(subject) for subject in ("Hers", "His", "Bare"))
    change_mode(shared, Mode.DATABASE)
    shared.act(hers, Conversation.reopen)
    shared.account.copy(shared.uid(hers), "Archive")
    shared.account.add_flags(shared.uid(his), "assigned-carla", "urgent")
    change_mode(shared, Mode.KEYWORDS)
    between_two_batches(monkeypatch, dies)
    assert shared.service().once(10) == "it died"
    monkeypatch.undo()
    assert (frozen(hers), waiting(shared)) == (["*"], (1, 0))  # her change waits for the push, not for a choice
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
