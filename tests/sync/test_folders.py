"""Folders that are renamed, removed, created, refused and watched later: nothing is lost or doubled. On a real
Dovecot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving.thread import mark_gone
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.errors import Invalid
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.inbox.server.health import Health
from app.mail.child import MailParser
from app.mail.errors import Refused
from app.mail.imap import ImapSession
from app.mail.values import FolderInfo, Selected
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.listing import list_folders
from app.sync.pull.pull import pull
from app.sync.push.push import push
from app.worker.service import Service
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.faults.ledger import balance, come_to_rest
from tests.sync.stage import Stage, config, connected, conversation, items, kinds
from tests.waiting import eventually


@pytest.fixture
def stage(any_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """With a watched folder of the team, `Projects`, that holds a mail; once on Maildir, once on sdbox."""
    any_account.create_folder("Projects")
    with connected(any_account, parser, folders=["Projects"]) as stage:
        stage.round()
        any_account.append(mail("First"), "Projects")
        stage.round()
        yield stage


@contextmanager
def linked(stage: Stage, kind: type[ImapSession] = ImapSession) -> Iterator[Link]:
    with kind.open(stage.account.server) as imap:
        yield Link(stage.mailbox_id, imap, stage.parser, stage.account.open, lambda: True)


def rename(stage: Stage, old: str, new: str) -> None:
    stage.account.dovecot.doveadm("mailbox", "rename", "-u", stage.account.user, old, new)


def folder(stage: Stage, name: str) -> Folder | None:
    with transaction() as session:
        return session.scalar(select(Folder).filter_by(mailbox_id=stage.mailbox_id, name=name))


def known(stage: Stage, name: str) -> Folder:
    found = folder(stage, name)
    assert found is not None
    return found


def watch(stage: Stage, name: str, *, watched: bool = True) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        found = session.get_one(Folder, known(stage, name).id)
        (mailbox.watch if watched else mailbox.unwatch)(found, by=COMMAND)


def told(stage: Stage) -> Health:
    with transaction() as session:
        return health.health(session, session.get_one(Mailbox, stage.mailbox_id))


def events(stage: Stage, kind: EventKind) -> list[Event]:
    with transaction() as session:
        return list(session.scalars(select(Event).filter_by(mailbox_id=stage.mailbox_id, kind=kind).order_by(Event.id)))


# announced ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["renamed", "watched"])
def test_mail_in_a_renamed_or_newly_watched_folder_is_announced(
    stage: Stage, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No round begins automatically here: the server announces the change."""
    monkeypatch.setattr("app.worker.service._LOOK_AGAIN", 3600.0)
    stage.account.create_folder("Later")
    with linked(stage) as link:
        list_folders(link)
    service = Service(stage.mailbox_id, config(sync_seconds=3600), stage.parser)
    service.start()
    try:
        stage.account.append(mail("Known"))
        arrives("Known")
        if change == "renamed":
            rename(stage, "Projects", "Work")
        else:
            watch(stage, "Later")
        service.wakeup.set("pull")
        for subject in ("One", "Two", "Three"):  # each listener that begins wakes the worker, and there are two
            stage.account.append(mail(subject), "Work" if change == "renamed" else "Later")
            arrives(subject)
    finally:
        service.stop()
        service.join()


def arrives(subject: str) -> None:
    def is_here() -> bool:
        with transaction() as session:
            return subject in {item.subject for item in items(session)}

    eventually(is_here)


# renamed --------------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_renamed_while_quiet_is_followed_with_all_it_holds(stage: Stage) -> None:
    before = known(stage, "Projects")
    stage.act(1, Conversation.claim)
    stage.round()
    rename(stage, "Projects", "Work")
    stage.round()
    after = known(stage, "Work")
    assert (after.id, after.watched, after.lost_at) == (before.id, True, None)
    assert folder(stage, "Projects") is None
    [event] = events(stage, EventKind.FOLDER_RENAMED)
    assert (event.source, event.before, event.after) == ("system", {"folder": "Projects"}, {"folder": "Work"})
    assert events(stage, EventKind.RESET) == []
    stage.act(1, Conversation.close)
    stage.round()
    assert stage.shown(folder="Work") == {"assigned-carla", "state-closed"}
    balance(stage, 1)


