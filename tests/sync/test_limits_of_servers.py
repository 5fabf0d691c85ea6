"""Limits of real servers: keywords in a folder, space, rights, shared folders. The state here stays right, Signalbox
shows what is not on the server, and writes it when it can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.history.event import Event
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.inbox.server.mapping import map_name
from app.inbox.server.retrying import limit_keywords
from app.mail.child import MailParser
from app.sync.compare.drift import drift
from local.dovecot import Format
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail, running_dovecot
from tests.mail.test_probe import EVERYTHING, account_with_rights
from tests.sync.stage import KEY, Stage, connected, conversation

#: A server whose accounts hold three mails and that cannot move: it copies, and so needs space for a moment.
SMALL = """\
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:messages=3
}
imap_capability = IMAP4rev1 UIDPLUS ENABLE CONDSTORE QRESYNC IDLE
"""
#: All rights that would change a folder or a mail in it: write flags, mark as read, delete, add mail.
WRITING = "wstie"


def how(stage: Stage) -> health.Health:
    with transaction() as session:
        return health.health(session, session.get_one(Mailbox, stage.mailbox_id))


def used(stage: Stage, folder: str = "INBOX") -> int:
    with transaction() as session:
        return len(next(f for f in session.get_one(Mailbox, stage.mailbox_id).folders if f.name == folder).keywords)


def limit(stage: Stage, keywords: int | None) -> None:
    with transaction() as session:
        limit_keywords(session.get_one(Mailbox, stage.mailbox_id), keywords, by=COMMAND)


def means(stage: Stage, keyword: str, owner: str) -> None:
    with transaction() as session:
        map_name(session, session.get_one(Mailbox, stage.mailbox_id), keyword, "owner", owner, by=COMMAND)


def may_write(account: Account, *command: str, stdin: bytes | None = None) -> None:
    """As somebody who is not limited by the rights of this account."""
    account.dovecot.doveadm("-o", "mail_plugins=", *command, stdin=stdin)


def where_it_stands(number: int) -> tuple[str | None, str, list[str]]:
    with transaction() as session:
        one = conversation(session, number)
        return one.owner, one.status, [tag.name for tag in one.tags if tag.adopted]


def nothing_is_on_its_way(stage: Stage) -> bool:
    with transaction() as session:
        writing = session.scalars(select(Copy).where(Copy.pushing.is_not(None))).all()
    return not writing and how(stage).waiting_push == 0


def in_sync(stage: Stage) -> bool:
    return nothing_is_on_its_way(stage) and not drift(stage.mailbox_id, private_key=bytes(KEY)).lines


# keywords in a folder -------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(maildir_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A mailbox on Maildir. Mail clients have set 18 keywords of their own in its inbox, as many as tags may use."""
    uid = maildir_account.append(mail("Clients' own"))
    maildir_account.add_flags(uid, *(f"client-{number}" for number in range(18)))
    with connected(maildir_account, parser) as stage:
        stage.account.append(mail("A question"))
        stage.account.append(mail("Another"))
        stage.round()
        yield stage


def test_where_clients_have_used_up_the_keywords_for_tags_people_and_states_are_written_still(stage: Stage) -> None:
    stage.act(2, Conversation.claim)
    stage.act(2, Conversation.close)
    stage.act(2, Conversation.tag, "urgent", by="ben")
    stage.round()
    assert stage.shown(2) == {"assigned-carla", "state-closed"}
    assert where_it_stands(2) == ("carla", "closed", ["urgent"])
    assert (how(stage).no_room, used(stage)) == (1, 20)
    for _ in range(2):
        stage.round()
        assert nothing_is_on_its_way(stage)
    assert stage.shown(2) == {"assigned-carla", "state-closed"}
    stage.act(2, Conversation.untag, "urgent", by="ben")
    stage.round()
    assert how(stage).no_room == 0
    assert in_sync(stage)


