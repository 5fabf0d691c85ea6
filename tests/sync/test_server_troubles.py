"""Troubles of mail servers: folders created again, lost indexes, mails that vanish, read-only folders."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import NEWEST
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server import health
from app.inbox.server.mapping import map_name
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.pull.pull import pull
from app.sync.pull.reset import expire_unmatched
from app.sync.push.push import push
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation, kinds
from tests.waiting import eventually


@pytest.fixture
def stage(maildir_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A connected mailbox on Maildir, whose files we can change."""
    with connected(maildir_account, parser) as stage:
        yield stage


def maildir(stage: Stage) -> Path:
    return stage.account.dovecot.base / "mail" / stage.account.user / "Maildir"


def lose_files(stage: Stage, *patterns: str) -> None:
    """Delete the data in these files."""
    stage.account.kick()
    for pattern in patterns:
        for file in maildir(stage).glob(pattern):
            file.unlink()


def live(stage: Stage, folder: str = "INBOX") -> list[Copy]:
    with transaction() as session:
        return list(
            session.scalars(
                select(Copy)
                .join(Folder, Folder.id == Copy.folder_id)
                .where(Folder.mailbox_id == stage.mailbox_id, Folder.name == folder, Copy.gone_at.is_(None))
                .order_by(Copy.uid)
            )
        )


def many(stage: Stage, count: int) -> None:
    for number in range(count):
        stage.account.append(mail(f"No {number}"))
    stage.round()


@contextmanager
def linked(stage: Stage, session: ImapSession) -> Iterator[Link]:
    with session as imap:
        yield Link(stage.mailbox_id, imap, stage.parser, stage.account.open, lambda: True)


# resets ---------------------------------------------------------------------------------------------------------------