def test_new_mail_and_changes_are_seen_during_a_rename(stage: Stage) -> None:
    stage.act(1, Conversation.claim)
    stage.account.append(mail("Second"), "Projects")
    rename(stage, "Projects", "Work")
    stage.account.append(mail("Third"), "Work")
    stage.account.add_flags(2, "assigned-ben", folder="Work")
    stage.account.add_flags(1, "state-closed", folder="Work")
    come_to_rest(stage)
    with transaction() as session:
        assert {item.subject for item in items(session)} == {"First", "Second", "Third"}
        assert (conversation(session, 1).owner, conversation(session, 1).status) == ("carla", "closed")
        assert conversation(session, 2).owner == "ben"
        assert kinds(session, 1)[-1] == "status"
    stage.act(1, Conversation.release)
    come_to_rest(stage)
    assert stage.shown(folder="Work") == {"state-closed"}
    balance(stage, 3)


def test_a_folder_that_is_renamed_back_and_forth_between_looks_is_the_same(stage: Stage) -> None:
    before = known(stage, "Projects").id
    for old, new in (("Projects", "Work"), ("Work", "Projects"), ("Projects", "Later"), ("Later", "Work")):
        rename(stage, old, new)
        stage.round()
        stage.account.append(mail(f"In {new}"), new)
    stage.round()
    assert known(stage, "Work").id == before
    balance(stage, 5)


def test_folders_below_a_renamed_one_go_along(stage: Stage) -> None:
    stage.account.create_folder("Projects/2026")
    with linked(stage) as link:
        list_folders(link)
    watch(stage, "Projects/2026")
    stage.round()
    stage.account.append(mail("Deep"), "Projects/2026")
    stage.round()
    rename(stage, "Projects", "Work")
    stage.round()
    assert known(stage, "Work/2026").watched
    balance(stage, 2)


class Renaming(ImapSession):
    """The folder is renamed after all folders were looked at."""

    stage: Stage | None = None

    def folders(self) -> list[FolderInfo]:
        if Renaming.stage is not None:
            rename(Renaming.stage, "Projects", "Work")
            Renaming.stage = None
        return super().folders()


def test_a_folder_that_is_renamed_while_it_is_read_is_followed_by_the_next_pull(stage: Stage) -> None:
    stage.account.append(mail("Second"), "Projects")
    with linked(stage, Renaming) as link:
        Renaming.stage = stage
        pull(link)
    stage.round()
    assert known(stage, "Work").watched
    assert events(stage, EventKind.RESET) == []
    balance(stage, 2)


def test_a_move_into_a_folder_that_was_just_renamed_gets_there(stage: Stage) -> None:
    stage.account.append(mail("To be moved"))
    stage.round()
    rename(stage, "Projects", "Work")
    stage.act(2, Conversation.move, known(stage, "Projects"))
    with linked(stage) as link:
        push(link)
    stage.round()
    stage.round()
    assert len(stage.account.uids("Work")) == 2
    balance(stage, 2)


def test_a_folder_of_the_same_name_that_is_made_again_is_watched_beside_the_renamed_one(stage: Stage) -> None:
    stage.account.append(mail("Put away"), "Archive")
    stage.round()
    before = known(stage, "Archive")
    rename(stage, "Archive", "Archive 2026")
    stage.account.append(mail("Put away later"), "Archive")  # this server creates it again automatically
    stage.round()
    stage.round()
    again = known(stage, "Archive")
    assert (known(stage, "Archive 2026").id, known(stage, "Archive 2026").role) == (before.id, None)
    assert (again.watched, again.role) == (True, "archive")
    balance(stage, 3)


