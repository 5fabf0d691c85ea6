"""Promise 7: the mailbox is the backup of the team's state. The database is lost, and a new one has only the server's
content, on Maildir and on sdbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from local.postgres import LocalPostgres
from tests.cast import Cast
from tests.commands.conftest import Run, run_on
from tests.database import new_database
from tests.dovecot import PASSWORD, Account, mail
from tests.sync.stage import Stage, connected
from tests.worker.process import worker

LOST = "Shop"
State = dict[str, tuple[Any, ...]]


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture
def worked_in(any_account: Account, parser: MailParser, cast: Cast) -> Account:
    """A mailbox in which the team has worked, with all of it on the server."""
    for subject in ("bare", "claimed", "closed", "pending", "snoozed", "spam", "tagged", "both", "zoe"):
        any_account.append(mail(subject))
    with connected(any_account, parser, name=LOST) as stage:
        stage.round()
        with transaction() as session:
            box = session.get_one(Mailbox, stage.mailbox_id)
            numbers = {c.subject: c.number for c in session.scalars(select(Conversation).filter_by(mailbox=box))}
        act(stage, numbers)
        stage.account.add_flags(stage.uid(numbers["zoe"]), "assigned-zoe", "von-hand")
        stage.account.append(mail("Re: both", in_reply_to="<both@c.example>"), "Archive")
        stage.round()
        stage.round()
    return any_account


def act(stage: Stage, numbers: dict[str, int]) -> None:
    stage.act(numbers["claimed"], Conversation.claim)
    stage.act(numbers["closed"], Conversation.close)
    stage.act(numbers["pending"], Conversation.set_pending)
    stage.act(numbers["snoozed"], Conversation.snooze)
    stage.act(numbers["spam"], Conversation.mark_spam)
    stage.act(numbers["tagged"], Conversation.tag, "billing", by="ben")
    stage.act(numbers["both"], Conversation.claim, by="ben")
    stage.act(numbers["both"], Conversation.tag, "urgent", by="ben")
    stage.act(numbers["both"], Conversation.star)
    stage.act(numbers["both"], Conversation.close)


def state() -> State:
    """Subject -> owner, status, star, tags."""
    with transaction() as session:
        found = session.scalars(select(Conversation).join(Mailbox).where(Mailbox.name == LOST)).all()
        return {c.subject: (c.owner, c.status, c.starred, sorted(tag.name for tag in c.tags)) for c in found}


@contextmanager
def new_machine(postgres: LocalPostgres, template: str, home: Path) -> Iterator[tuple[Run, str]]:
    """An empty database, and the commands on it."""
    with new_database(postgres, template) as url:
        engine = db.connect(url)
        try:
            yield run_on(url, home), url
        finally:
            engine.dispose()


def set_up(run: Run, account: Account, *members: str) -> None:
    for handle in members:
        done(run("member", "add", handle, "--name", handle.title(), "--email", f"{handle}@halden.example"))
    server = ("--imap", f"127.0.0.1:{account.dovecot.port}", "--imap-security", "none", "--user", account.user)
    added = ("--address", "support@example.com", *server, "--password-stdin")
    done(run("mailbox", "add", LOST, *added, input=f"{PASSWORD}\n"))
    for handle in members:
        done(run("mailbox", "grant", LOST, handle, "agent"))


def done(result: Any) -> str:
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_owners_statuses_stars_and_tags_come_back_from_the_server(
    worked_in: Account, postgres: LocalPostgres, template: str, tmp_path: Path
) -> None:
    before = state()
    assert before["both"] == ("ben", "closed", True, ["urgent"])
    with new_machine(postgres, template, tmp_path) as (run, _):
        set_up(run, worked_in, "ben", "carla")
        said = done(run("mailbox", "rebuild", LOST))
        assert state() == before
        assert "1 owned by “zoe”" in said
        assert "the end of 1 snooze, now 09:00" in said
        assert "notes, history" in said
        assert "no differences" in done(run("mailbox", "drift", LOST))
        done(run("member", "add", "zoe", "--name", "Zoe", "--email", "zoe@halden.example"))
        done(run("mailbox", "grant", LOST, "zoe", "agent"))
        with transaction() as session:
            [hers] = session.scalars(select(Conversation).where(Conversation.subject == "zoe"))
            assert hers.assignee is not None


def test_where_a_worker_runs_the_command_waits_for_its_import(
    worked_in: Account, postgres: LocalPostgres, template: str, tmp_path: Path
) -> None:
    before = state()
    with new_machine(postgres, template, tmp_path) as (run, url), worker(url, tmp_path):
        set_up(run, worked_in, "ben", "carla")
        done(run("mailbox", "rebuild", LOST, "--yes"))
        assert state() == before


@pytest.fixture
def acted(account: Account, parser: MailParser, cast: Cast, database: str, tmp_path: Path) -> Iterator[Run]:
    """Carla has claimed and closed a conversation, and the server does not have it yet."""
    account.append(mail("hers"))
    with connected(account, parser, name=LOST) as stage:
        stage.round()
        stage.act(1, Conversation.claim)
        stage.act(1, Conversation.close)
        yield run_on(database, tmp_path)


HERS: State = {"hers": ("carla", "closed", False, [])}
SERVERS: State = {"hers": (None, "open", False, [])}


@pytest.mark.parametrize(("answer", "then"), [("n\n", HERS), ("", HERS), ("y\n", SERVERS)])
def test_members_changes_are_given_up_only_after_confirmation(acted: Run, answer: str, then: State) -> None:
    result = acted("mailbox", "rebuild", LOST, input=answer)
    assert "Members have changed 1 conversation" in result.stderr
    done(result)
    assert state() == then


def test_yes_answers_before_the_question(acted: Run) -> None:
    assert done(acted("mailbox", "rebuild", LOST, "--yes"))
    assert state() == SERVERS
