from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app import db
from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.mailboxes.mailbox import Mailbox
from app.secrets import seal
from config import Config
from tests.cast import Cast, add_mailbox, conversation, fall_behind
from tests.commands.conftest import Run
from tests.commands.test_settings import flask


@pytest.fixture
def healthy(database: str, config: Config) -> Mailbox:
    """A mailbox that a worker serves, with a password of this installation."""
    with transaction() as session:
        mailbox = add_mailbox(session, "Support", "help@halden.example", last_round_at=now(), holder_beat_at=now())
        mailbox.set_password("imap", "a password", lambda document: seal(document, config.seal_public_key))
    return mailbox


def change(mailbox: Mailbox, **fields: Any) -> None:
    with transaction() as session:
        held = session.get_one(Mailbox, mailbox.id)
        for name, value in fields.items():
            setattr(held, name, value)


def checks(run: Run, status: int) -> dict[str, tuple[bool, str]]:
    done = run("doctor", "--json")
    assert done.exit_code == status, done.output
    document = json.loads(done.stdout)
    assert document["ok"] is (status == 0)
    return {check["name"]: (check["ok"], check["message"]) for check in document["checks"]}


def test_a_new_installation_is_in_order(run: Run) -> None:
    assert {name: ok for name, (ok, _) in checks(run, 0).items()} == dict.fromkeys(
        ("settings", "keys", "database", "migrations", "mailboxes"), True
    )
    told = run("doctor")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "flask mailbox add" in told.stdout.splitlines()[-1]


def test_a_mailbox_that_is_served_is_in_order(run: Run, healthy: Mailbox) -> None:
    ok, message = checks(run, 0)["mailbox Support"]
    assert (ok, "mode keywords" in message) == (True, True)


def test_each_problem_of_a_mailbox_says_what_to_do(run: Run, healthy: Mailbox) -> None:
    long_ago = now() - dt.timedelta(hours=1)
    for fields, advice in (
        ({"holder_beat_at": long_ago, "last_round_at": long_ago}, "Start `flask worker`"),
        (
            {"failing_since": long_ago, "error_code": "unreachable", "error_text": "No answer."},
            "No answer. See `unreach",
        ),
        ({"error_code": "over_quota", "error_text": "It is full."}, "Free space on the mail server"),
        ({"imap_secret": seal("a password", bytes(range(32)))}, "SIGNALBOX_SEAL_KEY"),
    ):
        before = {name: getattr(healthy, name) for name in fields}
        change(healthy, **fields)
        ok, message = checks(run, 1)["mailbox Support"]
        assert (ok, advice in message) == (False, True), message
        told = run("doctor")
        assert (told.exit_code, told.stderr) == (1, "Error: Not in order: mailbox Support.\n")
        change(healthy, **before)
    checks(run, 0)


def test_rounds_without_a_worker_that_stays_are_enough(run: Run, healthy: Mailbox) -> None:
    change(healthy, holder_beat_at=None)
    checks(run, 0)


def test_a_paused_mailbox_is_in_order(run: Run, healthy: Mailbox) -> None:
    with transaction() as session:
        session.get_one(Mailbox, healthy.id).pause(by=COMMAND)
    change(healthy, last_round_at=None, holder_beat_at=None)
    assert "paused" in checks(run, 0)["mailbox Support"][1]


def test_keywords_that_wait_for_a_decision_are_reported(run: Run, healthy: Mailbox) -> None:
    with transaction() as session:
        conversation(session)
        session.execute(text("UPDATE copy SET held = '{state-closed}'"))
    assert "flask mailbox held" in checks(run, 1)["mailbox Support"][1]


def test_conversations_that_need_a_choice_of_side_are_reported(run: Run, healthy: Mailbox) -> None:
    with transaction() as session:
        conversation(session).frozen = ["owner"]
    assert "flask mailbox drift" in checks(run, 1)["mailbox Support"][1]
    assert "Ours or the server’s, 1 conversation: choose" in run("mailbox", "list").output


def test_missing_and_refused_folders_are_reported(run: Run, healthy: Mailbox) -> None:
    with transaction() as session:
        gone, refused, *_ = session.get_one(Mailbox, healthy.id).folders
        gone.lose()
        refused.lose("Ask the postmaster")
    told = checks(run, 1)["mailbox Support"][1]
    assert f"The folder “{gone.name}” is no longer on the server" in told
    assert f"refuses to show the folder “{refused.name}”" in told
    listed = run("mailbox", "list").stdout
    assert f"The folder “{gone.name}” is no longer on the server" in listed
    assert f"refuses to show the folder “{refused.name}”: it said “Ask the postmaster”" in listed


def test_a_mailbox_that_is_behind_is_reported(run: Run, healthy: Mailbox) -> None:
    with transaction() as session:
        fall_behind(session, session.get_one(Mailbox, healthy.id))
    told = checks(run, 1)["mailbox Support"][1]
    assert "Delayed: 4 messages waiting since " in told
    assert "1 took long to parse, the last one from mia@customer.example." in told
    assert "are missing here" not in told
    listed = run("mailbox", "list").stdout
    assert "  Delayed: 4 messages waiting, the first since " in listed
    last = "the last one from mia@customer.example, UID 999 in “INBOX”."
    assert f"  1 message of the last hour took long to parse, {last}" in listed


def test_tables_of_another_version_are_reported(run: Run, cast: Cast) -> None:
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    ok, message = checks(run, 1)["migrations"]
    assert (ok, "newer Signalbox" in message) == (False, True)
    with transaction() as session:
        session.execute(text("DELETE FROM alembic_version"))
    assert "run `flask migrate`" in checks(run, 1)["migrations"][1]


def test_keys_that_others_can_read_are_reported(run: Run, config: Config) -> None:
    (config.home / "seal_key").chmod(0o644)
    ok, message = checks(run, 1)["keys"]
    assert (ok, f"chmod 600 {config.home / 'seal_key'}" in message) == (False, True)


def test_an_unreachable_database_is_reported_and_the_rest_is_checked(run: Run, config: Config) -> None:
    bound = db.engine()
    db.connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    try:
        told = checks(run, 1)
    finally:
        db.engine().dispose()
        db.bind(bound)
    assert {name: ok for name, (ok, _) in told.items()} == {"settings": True, "keys": True, "database": False}
    assert "does not answer" in told["database"][1]


def test_a_wrong_setting_is_a_check_too(tmp_path: Path) -> None:
    done = flask("doctor", "--json", SIGNALBOX_HOME=str(tmp_path), SIGNALBOX_SYNC_SECONDS="soon")
    assert done.returncode == 1
    [check] = json.loads(done.stdout)["checks"]
    assert (check["name"], check["ok"], "SIGNALBOX_SYNC_SECONDS" in check["message"]) == ("settings", False, True)