def test_a_folder_whose_mails_were_copied_to_a_new_one_is_followed_by_its_mails(stage: Stage) -> None:
    stage.act(1, Conversation.claim)
    stage.round()
    before = known(stage, "Projects").id
    stage.account.create_folder("Work")
    stage.account.copy(1, "Work", "Projects")
    stage.account.delete_folder("Projects")
    come_to_rest(stage)
    assert known(stage, "Work").id == before
    with transaction() as session:
        assert conversation(session, 1).owner == "carla"
    balance(stage, 1)


def test_another_folder_is_not_taken_for_one_that_is_gone(stage: Stage) -> None:
    stage.account.append(mail("Second"), "Projects")
    stage.round()
    stage.account.delete_folder("Projects")
    stage.account.create_folder("Work")
    stage.account.append(mail("Of somebody else"), "Work")
    stage.round()
    assert (known(stage, "Projects").gone, known(stage, "Work").watched) == (True, False)


class SameNumbers(ImapSession):
    """A server with the same UIDVALIDITY for every folder."""

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        return replace(super().select(name, read_only=read_only), uidvalidity=1)


def test_folders_with_the_same_numbers_are_distinguished_by_their_mails(
    account: Account, parser: MailParser, cast: Cast
) -> None:
    account.create_folder("Projects")
    account.append(mail("Ours"), "Projects")
    with connected(account, parser, folders=["Projects"]) as stage, linked(stage, SameNumbers) as link:
        pull(link)
        assert importing.go_on(link)
        pull(link)
        account.create_folder("Other")
        account.append(mail("Of somebody else"), "Other")
        rename(stage, "Projects", "Work")
        pull(link)
        assert (known(stage, "Work").watched, known(stage, "Other").watched) == (True, False)
        account.expunge(1, "Work")
        pull(link)
        account.delete_folder("Work")  # empty: nothing proves which one it was
        account.create_folder("Anew")
        pull(link)
        assert (known(stage, "Work").gone, known(stage, "Anew").watched) == (True, False)


# removed, made, watched -----------------------------------------------------------------------------------------------


