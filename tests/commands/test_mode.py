"""`flask mailbox mode`: the storage mode of a mailbox, as people and programs see it. tests/sync/test_modes.py tests
the consequences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from local.places import free_port
from tests.cast import Cast
from tests.commands.conftest import Run, run_on
from tests.dovecot import Account, mail
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.sync.stage import Stage, connected


@pytest.fixture
def stage(account: Account, cast: Cast) -> Iterator[Stage]:
    account.append(mail("Hello"))
    with MailParser() as parser, connected(account, parser) as stage:
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        yield stage


@pytest.fixture
def run(stage: Stage, database: str, tmp_path: Path) -> Run:
    return run_on(database, tmp_path)


def test_to_the_database_and_back_each_step_explains_the_next(run: Run, stage: Stage) -> None:
    assert run("mailbox", "mode", "shop", "keywords").stdout == "Shop: already in this mode.\n"
    assert "Keywords on the server stay as they are." in run("mailbox", "mode", "Shop", "database").stdout
    stage.round()
    checked = run("mailbox", "check", "Shop").stdout
    assert "State is kept in Postgres only: other mail clients" in checked
    assert "Note: the server keeps keywords, but this mailbox does not use them" in checked
    assert "keywords_possible" in json.loads(run("mailbox", "check", "Shop", "--json").stdout)["warnings"]
    stage.account.add_flags(stage.uid(), "state-closed")
    assert "Returning" not in run("mailbox", "list").stdout
    with transaction() as session:  # a missing server for outgoing mail has nothing to do with keywords
        box = session.get_one(Mailbox, stage.mailbox_id)
        box.smtp_host, box.smtp_port, box.smtp_security = "127.0.0.1", free_port(), "none"
    assert "the worker compares both sides" in run("mailbox", "mode", "Shop", "keywords").stdout
    assert "  Returning from mode database to keywords: a worker tests" in run("mailbox", "list").stdout
    run("mailbox", "pause", "Shop")
    assert "  Returning from mode database to keywords: resume it" in run("mailbox", "list").stdout
    assert json.loads(run("mailbox", "list", "--json").stdout)[1]["mode"] == "database"
    run("mailbox", "resume", "Shop")
    early = run("mailbox", "drift", "Shop")
    assert (early.exit_code, early.stderr.count("\n")) == (1, 1)
    stage.round()
    assert "Returning" not in run("mailbox", "list").stdout
    assert "status: closed on the server, open here" in run("mailbox", "drift", "Shop").stdout
    assert "1 copy counts as the server shows it" in run("mailbox", "drift", "Shop", "--take-theirs").stdout
    assert "no differences" in run("mailbox", "drift", "Shop").stdout
    assert "keywords_possible" not in run("mailbox", "check", "Shop", "--json").stdout


def test_an_impossible_mode_is_reported_in_one_line(run: Run, stage: Stage) -> None:
    for asked, code in ((("Nowhere", "database"), 1), (("Shop", "both"), 2), (("Shop",), 2)):
        done = run("mailbox", "mode", *asked)
        assert (done.exit_code, done.stdout) == (code, "")
    assert "There is no mailbox" in run("mailbox", "mode", "Nowhere", "database").stderr


def test_a_server_without_keywords_cannot_store_the_state(cast: Cast, database: str, tmp_path: Path) -> None:
    run = run_on(database, tmp_path)
    with (
        account_with_rights(READ_AND_SEEN_ONLY) as account,
        MailParser() as parser,
        connected(account, parser) as stage,
    ):
        done = run("mailbox", "mode", "Shop", "keywords")
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert "The server of Shop keeps no keywords" in done.stderr
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            assert (mailbox.mode, mailbox.returning) == ("database", False)
            mailbox.mode = "keywords"
        assert "the server no longer keeps any" in run("mailbox", "check", "Shop").stdout
