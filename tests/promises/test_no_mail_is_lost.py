"""Promise 1: no mail is lost. Known copies are the server's UIDs from the start line on, in every watched folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected

FOLDERS = ("INBOX", "Sent", "Junk", "Trash", "Archive")


class Connect(Protocol):
    def __call__(self, **choices: Any) -> AbstractContextManager[Stage]: ...


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture
def connect(account: Account, parser: MailParser, cast: Cast) -> Connect:
    return lambda **choices: connected(account, parser, **choices)


def filled(account: Account) -> None:
    """Three mails in every folder, one of them not a real mail."""
    for folder in FOLDERS:
        for number in range(2):
            account.append(mail(f"{folder} {number}"), folder)
        account.append(b"\xff\x00\r\n\r\n", folder)


def assert_nothing_is_missing(stage: Stage, left_out: int = 0) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        watched = [folder for folder in mailbox.folders if folder.watched]
        assert {folder.name for folder in watched} == set(FOLDERS)
        for folder in watched:
            known = session.scalars(
                select(Copy.uid)
                .where(Copy.folder_id == folder.id, Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
                .order_by(Copy.uid)
            )
            there = stage.account.uids(folder.name)
            assert list(known) == [uid for uid in there if uid >= folder.start_uid], folder.name
            assert folder.left_out == sum(uid < folder.start_uid for uid in there), folder.name
        told = health.health(session, mailbox)
        assert (told.missing, told.unmatched, told.left_out) == (0, 0, left_out)


def test_everything_is_known_after_the_import_and_after_whatever_clients_do(account: Account, connect: Connect) -> None:
    filled(account)
    with connect() as stage:
        stage.round()
        assert_nothing_is_missing(stage)
        account.append(mail("New"))
        account.expunge(account.uids("Archive")[0], "Archive")
        account.move(account.uids("INBOX")[0], "Archive")
        account.move(account.uids("Sent")[0], "Trash", "Sent")
        account.copy(account.uids("INBOX")[0], "Junk")
        stage.round()
        assert_nothing_is_missing(stage)
        account.append(mail("Newer"), "Archive")
        account.expunge(account.uids("Archive")[-1], "Archive")  # it came and disappeared unseen
        stage.round()
        assert_nothing_is_missing(stage)


def test_mails_moved_by_members_stay_known(account: Account, connect: Connect) -> None:
    filled(account)
    with connect() as stage:
        stage.round()
        with transaction() as session:
            numbers = list(session.scalars(select(Conversation.number).filter_by(mailbox_id=stage.mailbox_id)))
        for number in numbers[::2]:
            stage.act(number, Conversation.mark_spam)
        stage.round()
        stage.round()
        assert_nothing_is_missing(stage)
        for number in numbers[::4]:
            stage.act(number, Conversation.reopen)
        stage.round()
        stage.round()
        assert_nothing_is_missing(stage)


def test_only_mails_before_the_start_line_are_left_out_and_counted(account: Account, connect: Connect) -> None:
    filled(account)
    with connect(import_choice="new") as stage:
        account.append(mail("After connecting, before the first round"))
        stage.round()
        assert_nothing_is_missing(stage, left_out=15)
        account.append(mail("New"), "Archive")
        account.expunge(account.uids("INBOX")[0])
        account.move(account.uids("INBOX")[0], "Archive")  # old, but new there
        stage.round()
        assert_nothing_is_missing(stage, left_out=13)


def test_an_import_since_a_day_leaves_out_older_mail(account: Account, connect: Connect) -> None:
    with account.open() as imap:
        for day in (1, 5, 9):
            imap.append("INBOX", mail(f"Of day {day}"), internaldate=dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC))
    account.append(mail("Of today"))
    with connect(import_choice="since", import_since=dt.datetime(2026, 11, 4, tzinfo=dt.UTC)) as stage:
        stage.round()
        assert_nothing_is_missing(stage, left_out=1)
        account.expunge(account.uids()[0])
        account.append(mail("New"))
        stage.round()
        assert_nothing_is_missing(stage)