def test_a_new_uidvalidity_loses_nothing_and_adopts_nothing(stage: Stage) -> None:
    stage.account.append(mail("First"))
    stage.account.append(mail("Second"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    with transaction() as session:
        before = session.scalars(select(Folder.uidvalidity).filter_by(mailbox_id=stage.mailbox_id, name="INBOX")).one()
    assert before is not None
    eventually(lambda: time.time() >= before + 1)  # Dovecot's UIDVALIDITY is the second in which it was created
    lose_files(stage, "dovecot*index*", "dovecot-uidlist*", "dovecot-uidvalidity*")
    stage.round()
    stage.round()
    with transaction() as session:
        after = session.scalars(select(Folder).filter_by(mailbox_id=stage.mailbox_id, name="INBOX")).one()
        assert after.uidvalidity != before
        assert (after.missing, after.unmatched, after.reset_at) == (0, 0, None)
        assert conversation(session, 1).owner == "carla"
        assert session.scalar(select(func.count()).select_from(Conversation)) == 2
        assert EventKind.RESET in session.scalars(select(Event.kind)).all()
        assert EventKind.RELEASED not in kinds(session, 1)
    assert [copy.uid for copy in live(stage)] == stage.account.uids()
    assert stage.shown() == {"assigned-carla"}


def test_a_folder_deleted_and_made_again_is_matched_by_its_mails(stage: Stage) -> None:
    letter = mail("Kept")
    stage.account.append(letter, "Archive")
    stage.account.append(mail("Lost"), "Archive")
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(2, Conversation.claim)
    stage.round()
    stage.account.delete_folder("Archive")
    stage.account.append(letter, "Archive")  # this server creates it again automatically
    stage.round()
    stage.round()
    assert stage.shown(1, "Archive") == {"assigned-carla"}
    with transaction() as session:
        assert conversation(session, 2).owner == "carla"
        lost = session.scalars(select(Copy).where(Copy.unmatched_since.is_not(None), Copy.gone_at.is_(None))).all()
        assert [copy.message.subject for copy in lost] == ["Lost"]
    expire_unmatched()
    with transaction() as session:
        assert health.health(session, session.get_one(Mailbox, stage.mailbox_id)).unmatched == 1


def test_modseq_going_back_is_a_reset_that_adopts_nothing(stage: Stage) -> None:
    many(stage, 3)
    stage.act(1, Conversation.claim)
    stage.round()
    for _ in range(5):
        stage.account.add_flags(stage.uid(2), "\\Flagged")
        stage.account.remove_flags(stage.uid(2), "\\Flagged")
    stage.round()
    uids = stage.account.uids()
    lose_files(stage, "dovecot.index*")
    stage.account.remove_flags(stage.uid(1), "assigned-carla")
    stage.round()
    stage.round()
    assert stage.account.uids() == uids
    assert stage.shown() == {"assigned-carla"}
    with transaction() as session:
        assert conversation(session, 1).owner == "carla"
        assert EventKind.RESET in session.scalars(select(Event.kind)).all()
    assert [copy.uid for copy in live(stage)] == uids


# mails that vanish ----------------------------------------------------------------------------------------------------


class Forgetful(ImapSession):
    """A server that reports for a moment that all mails are gone."""

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        selected = super().select(name, known=known, read_only=read_only)
        if name != "INBOX":
            return selected
        assert selected.highestmodseq is not None
        higher = selected.highestmodseq + 1
        return dataclasses.replace(selected, vanished=[(1, 4_000_000_000)], exists=0, highestmodseq=higher)


def test_many_mails_gone_at_once_are_looked_for_on_a_fresh_connection(stage: Stage) -> None:
    many(stage, 25)
    with linked(stage, Forgetful.open(stage.account.server)) as link:
        pull(link)
    assert len(live(stage)) == 25
    stage.account.dovecot.doveadm("expunge", "-u", stage.account.user, "mailbox", "INBOX", "uid", "1:22")
    stage.round()
    assert [copy.uid for copy in live(stage)] == [23, 24, 25]
    assert all(copy.unmatched_since is None for copy in live(stage))


def test_an_emptied_folder_is_waited_for_and_moved_mails_are_matched(stage: Stage) -> None:
    many(stage, 25)
    stage.act(3, Conversation.claim)
    stage.round()
    stage.account.dovecot.doveadm("move", "-u", stage.account.user, "Archive", "mailbox", "INBOX", "uid", "1:24")
    stage.account.expunge(25)
    stage.round()
    assert len(live(stage, "Archive")) == 24
    [left] = live(stage)
    assert (left.uid, left.unmatched_since is not None) == (25, True)
    stage.round()
    assert stage.shown(3, "Archive") == {"assigned-carla"}
    with transaction() as session:
        assert kinds(session, 3)[-1] == EventKind.MOVED


# copies ---------------------------------------------------------------------------------------------------------------


def test_a_mail_in_two_folders_is_one_message_with_two_copies(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    stage.account.copy(stage.uid(), "Archive")
    stage.round()
    stage.round()
    with transaction() as session:
        [message] = conversation(session, 1).messages
        assert sorted(copy.folder.name for copy in message.copies if copy.live) == ["Archive", "INBOX"]
        assert EventKind.ARRIVED_OLDER in kinds(session, 1)
    stage.act(1, Conversation.close)
    stage.round()
    assert stage.shown() == stage.shown(folder="Archive") == {"assigned-carla", "state-closed"}


def test_names_fall_off_the_older_copies_of_a_long_conversation(stage: Stage) -> None:
    for number in range(NEWEST + 5):
        stage.account.append(mail(message_id=f"<{number}@long>", references="<0@long>"))
        if number == 2:
            stage.round()
            stage.act(1, Conversation.claim)
            stage.round()
            assert stage.account.flags(1) == {"assigned-carla"}
    stage.round()
    stage.round()
    named = [uid for uid in stage.account.uids() if stage.account.flags(uid) == {"assigned-carla"}]
    assert len(named) == NEWEST
    assert not {1, 2, 3} & set(named)
    stage.account.add_flags(1, "state-pending")
    stage.round()
    with transaction() as session:
        assert (conversation(session, 1).owner, conversation(session, 1).status) == ("carla", "pending")
    stage.round()
    assert stage.account.flags(1) == set()
    assert stage.account.flags(NEWEST + 5) == {"assigned-carla", "state-pending"}


# writes that are not allowed or not needed ----------------------------------------------------------------------------


class OnlyReading(ImapSession):
    """Archive is read-only for us, like a shared folder without the right to write."""

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        return super().select(name, known=known, read_only=read_only or name == "Archive")


def test_a_read_only_folder_stops_nothing_and_gets_its_names_when_it_may(stage: Stage) -> None:
    uid = stage.account.append(mail(message_id="<one@x>"), "Archive")
    stage.account.append(mail(message_id="<two@x>", references="<one@x>"))
    stage.round()
    with linked(stage, OnlyReading.open(stage.account.server)) as link:
        pull(link)
        stage.act(1, Conversation.claim)
        push(link)
        assert stage.account.flags(uid, "Archive") == set()
        assert stage.shown() == {"assigned-carla"}
        with transaction() as session:
            assert not conversation(session, 1).push_needed
        stage.account.add_flags(uid, "state-pending", folder="Archive")
        pull(link)
        with transaction() as session:
            assert conversation(session, 1).status == "pending"
    stage.round()
    assert stage.account.flags(uid, "Archive") == {"assigned-carla", "state-pending"}


def test_a_mapped_name_is_read_written_and_replaces_the_default_one(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.add_flags(stage.uid(), "assigned-ben")
    stage.round()
    with transaction() as session:
        map_name(session, session.get_one(Mailbox, stage.mailbox_id), "todo-ben", "owner", "ben", by=COMMAND)
    stage.act(1, Conversation.close)
    stage.round()
    assert stage.shown() == {"todo-ben", "state-closed"}
    stage.account.remove_flags(stage.uid(), "todo-ben")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).owner is None
    stage.account.add_flags(stage.uid(), "todo-ben")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).owner == "ben"


def test_where_the_server_keeps_no_keywords_only_stars_go_both_ways(stage: Stage) -> None:
    with transaction() as session:
        session.get_one(Mailbox, stage.mailbox_id).mode = Mode.DATABASE
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.act(1, Conversation.star)
    stage.round()
    assert stage.shown() == {"\\Flagged"}
    stage.account.remove_flags(stage.uid(), "\\Flagged")
    stage.account.add_flags(stage.uid(), "assigned-ben")
    stage.round()
    with transaction() as session:
        here = conversation(session, 1)
        assert (here.owner, here.status, here.starred, here.push_needed) == ("carla", "closed", False, False)
