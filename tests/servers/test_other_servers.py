"""Signalbox on servers of other makes: Cyrus, and Courier, which reports no UIDNEXT and moves by copying."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import mail
from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.ledger import Fate, balance, come_to_rest
from tests.servers.client import ClientAccount
from tests.servers.conftest import MAKES, There, differences, how
from tests.sync.modes import all_at_goal, change_mode, number_of
from tests.sync.stage import connected, conversation

pytestmark = pytest.mark.faults

on_each = pytest.mark.parametrize("make", MAKES)

#: Subject -> owner, status, and the keywords of each copy in its folder after a day.
A_DAY = {
    "claimed": ("carla", "open", [("INBOX", {"assigned-carla"})]),
    "closed": ("carla", "open", [("INBOX", {"assigned-carla"})] * 2),  # the customer answered
    "tagged": (None, "pending", [("INBOX", {"billing", "state-pending"})]),
    "spam": (None, "spam", [("Junk", {"$Junk"})]),
    "moved": (None, "open", [("Archive", set())]),
    "assigned": ("ben", "pending", [("INBOX", {"assigned-ben", "state-pending"})]),
    "released": (None, "open", [("INBOX", set())]),
    "starred": (None, "open", [("INBOX", {"\\Flagged", "billing"})]),
    "new": (None, "open", [("INBOX", set())]),
}
#: Names that cause trouble for other servers or parsers. Courier accepts no dot in a name; "/" separates.
ODD = ("With space", "Müller & Söhne", "客户/投诉", "two  spaces", "[x]", "NIL", "trailing ")


def in_agreement(stage: There, delivered: int) -> None:
    """Every count is the same on both sides, and a comparison by an administrator finds nothing."""
    come_to_rest(stage)
    balance(stage, delivered)
    assert differences(stage) == []


def outcome(stage: There, fate: Fate) -> tuple[str | None, str, list[tuple[str, set[str]]]]:
    prefix = stage.account.other.prefix
    copies = [(folder.removeprefix(prefix), set(names)) for folder, names in fate.copies]
    return fate.owner, fate.status, copies


@on_each
def test_after_a_day_of_members_and_clients_both_sides_are_as_on_any_server(stage: There) -> None:
    days = Days(stage)
    assert {name: outcome(stage, fate) for name, fate in days.whole().items()} == A_DAY
    in_agreement(stage, days.delivered)
    if LONG:
        assert {name: outcome(stage, fate) for name, fate in days.whole().items()} == A_DAY
        in_agreement(stage, days.delivered)


@on_each
def test_the_report_is_true_and_the_import_misses_nothing(
    make: str, other_account: ClientAccount, parser: MailParser, cast: Cast
) -> None:
    before = other_account.folder_names()
    with other_account.client() as client:
        for number in range(300 if LONG else 30):
            client.append(other_account.spelt("Archive" if number % 3 else "INBOX"), mail(f"No {number}"))
    with connected(other_account, parser) as stage:
        come_to_rest(stage)
        with transaction() as session:
            report = session.get_one(Mailbox, stage.mailbox_id).report["capabilities"]
            messages = session.scalar(select(func.count()).where(Message.mailbox_id == stage.mailbox_id))
        assert messages == (300 if LONG else 30)
        assert (how(stage).state, how(stage).missing) == ("ok", 0)
        assert differences(stage) == []
    assert {name: report[name] for name in ("keywords", "keywords_travel", "uidplus", "condstore", "move")} == {
        "keywords": True,
        "keywords_travel": True,
        "uidplus": True,
        "condstore": make == "cyrus",
        "move": make == "cyrus",
    }
    assert other_account.folder_names() == before  # those of the probe are gone


def test_a_mail_moved_to_and_fro_by_us_and_by_a_client_keeps_its_names(stage: There) -> None:
    stage.account.append(mail("There and back"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.tag, "billing", by="ben")
    stage.round()
    for _ in range(3 if LONG else 1):
        with transaction() as session:
            archive = next(f for f in conversation(session, 1).mailbox.folders if f.role == "archive")
        stage.act(1, Conversation.move, archive)
        come_to_rest(stage)
        assert stage.shown(folder="Archive") == {"assigned-carla", "billing"}
        stage.account.move(stage.uid(folder="Archive"), "INBOX", folder="Archive")
        come_to_rest(stage)
        assert stage.shown() == {"assigned-carla", "billing"}
        stage.account.move(stage.uid(), "Trash")
        come_to_rest(stage)
        assert (stage.account.uids(), stage.shown(folder="Trash")) == ([], {"assigned-carla", "billing"})
        stage.account.move(stage.uid(folder="Trash"), "INBOX", folder="Trash")
        come_to_rest(stage)
    assert stage.account.uids("Trash") == stage.account.uids("Archive") == []
    in_agreement(stage, 1)


def test_a_mark_as_deleted_is_trash_and_an_expunge_leaves_a_readable_conversation(stage: There) -> None:
    """The folder becomes empty, and is then not searched."""
    stage.account.append(mail("Goes"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    stage.account.add_flags(stage.uid(), "\\Deleted")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).place == "trash"
    stage.account.expunge(stage.uid())
    come_to_rest(stage)
    stage.round()
    with transaction() as session:
        gone = conversation(session, 1)
        assert (gone.owner, gone.subject) == ("carla", "Goes")
        assert not [copy for message in gone.messages for copy in message.copies if copy.live]
    stage.account.append(mail("Comes"))
    in_agreement(stage, 2)


def test_folders_of_any_name_are_watched_and_moved_into_and_out_of(
    other_account: ClientAccount, parser: MailParser, cast: Cast
) -> None:
    names = ODD if LONG else ODD[:2]
    for number, name in enumerate(names):
        other_account.create_folder(name)
        other_account.append(mail(f"In {number}"), name)
    spelt = [other_account.spelt(name) for name in names]
    with connected(other_account, parser, folders=spelt) as stage:
        come_to_rest(stage)
        assert set(other_account.folder_names()) >= set(spelt)
        for number, name in enumerate(names):
            talk = number_of(f"In {number}")
            stage.act(talk, Conversation.claim)
            come_to_rest(stage)
            assert stage.shown(talk, name) == {"assigned-carla"}
            other_account.move(stage.uid(talk, name), "INBOX", folder=name)
            come_to_rest(stage)
            assert stage.shown(talk) == {"assigned-carla"}
            with transaction() as session:
                target = next(
                    f for f in conversation(session, talk).mailbox.folders if f.name == other_account.spelt(name)
                )
            stage.act(talk, Conversation.move, target)
            come_to_rest(stage)
            assert stage.shown(talk, name) == {"assigned-carla"}
        assert differences(stage) == []
        assert (how(stage).state, how(stage).refused_folders) == ("ok", [])


def test_while_the_server_is_away_members_go_on_and_it_is_written_when_it_is_back(stage: There) -> None:
    stage.account.append(mail("Waits"))
    come_to_rest(stage)
    stage.account.other.stop()
    try:
        stage.act(1, Conversation.claim)
        assert stage.service().once(30) is not None
        assert (how(stage).state, how(stage).waiting_push) == ("failing", 1)
        stage.act(1, Conversation.close)
    finally:
        stage.account.other.start()
    stage.account.append(mail("Came meanwhile"))
    come_to_rest(stage)
    assert stage.shown() == {"assigned-carla", "state-closed"}
    in_agreement(stage, 2)


def test_the_state_moves_into_the_database_and_back(stage: There) -> None:
    stage.account.append(mail("Stays", message_id="<stays@x>"))
    come_to_rest(stage)
    stage.act(1, Conversation.claim)
    come_to_rest(stage)
    change_mode(stage, Mode.DATABASE)
    stage.act(1, Conversation.close)
    come_to_rest(stage)
    assert stage.shown() == {"assigned-carla"}
    stage.act(1, Conversation.reopen)
    change_mode(stage, Mode.KEYWORDS)
    come_to_rest(stage)
    stage.act(1, Conversation.set_pending)
    come_to_rest(stage)
    assert stage.shown() == {"assigned-carla", "state-pending"}
    assert all_at_goal(stage)
    in_agreement(stage, 1)
