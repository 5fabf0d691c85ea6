"""`flask mailbox drift`, for people and programs. tests/sync/test_drift.py tests what counts as drift,
tests/promises/test_mailbox_is_the_backup.py what `rebuild` restores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.mail.child import MailParser
from tests.cast import Cast
from tests.commands.conftest import Run, run_on
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation, move_server


@pytest.fixture
def stage(account: Account, cast: Cast) -> Iterator[Stage]:
    """Carla's conversation, whose keyword the server has lost."""
    account.append(mail("Hello"))
    with MailParser() as parser, connected(account, parser) as stage:
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        account.remove_flags(stage.uid(), "assigned-carla")
        yield stage


@pytest.fixture
def run(stage: Stage, database: str, tmp_path: Path) -> Run:
    return run_on(database, tmp_path)


def test_differences_are_printed_as_lines_and_as_one_document(run: Run, stage: Stage) -> None:
    shown = run("mailbox", "drift", "shop")
    assert shown.exit_code == 0
    [line, summary] = shown.stdout.splitlines()
    assert line.split(maxsplit=2) == ["#1", f"INBOX/{stage.uid()}", "owner: nothing on the server, carla here"]
    assert summary == "Shop: 1 difference (1 × owner)."
    with transaction() as session:
        id_ = conversation(session, 1).id
    assert json.loads(run("mailbox", "drift", "Shop", "--json").stdout) == {
        "in_sync": False,
        "lines": [
            {
                "conversation": id_,
                "number": 1,
                "folder": "INBOX",
                "uid": stage.uid(),
                "what": "owner",
                "server": None,
                "ours": "carla",
                "waiting": False,
                "sides": ["server", "ours"],
            }
        ],
    }


@pytest.mark.parametrize(("choice", "owner"), [("--take-theirs", None), ("--keep-ours", "carla")])
def test_a_side_is_chosen_for_one_conversation_or_all(run: Run, stage: Stage, choice: str, owner: str | None) -> None:
    absent = run("mailbox", "drift", "Shop", choice, "--conversation", "2")
    assert (absent.exit_code, absent.stderr) == (1, "Error: There is no conversation #2 in Shop.\n")
    assert "1 copy counts as" in run("mailbox", "drift", "Shop", choice).stdout
    stage.push()
    assert "no differences" in run("mailbox", "drift", "Shop").stdout
    with transaction() as session:
        assert conversation(session, 1).owner == owner


def test_both_sides_at_once_are_wrong_usage_and_change_nothing(run: Run, stage: Stage) -> None:
    for words in (("drift", "Shop"), ("held", "Shop")):
        told = run("mailbox", *words, "--take-theirs", "--keep-ours")
        assert (told.exit_code, "Choose one of --take-theirs and --keep-ours." in told.stderr) == (2, True)
    with transaction() as session:
        assert conversation(session, 1).owner == "carla"


def test_an_unreachable_server_is_reported_in_one_line_and_as_a_document(run: Run, stage: Stage) -> None:
    with transaction() as session:
        move_server(conversation(session, 1).mailbox, 9)
    said = run("mailbox", "drift", "Shop", "--json")
    assert said.exit_code == 1
    assert len(said.stderr.splitlines()) == 1
    assert json.loads(said.stdout)["ok"] is False
    assert run("mailbox", "rebuild", "Shop").exit_code == 1