def test_a_removed_folder_is_reported_and_a_recreated_one_is_read(stage: Stage) -> None:
    letter = mail("Of a customer")
    stage.account.append(letter, "Projects")
    stage.round()
    stage.account.delete_folder("Projects")
    stage.round()
    stage.round()
    assert (told(stage).lost_folders, told(stage).refused_folders) == (["Projects"], [])
    stage.account.create_folder("Projects")
    stage.account.append(letter, "Projects")
    stage.round()
    stage.round()
    assert told(stage).lost_folders == []
    with transaction() as session:
        live = select(func.count()).select_from(Copy).where(Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
        assert session.scalar(live) == 1
        assert {item.subject for item in items(session)} == {"First", "Of a customer"}


def test_a_new_folder_is_known_and_is_imported_once_it_is_watched_without_a_word_to_the_server(stage: Stage) -> None:
    stage.account.create_folder("New")
    stage.account.append(mail("Assigned long ago"), "New")
    stage.account.add_flags(1, "assigned-ben", folder="New")
    stage.round()
    assert not known(stage, "New").watched
    watch(stage, "New")
    stage.round()
    with transaction() as session:
        assert conversation(session, 2).owner == "ben"
        assert not conversation(session, 2).mirrored
    assert stage.account.flags(1, "New") == {"assigned-ben"}
    stage.round()
    with transaction() as session:
        uids = session.scalars(select(Copy.uid).where(Copy.folder_id == known(stage, "New").id, Copy.gone_at.is_(None)))
        assert list(uids) == stage.account.uids("New")


def test_a_folder_that_is_nobodys_and_goes_is_forgotten(stage: Stage) -> None:
    stage.account.create_folder("Short")
    stage.round()
    assert not known(stage, "Short").watched
    stage.account.delete_folder("Short")
    stage.round()
    assert folder(stage, "Short") is None


def test_mail_in_an_unwatched_folder_is_hidden_until_it_is_watched_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.act(1, Conversation.claim)
    stage.round()
    watch(stage, "Projects", watched=False)
    stage.act(1, Conversation.close)
    stage.round()
    monkeypatch.setattr("app.inbox.conversations.derived.GRACE", -health._HEARTBEAT_LASTS)
    with transaction() as session:
        mark_gone(session)
    monkeypatch.undo()
    with transaction() as session:
        assert conversation(session, 1).place == "gone"
        assert conversation(session, 1).messages[0].subject == "First"
    assert stage.account.flags(1, "Projects") == {"assigned-carla"}
    stage.account.append(mail("While nobody looked"), "Projects")
    stage.round()
    watch(stage, "Projects")
    come_to_rest(stage)
    with transaction() as session:
        assert (conversation(session, 1).place, conversation(session, 1).owner) == ("here", "carla")
        assert {item.subject for item in items(session)} == {"First", "While nobody looked"}
    assert stage.shown(folder="Projects") == {"assigned-carla", "state-closed"}


def test_unwatching_a_folder_stops_its_import_until_it_is_watched_again(
    stage: Stage,
) -> None:
    stage.account.create_folder("Old")
    with stage.account.open() as imap:
        for number in range(100):
            imap.append("Old", mail(f"No {number}"))
    with linked(stage) as link:
        list_folders(link)
        watch(stage, "Old")
        pull(link)

        def stop_watching() -> bool:
            watch(stage, "Old", watched=False)
            return True

        link.between = stop_watching
        assert importing.go_on(link)
    stage.round()
    with transaction() as session:
        lying = select(func.count()).select_from(Copy).where(Copy.folder_id == known(stage, "Old").id)
        assert 0 < (session.scalar(lying) or 0) < 100
        assert session.scalar(lying.where(Copy.gone_at.is_(None))) == 0
    assert (told(stage).state, told(stage).missing, told(stage).unmatched) == ("ok", 0, 0)
    watch(stage, "Old")
    come_to_rest(stage)
    with transaction() as session:
        assert session.scalar(lying.where(Copy.gone_at.is_(None))) == 100
        assert session.scalar(select(func.count()).select_from(Message)) == 101
    assert (told(stage).state, told(stage).missing, told(stage).unmatched) == ("ok", 0, 0)


def test_the_inbox_stays_watched(stage: Stage) -> None:
    with pytest.raises(Invalid):
        watch(stage, "INBOX", watched=False)


# refused --------------------------------------------------------------------------------------------------------------


class NoProjects(ImapSession):
    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        if name == "Projects":
            raise Refused("open a folder", answer="Ask\r\nthe postmaster\x00", code="NOPERM")
        return super().select(name, known=known, read_only=read_only)


def test_a_folder_that_is_refused_is_not_gone_and_the_servers_words_are_kept_out_of_the_history(stage: Stage) -> None:
    stage.act(1, Conversation.claim)
    with linked(stage, NoProjects) as link:
        pull(link)
        push(link)
        pull(link)
    refused = known(stage, "Projects")
    assert (refused.gone, refused.refused, refused.refusal) == (False, True, "Ask the postmaster")
    assert (told(stage).lost_folders, told(stage).refused_folders) == ([], ["Projects"])
    assert (told(stage).waiting_push, told(stage).unmatched) == (1, 0)
    assert events(stage, EventKind.RESET) == []
    come_to_rest(stage)
    assert known(stage, "Projects").refusal is None
    assert stage.shown(folder="Projects") == {"assigned-carla"}
    balance(stage, 1)


class NoList(ImapSession):
    def folders(self) -> list[FolderInfo]:
        return []


class NoWordAboutFolders(ImapSession):
    def folders(self) -> list[FolderInfo]:
        raise Refused("list the folders")


@pytest.mark.parametrize("kind", [NoList, NoWordAboutFolders])
def test_a_server_that_lists_nothing_is_not_believed(stage: Stage, kind: type[ImapSession]) -> None:
    stage.account.create_folder("Unwatched")
    stage.round()
    before = known(stage, "Unwatched").id
    with linked(stage, kind) as link:
        pull(link)
    assert known(stage, "Unwatched").id == before
    balance(stage, 1)