def test_where_not_even_a_name_fits_the_owner_is_right_here_and_nothing_loops(stage: Stage) -> None:
    stage.account.add_flags(stage.uid(1), *(f"more-{number}" for number in range(6)))
    stage.round()
    assert used(stage) == 24
    stage.act(2, Conversation.claim)
    stage.act(3, Conversation.claim, by="ben")
    for _ in range(2):
        stage.round()
        assert nothing_is_on_its_way(stage)
    assert (stage.shown(2), stage.shown(3)) == (set(), set())
    assert (where_it_stands(2)[0], where_it_stands(3)[0]) == ("carla", "ben")
    assert how(stage).no_room == 2
    stage.account.add_flags(stage.uid(2), "\\Seen")  # a client's later change to it is not a release
    stage.round()
    assert where_it_stands(2)[0] == "carla"
    assert in_sync(stage)


def test_a_tag_that_did_not_fit_is_written_when_a_mail_client_has_made_it_known_in_the_folder(stage: Stage) -> None:
    stage.act(2, Conversation.tag, "urgent", by="ben")
    stage.round()
    assert (stage.shown(2), how(stage).no_room) == (set(), 1)
    stage.account.add_flags(stage.uid(3), "urgent")
    stage.round()
    stage.round()
    assert (stage.shown(2), how(stage).no_room) == ({"urgent"}, 0)
    assert where_it_stands(3)[2] == ["urgent"]
    assert in_sync(stage)


def test_keywords_that_clients_have_set_get_a_meaning_where_no_new_name_would_fit(stage: Stage) -> None:
    stage.account.add_flags(stage.uid(1), *(f"more-{number}" for number in range(6)))
    stage.account.add_flags(stage.uid(2), "more-0")
    stage.round()
    means(stage, "more-0", "carla")
    stage.act(3, Conversation.claim)
    stage.round()
    assert (where_it_stands(2)[0], stage.shown(2), stage.shown(3)) == ("carla", {"more-0"}, {"more-0"})
    assert how(stage).no_room == 0
    assert in_sync(stage)


def test_keywords_without_room_are_written_after_the_limit_is_raised(
    account: Account, parser: MailParser, cast: Cast
) -> None:
    uid = account.append(mail("Clients' own"))
    account.add_flags(uid, *(f"client-{number}" for number in range(30)))
    with connected(account, parser) as stage:
        stage.account.append(mail("A question"))
        stage.round()
        stage.act(2, Conversation.claim)
        stage.act(2, Conversation.tag, "urgent", by="ben")
        stage.round()
        assert (stage.shown(2), how(stage).no_room) == (set(), 1)
        limit(stage, None)
        stage.round()
        assert (stage.shown(2), how(stage).no_room) == ({"assigned-carla", "urgent"}, 0)
        limit(stage, 24)  # keywords on the server stay
        stage.round()
        assert stage.shown(2) == {"assigned-carla", "urgent"}
        with transaction() as session:
            told = session.scalars(select(Event).where(Event.kind == "mailbox changed").order_by(Event.id)).all()
            assert [event.after and event.after["keyword_limit"] for event in told] == [None, 24]
        assert in_sync(stage)


