from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.db import transaction
from app.inbox.actor import api, mail_client
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import Event
from tests.cast import Cast, conversation, member
from tests.commands.conftest import Run


@pytest.fixture
def talk(cast: Cast) -> int:
    """A conversation of Support that Carla claimed by a program and a mail client closed, and one of Billing."""
    with transaction() as session:
        one = conversation(session)
        one.claim(by=api(member(session, "carla")))
        one.close(by=mail_client(one.created_at))
        conversation(session, name="Billing").star(by=api(member(session, "ben")))
        return one.id


def exported(run: Run, *options: str) -> list[dict[str, Any]]:
    done = run("audit", "export", "--format", "jsonl", *options)
    assert (done.exit_code, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_whole_history_is_exported_oldest_first(run: Run, talk: int) -> None:
    lines = exported(run)
    with transaction() as session:
        assert [line["id"] for line in lines] == list(session.scalars(select(Event.id).order_by(Event.id)))
    of_talk = {line["kind"]: line for line in lines if line["conversation"] == talk}
    claimed, closed = of_talk["claimed"], of_talk["status"]
    assert (claimed["actor"], claimed["source"], claimed["after"]) == ("carla", "api", {"assignee": "carla"})
    assert (closed["actor"], closed["source"], closed["after"]) == (None, "mail client", {"status": "closed"})
    assert closed["not_before"].endswith("Z")


def test_an_export_is_narrowed_by_mailbox_and_time(run: Run, cast: Cast, talk: int) -> None:
    lines = exported(run)
    assert {line["mailbox"] for line in exported(run, "--mailbox", "support")} == {cast.support}
    at = next(line["at"] for line in lines if line["conversation"] == talk and line["kind"] == "claimed")
    later, earlier = exported(run, "--since", at), exported(run, "--until", at)
    assert [line["id"] for line in earlier + later] == [line["id"] for line in lines]
    assert later[0]["kind"] == "claimed"
    assert exported(run, "--until", "2026-01-01") == []
    assert exported(run, "--since", "2026-01-01") == lines


def test_a_csv_has_the_same_lines(run: Run, talk: int) -> None:
    done = run("audit", "export", "--format", "csv")
    assert (done.exit_code, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    lines = exported(run)
    assert [int(row["id"]) for row in rows] == [line["id"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        assert (row["at"], row["kind"], row["actor"]) == (line["at"], line["kind"], line["actor"] or "")
        assert (json.loads(row["after"]) if row["after"] else None) == (line["after"] or None)


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--format", "xml"], 2, "xml"),
        ([], 2, "--format"),
        (["--format", "csv", "--since", "yesterday"], 2, "yesterday"),
        (["--format", "csv", "--since", "2026-11-02T09:00:00"], 2, "time zone"),
        (["--format", "csv", "--mailbox", "Nothing"], 1, "flask mailbox list"),
    ],
)
def test_a_wrong_export_gets_an_error(run: Run, cast: Cast, options: list[str], status: int, said: str) -> None:
    done = run("audit", "export", *options)
    assert (done.exit_code, done.stdout) == (status, "")
    assert said in done.stderr


def test_a_whole_history_is_verified_and_its_head_is_known_again(run: Run, talk: int) -> None:
    told = run("audit", "verify")
    assert (told.exit_code, told.stderr) == (0, "")
    with transaction() as session:
        assert f"intact. Lines: {session.scalar(select(func.count()).select_from(Event))}." in told.stdout
    head = told.stdout.split()[-1]
    assert json.loads(run("audit", "verify", "--json").stdout)["head"] == head
    with transaction() as session:
        session.get_one(Conversation, talk).star(by=api(member(session, "ben")))
    assert run("audit", "verify", "--head", head).exit_code == 0
    assert run("audit", "verify", "--head", head[:-4] + "0000").exit_code == 1
    assert run("audit", "verify", "--head", "0000").exit_code == 2


def test_the_first_wrong_event_is_named(run: Run, talk: int) -> None:
    with transaction() as session:
        bad = session.scalar(select(Event.id).where(Event.kind == "claimed"))
        session.execute(text("ALTER TABLE event DISABLE TRIGGER USER"))
        session.execute(text("UPDATE event SET member_id = 2 WHERE id = :id"), {"id": bad})
        session.execute(text("ALTER TABLE event ENABLE TRIGGER USER"))
    told = run("audit", "verify")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"Error: The history was changed: event {bad} was changed.\n"
    document = run("audit", "verify", "--json")
    assert (document.exit_code, json.loads(document.stdout)["bad"]) == (1, bad)
