"""Errors of the database: one that repeats is reported as a failure, not waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving.deferral import ask_again
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected
from tests.waiting import eventually

#: The error of Postgres for a statement that took longer than `statement_timeout`.
_TAKES_TOO_LONG = """
CREATE FUNCTION takes_too_long() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE query_canceled USING MESSAGE = 'canceling statement due to statement timeout'; END $$;
CREATE TRIGGER takes_too_long BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION takes_too_long();
"""
#: The error of Postgres for a mail with more different words than an index entry holds.
_IS_TOO_MUCH = """
CREATE FUNCTION is_too_much() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE program_limit_exceeded USING MESSAGE = 'string is too long for tsvector'; END $$;
CREATE TRIGGER is_too_much BEFORE INSERT ON message FOR EACH ROW WHEN (NEW.subject = 'Much')
  EXECUTE FUNCTION is_too_much();
"""


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def test_a_statement_that_always_takes_too_long_is_reported_as_a_failure(stage: Stage) -> None:
    stage.account.append(mail())
    with transaction() as session:
        session.execute(text(_TAKES_TOO_LONG))
    service = stage.service()
    service.start()
    try:
        eventually(lambda: _told(stage) == ("failing", "internal"))
    finally:
        service.stop()
        service.join()
    with transaction() as session:
        assert "statement timeout" in (session.get_one(Mailbox, stage.mailbox_id).error_text or "")


def _told(stage: Stage) -> tuple[str, str | None]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        return mailbox.state, mailbox.error_code


def test_a_mail_that_postgres_cannot_take_stops_no_round_and_is_read_when_it_can(stage: Stage) -> None:
    with transaction() as session:
        session.execute(text(_IS_TOO_MUCH))
    for subject in ("First", "Much", "Last"):
        stage.account.append(mail(subject))
    stage.pull()
    assert _subjects(stage) == {"First": False, "": True, "Last": False}
    _read_all_again(stage)
    stage.pull()
    assert _subjects(stage) == {"First": False, "": True, "Last": False}
    with transaction() as session:
        session.execute(text("DROP TRIGGER is_too_much ON message"))
    _read_all_again(stage)
    stage.pull()
    assert _subjects(stage) == {"First": False, "Much": False, "Last": False}


def _subjects(stage: Stage) -> dict[str, bool]:
    """Subject -> whether the mail is unreadable."""
    with transaction() as session:
        mails = select(Message.subject, Message.unreadable).where(Message.mailbox_id == stage.mailbox_id)
        return {row.subject: row.unreadable for row in session.execute(mails)}


def _read_all_again(stage: Stage) -> None:
    with transaction() as session:
        ask_again(session.get_one(Mailbox, stage.mailbox_id), by=COMMAND)