# space ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["maildir", "sdbox"])
def small_account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Its quota is three mails."""
    format: Format = request.param  # noqa: A001  (Dovecot's own word)
    with running_dovecot(format, extra_config=SMALL) as dovecot:
        yield fresh_account(dovecot)


def test_without_space_spam_counts_here_and_moves_to_junk_later(
    small_account: Account, parser: MailParser, cast: Cast
) -> None:
    uids = [small_account.append(mail("Buy now"))]
    with connected(small_account, parser) as stage:
        uids += [small_account.append(mail(subject)) for subject in ("One", "Two")]
        stage.round()
        number = next(n for n in (1, 2, 3) if stage.uid(n) == uids[0])
        stage.act(number, Conversation.claim)
        stage.act(number, Conversation.mark_spam)
        for _ in range(4):  # more often than the limit for permanent refusals
            assert stage.service().once(10) == "1 conversations could not be written to the server"
        assert where_it_stands(number)[:2] == ("carla", "spam")
        assert {"assigned-carla", "$Junk"} <= small_account.flags(uids[0])  # keywords take no space
        assert small_account.uids("Junk") == []
        assert (how(stage).state, how(stage).waiting_push, how(stage).missing) == ("ok", 1, 0)
        assert "The mail account is full (quota)" in (how(stage).error or "")
        small_account.expunge(uids[2])
        stage.round()
        stage.round()
        assert {"assigned-carla", "$Junk"} <= stage.shown(number, "Junk")
        assert where_it_stands(number)[:2] == ("carla", "spam")
        stage.round()
        assert (how(stage).waiting_push, how(stage).error) == (0, None)


@pytest.mark.parametrize("free", [0, 1])
def test_a_full_mailbox_is_connected_by_its_servers_promises(
    small_account: Account, parser: MailParser, cast: Cast, free: int
) -> None:
    before = small_account.folder_names()
    uids = [small_account.append(mail(f"No {number}")) for number in range(3 - free)]
    with connected(small_account, parser) as stage:
        with transaction() as session:
            report = session.get_one(Mailbox, stage.mailbox_id).report
        assert (report["mode"], "not_proved" in report["warnings"]) == ("keywords", not free)
        assert small_account.folder_names() == before
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        assert stage.shown(1) == {"assigned-carla"}
        assert sorted(small_account.uids()) == uids
        assert in_sync(stage)


# shared folders -------------------------------------------------------------------------------------------------------


@contextmanager
def shared(format: Format, parser: MailParser) -> Iterator[tuple[Stage, Account]]:  # noqa: A002  (Dovecot's own word)
    """A mailbox that watches a folder in a namespace that all accounts share, and another of these accounts."""
    with running_dovecot(format) as dovecot:
        one, another = fresh_account(dovecot), fresh_account(dovecot)
        with connected(one, parser, folders=["Public/Team"]) as stage:
            stage.round()
            yield stage, another


@pytest.mark.parametrize("format", ["maildir", "sdbox"])
def test_a_watched_folder_that_several_accounts_share_shows_the_state_to_all_of_them(
    format: Format,  # noqa: A002  (Dovecot's own word)
    parser: MailParser,
    cast: Cast,
) -> None:
    with shared(format, parser) as (stage, another):
        uid = another.append(mail("To the team"), "Public/Team")
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        assert "assigned-carla" in another.flags(uid, "Public/Team")
        another.remove_flags(uid, "assigned-carla", folder="Public/Team")
        another.add_flags(uid, "assigned-ben", "state-pending", "from-afar", folder="Public/Team")
        stage.round()
        assert where_it_stands(1)[:2] == ("ben", "pending")
        with transaction() as session:
            assert [tag.name for tag in conversation(session, 1).tags] == ["from-afar"]
        another.move(uid, "INBOX", folder="Public/Team")  # where none of us sees it: it is not lost at once
        stage.round()
        assert where_it_stands(1)[:2] == ("ben", "pending")


def test_a_folder_that_may_only_be_read_is_read_shows_no_state_of_ours_and_stops_nothing(
    parser: MailParser, cast: Cast
) -> None:
    with account_with_rights(EVERYTHING, Archive=WRITING) as account:
        may_write(account, "save", "-u", account.user, "-m", "Archive", stdin=mail(message_id="<old@x>"))
        account.append(mail(message_id="<new@x>", references="<old@x>"))
        with connected(account, parser) as stage:
            stage.round()
            names = "state-pending todo-ben"
            may_write(account, "flags", "add", "-u", account.user, names, "mailbox", "Archive", "uid", "1")
            stage.round()
            assert where_it_stands(1)[:2] == (None, "pending")
            stage.act(1, Conversation.reopen)
            means(stage, "todo-ben", "ben")
            assert where_it_stands(1)[:2] == ("ben", "open")
            stage.act(1, Conversation.release, by="ben")
            stage.act(1, Conversation.claim)
            for _ in range(2):
                stage.round()
            assert where_it_stands(1)[:2] == ("carla", "open")
            assert stage.shown(1) == {"assigned-carla"}
            assert account.flags(1, "Archive") == {"state-pending", "todo-ben"}
            assert (how(stage).waiting_push, how(stage).no_room, how(stage).refused) == (0, 0, 0)
            assert in_sync(stage)
