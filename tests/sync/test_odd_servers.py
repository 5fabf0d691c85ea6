"""Servers that violate the standard: they refuse, skip messages, forget keywords. Dovecot, made to behave like them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Attachment
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import download, health
from app.inbox.server.download import Download
from app.inbox.server.retrying import resume
from app.mail.child import MailParser
from app.mail.errors import Broken, OverQuota, Refused, Unreachable
from app.mail.imap import ImapSession
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.pull import pull
from app.sync.push.downloads import fetch_downloads
from app.sync.push.push import push
from tests.cast import Cast
from tests.conftest import Clock
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation, items, last_event


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


@contextmanager
def linked(stage: Stage, kind: type[ImapSession]) -> Iterator[Link]:
    with kind.open(stage.account.server) as imap:
        yield Link(stage.mailbox_id, imap, stage.parser, stage.account.open, lambda: True)


def folder(stage: Stage, name: str) -> Folder:
    with transaction() as session:
        return session.scalars(select(Folder).filter_by(mailbox_id=stage.mailbox_id, name=name)).one()


# folders it does not show ---------------------------------------------------------------------------------------------


class NoArchive(ImapSession):
    refused = "Archive"

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        if name == self.refused:
            raise Refused("open a folder", code="NOPERM")
        return super().select(name, known=known, read_only=read_only)


class NoInbox(NoArchive):
    refused = "INBOX"


def test_a_folder_that_is_refused_stops_no_other(stage: Stage) -> None:
    stage.account.append(mail("Put away"), "Archive")
    with linked(stage, NoArchive) as link:
        pull(link)
        assert importing.go_on(link)
        stage.account.append(mail("New"))
        pull(link)
    with transaction() as session:
        assert {item.subject for item in items(session)} == {"New"}
    assert folder(stage, "Archive").lost_at is not None
    stage.round()
    with transaction() as session:
        assert {item.subject for item in items(session)} == {"New", "Put away"}
    assert folder(stage, "Archive").lost_at is None


def test_a_refused_inbox_is_reported_after_the_others_were_read(stage: Stage) -> None:
    stage.round()
    stage.account.append(mail("Put away"), "Archive")
    with linked(stage, NoInbox) as link, pytest.raises(Refused):
        pull(link)
    with transaction() as session:
        assert {item.subject for item in items(session)} == {"Put away"}


def test_mail_of_a_missing_folder_waits_a_day_and_blocks_no_push(stage: Stage) -> None:
    letter = mail("Put away")
    stage.account.append(letter, "Archive")
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    stage.account.delete_folder("Archive")
    stage.act(1, Conversation.close)
    stage.round()
    with transaction() as session:
        [lost] = session.scalars(select(Copy))
        assert (lost.gone_at, lost.unmatched_since is not None) == (None, True)
        assert health.health(session, session.get_one(Mailbox, stage.mailbox_id)).waiting_push == 0
    stage.account.append(letter, "Archive")  # this server creates it again automatically
    stage.round()
    stage.round()
    assert stage.shown(folder="Archive") == {"assigned-carla", "state-closed"}


def test_changes_in_a_hidden_folder_are_not_dated_to_the_last_round(stage: Stage) -> None:
    stage.account.append(mail(), "Archive")
    stage.round()
    with linked(stage, NoArchive) as link:
        pull(link)
    stage.account.add_flags(1, "assigned-ben", folder="Archive")
    changed = now()
    with transaction() as session:
        session.get_one(Mailbox, stage.mailbox_id).last_round_at = changed
    stage.round()
    with transaction() as session:
        event = last_event(session, 1)
        assert event.kind == "assigned"
        assert event.not_before is not None
        assert event.not_before < changed


# mails it does not report ---------------------------------------------------------------------------------------------


class Forgetful(ImapSession):
    """It skips a UID in the answer for a range."""

    def uids(self, low: int = 1, high: int | None = None) -> list[int]:
        return [uid for uid in super().uids(low, high) if high is None or uid != 2]


def test_a_mail_missed_by_the_import_is_read_later_and_reopens_nothing(stage: Stage) -> None:
    stage.account.append(mail(message_id="<one@x>"))
    stage.account.append(mail(message_id="<two@x>", references="<one@x>"))
    stage.account.append(mail(message_id="<three@x>", references="<one@x>"))
    with linked(stage, Forgetful) as link:
        pull(link)
        assert importing.go_on(link)
        with transaction() as session:
            assert conversation(session, 1).message_count == 2
        stage.act(1, Conversation.close)
        pull(link)
    with transaction() as session:
        assert (conversation(session, 1).message_count, conversation(session, 1).status) == (3, "closed")
    assert folder(stage, "INBOX").missing == 0


# keywords it does not keep --------------------------------------------------------------------------------------------


class Bare(ImapSession):
    """A move loses the keywords."""

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        left, moved = self.selected, super().move(uids, folder)
        assert left is not None
        assert moved is not None
        self.select(folder)
        self.remove(moved.values(), sorted({flag for row in self.flags(moved.values()) for flag in row.flags}))
        self.select(left)
        return moved


def test_names_that_do_not_travel_with_a_move_of_ours_are_written_again(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    stage.act(1, Conversation.mark_spam)
    with linked(stage, Bare) as link:
        push(link)
        assert stage.account.flags(1, "Junk") == set()
        with transaction() as session:
            assert not conversation(session, 1).push_needed
        pull(link)
        with transaction() as session:
            assert (conversation(session, 1).owner, conversation(session, 1).status) == ("carla", "spam")
        push(link)
    assert stage.account.flags(1, "Junk") == {"assigned-carla", "$Junk"}


class Strict(ImapSession):
    """It accepts no tag."""

    error = Refused("change flags")

    def add(self, uids: Iterable[int], names: Sequence[str]) -> None:
        if "billing" in names:
            raise self.error
        super().add(uids, names)


class Full(Strict):
    error = OverQuota("change flags")


def test_a_name_that_is_refused_takes_no_other_along_and_is_given_up_until_asked_for(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.tag, "billing", by="ben")
    with linked(stage, Strict) as link:
        push(link)
        assert stage.shown() == {"assigned-carla"}
        with transaction() as session:
            assert conversation(session, 1).push_needed
        push(link)
        push(link)
        push(link)
        stage.act(1, Conversation.close)
        push(link)
    assert stage.shown() == {"assigned-carla", "state-closed"}
    with transaction() as session:
        assert not conversation(session, 1).push_needed
        box = session.get_one(Mailbox, stage.mailbox_id)
        assert health.health(session, box).refused == 1
        resume(box, by=COMMAND)
    stage.round()
    assert stage.shown() == {"assigned-carla", "state-closed", "billing"}


def test_a_server_that_cannot_write_for_a_while_is_tried_again_and_again(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.tag, "billing", by="ben")
    with linked(stage, Full) as link:
        for _ in range(4):
            push(link)
            pull(link)
    stage.round()
    assert stage.shown() == {"billing"}


class Staying(ImapSession):
    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        raise Refused("move messages", code="NOPERM")


def test_a_forbidden_move_is_given_up_and_reported_at_once(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    with transaction() as session:
        assert conversation(session, 1).place == "trash"
    with linked(stage, Staying) as link:
        push(link)
    with transaction() as session:
        assert (conversation(session, 1).place, conversation(session, 1).push_needed) == ("here", False)
        told = last_event(session, 1)
        assert (told.kind, told.source, told.after) == ("moved", "system", {"folder": "INBOX"})


class Moody(ImapSession):
    """Refuses to move now, without a reason."""

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        raise Refused("move messages", answer="Internal error")


def refuse_to_move(stage: Stage, times: int) -> None:
    with linked(stage, Moody) as link:
        for _ in range(times):
            push(link)
            pull(link)


def test_a_move_that_is_refused_twice_is_tried_again(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    refuse_to_move(stage, 2)
    stage.round()
    assert stage.shown(folder="Trash") == set()
    with transaction() as session:
        assert (conversation(session, 1).place, conversation(session, 1).push_needed) == ("trash", False)
        assert last_event(session, 1).source == "web"


def test_a_move_rejected_three_times_in_a_row_is_given_up_and_reported(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    refuse_to_move(stage, 3)
    with transaction() as session:
        assert (conversation(session, 1).place, conversation(session, 1).push_needed) == ("here", False)
        told = last_event(session, 1)
        assert (told.kind, told.source, told.after) == ("moved", "system", {"folder": "INBOX"})


def test_a_move_that_was_given_up_or_gave_way_to_another_says_nothing_of_the_next(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    refuse_to_move(stage, 3)
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    refuse_to_move(stage, 2)
    stage.act(1, Conversation.move, folder(stage, "Archive"))
    refuse_to_move(stage, 2)
    stage.round()
    assert stage.shown(folder="Archive") == set()


# changes during a look ------------------------------------------------------------------------------------------------


class Late(ImapSession):
    """A client moves a mail into Junk between our looks at INBOX and at Junk."""

    account: Account | None = None

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        if name == "Junk" and self.account is not None:
            self.account.move(1, "Junk")
            type(self).account = None
        return super().select(name, known=known, read_only=read_only)


def test_a_move_into_junk_while_we_look_is_spam_all_the_same(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    Late.account = stage.account
    with linked(stage, Late) as link:
        pull(link)
        pull(link)
    with transaction() as session:
        assert conversation(session, 1).status == "spam"


def test_urgent_work_is_done_between_the_mails_of_an_outage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sync.look.arrivals._BATCH", 2)
    stage.round()
    for number in range(5):
        stage.account.append(mail(f"No {number}"))
    with linked(stage, ImapSession) as link:
        turns = []

        def between() -> bool:
            turns.append(link.imap.select("Archive"))
            return True

        link.between = between
        pull(link)
    assert len(turns) == 3
    with transaction() as session:
        assert len(items(session)) == 5


# files it cannot deliver ----------------------------------------------------------------------------------------------


class Garbled(ImapSession):
    """It breaks the protocol when a part is fetched; counts how often."""

    asked = 0

    def fetch_part(self, uid: int, part: str) -> bytes:
        type(self).asked += 1
        raise Broken("The mail server said something that is not IMAP.")


def wanted(stage: Stage, part: str) -> int:
    """A page asked for this part of the only mail."""
    Garbled.asked = 0
    stage.account.append(mail())
    stage.round()
    with transaction() as session:
        return download.ask(session, conversation(session, 1).messages[0], part).id


def test_a_file_that_breaks_the_connection_is_asked_for_once(stage: Stage) -> None:
    asked = wanted(stage, "2")
    for _ in range(2):
        with linked(stage, Garbled) as link, suppress(Broken):
            fetch_downloads(link)
    assert Garbled.asked == 1
    with transaction() as session:
        assert session.get_one(Download, asked).error == "refused"


class HangsUp(Garbled):
    """It ends the connection when a part is fetched."""

    def fetch_part(self, uid: int, part: str) -> bytes:
        type(self).asked += 1
        raise Unreachable("The connection to the mail server broke.")


def test_a_file_at_which_the_connection_breaks_is_tried_again_and_given_up_at_last(stage: Stage, clock: Clock) -> None:
    asked, HangsUp.asked = wanted(stage, "2"), 0
    for tries in range(1, Download.MOST_TRIES + 1):
        with linked(stage, HangsUp) as link, suppress(Unreachable):
            fetch_downloads(link)
            fetch_downloads(link)
        assert HangsUp.asked == tries
        clock.pass_(minutes=15)
    with linked(stage, HangsUp) as link:
        fetch_downloads(link)
    assert HangsUp.asked == Download.MOST_TRIES
    with transaction() as session:
        assert session.get_one(Download, asked).error == "refused"


def test_a_file_that_is_too_large_is_not_fetched_and_any_number_are_answered(stage: Stage) -> None:
    wanted(stage, "2")
    stage.account.expunge(1)
    with transaction() as session:
        message = conversation(session, 1).messages[0]
        session.add(Attachment(message_id=message.id, part="2", filename="", type="", size=1 << 30, encoding=""))
        for number in range(3, 30):
            download.ask(session, message, str(number))
    with linked(stage, Garbled) as link:
        fetch_downloads(link)
    with transaction() as session:
        answers = session.scalars(select(Download.error).order_by(Download.id)).all()
        assert answers == ["too large"] + ["gone"] * 27
    assert Garbled.asked == 0
