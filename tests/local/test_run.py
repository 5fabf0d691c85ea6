"""`make run` starts everything for a real mailbox, prints a link for the first administrator until there is one, and
stops everything."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import psycopg
import pytest

from app import db
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.admin.invitation import find_invitation
from local import parts
from local.postgres import LocalPostgres
from tests.local.running import nothing_outlives, running


def test_the_link_is_printed_until_somebody_administers(database: str) -> None:
    first, second = parts.first_key(database), parts.first_key(database)
    assert first is not None
    assert second is not None
    assert first != second
    engine = db.connect(database)
    with db.transaction() as session:
        assert find_invitation(session, second).member is None
        team.add_member(session, "ana", "Ana", "ana@halden.example", by=COMMAND, admin=True)
    engine.dispose()
    assert parts.first_key(database) is None


@pytest.mark.timeout(200)
def test_it_makes_a_database_of_its_own_and_its_link_leads_in(home: Path) -> None:
    with running("local.run", until="/welcome/", SIGNALBOX_HOME=str(home)) as run:
        assert _opened(run.told(r"(http://\S+/welcome/\S+)")) == 200
        assert LocalPostgres(home).data.exists()
        ready = run.told(r"runs at (http://\S+)\.") + "/readyz"
        assert _opened(ready) == 200
        with psycopg.connect(LocalPostgres(home).url().replace("+psycopg", "")) as connection:
            roles = connection.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename IS NOT NULL")
            assert {role for (role,) in roles} == {"postgres", parts.WEB_ROLE}
    nothing_outlives(home)


@pytest.mark.timeout(200)
def test_it_takes_the_database_it_is_given_and_leaves_it_running(home: Path, database: str) -> None:
    with running("local.run", until="/welcome/", SIGNALBOX_HOME=str(home), SIGNALBOX_DATABASE_URL=database) as run:
        link = run.told(r"(http://\S+/welcome/\S+)")
        assert _opened(link) == 200
        with db.transaction() as session:
            assert find_invitation(session, link.rsplit("/", 1)[1]).member is None
    nothing_outlives(home)
    assert not LocalPostgres(home).data.exists()
    with db.transaction() as session:
        team.add_member(session, "ana", "Ana", "ana@halden.example", by=COMMAND, admin=True)


def _opened(address: str) -> int:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return int(answer.status)
