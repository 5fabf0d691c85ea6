"""The pages work under a database role that owns nothing. That role cannot do forbidden things by SQL either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from app import db
from app.inbox.admin.attempt import Attempt, FoundFolder
from app.inbox.history.chain import verify
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.servers import ServersForm
from app.privileges import grant_web
from app.queue import take
from config import ConfigError
from local.postgres import LocalPostgres
from tests.cast import Cast, acting
from tests.doors import furnish
from tests.web.conftest import Browser
from tests.web.test_access import ADMINS, DOORS, _doors, _knock

ROLE = "signalbox_web_test"


@pytest.fixture(scope="session")
def role(postgres: LocalPostgres) -> str:
    with psycopg.connect(postgres.url("postgres").replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {ROLE} LOGIN".encode())
    return ROLE


@dataclass(frozen=True)
class Roles:
    owner: Engine
    web: Engine

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """What a worker does in the meantime."""
        db.bind(self.owner)
        yield
        db.bind(self.web)


@pytest.fixture
def roles(app: Flask, database: str, role: str) -> Iterator[Roles]:
    """The pages use the lesser role."""
    owner = db.engine()
    grant_web(owner, role)
    grant_web(owner, role)  # it can be repeated
    web = db.connect(make_url(database).set(username=role).render_as_string(hide_password=False))
    yield Roles(owner, web)
    web.dispose()
    db.bind(owner)


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("handle", ["ben", "eva"])
def test_every_door_answers_the_same_under_the_lesser_role(
    app: Flask, browser: Callable[[str], Browser], roles: Roles, handle: str
) -> None:
    someone, place = browser(handle), None
    for endpoint, method, rule in _doors(app):
        door = DOORS[endpoint, method]
        if place is None:
            with roles.as_owner():
                place = furnish("Support", connecting=handle if handle in ADMINS else "ana")
        assert _knock(someone, method, rule, place, door).status_code == door.answer(handle), (endpoint, method)
        if method != "GET" and door.answer(handle) not in (403, 404):
            place = None  # the form has changed it


def test_a_sign_in_and_a_new_password_work_under_the_lesser_role(
    nobody: Browser, browser: Callable[[str], Browser], cast: Cast, roles: Roles
) -> None:
    page = browser("ana").submit(f"/admin/people/{cast.carla}/invitation").text
    [link] = re.findall(r'value="http://localhost(/welcome/[^"]+)"', page)
    assert nobody.submit(link, password="slow green harbour 17", again="slow green harbour 17").location == "/"
    assert browser("ben").submit("/sign-out").location == "/sign-in"
    assert verified()


def test_a_mailbox_takes_servers_that_a_worker_has_tried(
    browser: Callable[[str], Browser], cast: Cast, roles: Roles
) -> None:
    ana, attempt_id = browser("ana"), _asked(cast)
    assert ana.submit(f"/admin/connect/{attempt_id}/keep").status_code == 404
    with roles.as_owner(), db.transaction() as session:
        inbox = FoundFolder("INBOX", "inbox", exists=0, uidvalidity=1, uidnext=1)
        report: dict[str, Any] = {"mode": "keywords", "capabilities": {}, "warnings": [], "smtp": None}
        session.get_one(Attempt, attempt_id).note_found(report, [inbox], 24)
    assert ana.submit(f"/admin/connect/{attempt_id}/keep").location == f"/admin/mailboxes/{cast.support}"
    with db.transaction() as session:
        box = session.get_one(Mailbox, cast.support)
        assert (box.imap_host, box.imap_port, b"a password" in box.imap_secret) == ("localhost", 143, True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE mailbox SET imap_host = 'elsewhere.example'",
        "UPDATE mailbox SET imap_port = 1, name = 'x'",
        "UPDATE mailbox SET imap_secret = ''",
        "UPDATE mailbox SET smtp_host = 'elsewhere.example'",
        "UPDATE mailbox SET id = 9",
        "DELETE FROM mailbox",
        "UPDATE member SET handle = 'x'",
        "DELETE FROM member",
        "UPDATE event SET kind = 'x'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT INTO event_chain (number, events, digests, digest) VALUES (99, '{}', '{}', '')",
        "UPDATE event_chain SET digest = ''",
        "INSERT INTO feed_cursor (reader, link, place) VALUES ('rules', 99, 0)",
        "UPDATE attempt SET lease = gen_random_uuid()",
        "UPDATE alembic_version SET version_num = '0001'",
        "ALTER TABLE member ADD COLUMN x int",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "DROP TABLE event",
        "CREATE TABLE x (y int)",
        "SET session_replication_role = replica",
        "UPDATE attempt SET stage = 'found'",
        "UPDATE attempt SET imap_host = 'elsewhere.example'",
        """UPDATE attempt SET report = '{"mode": "database"}'""",
        'INSERT INTO attempt SELECT (jsonb_populate_record(a, \'{"id": 99, "stage": "found"}\')).* FROM attempt a',
        "CREATE TEMPORARY TABLE t (id int); CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW"
        " EXECUTE FUNCTION event_is_chained()",
    ],
)
def test_the_lesser_role_cannot(cast: Cast, roles: Roles, statement: str) -> None:
    attempt_id = _asked(cast)
    with roles.as_owner(), db.transaction() as session:
        assert take(session, Attempt) is session.get_one(Attempt, attempt_id)
    with (
        pytest.raises(DBAPIError, match=r"permission denied|must be owner|Only a worker|The history only grows"),
        db.transaction() as session,
    ):
        session.connection().exec_driver_sql(statement)


@pytest.mark.usefixtures("app")
def test_a_role_that_owns_the_tables_is_refused() -> None:
    with pytest.raises(ConfigError, match="Make another"):
        grant_web(db.engine(), "postgres")


def _asked(cast: Cast) -> int:
    """An attempt as a page creates it, for the servers of Support."""
    with db.transaction() as session:
        box = session.get_one(Mailbox, cast.support)
        attempt = Attempt(member_id=cast.ana, mailbox_id=box.id, name=box.name, address=box.address)
        asked = ServersForm("localhost", "143", "none", "sales", "a password")
        attempt.set_servers(asked, seal=str.encode, kept=None)
        session.add(attempt)
        session.flush()
        attempt.ask(by=acting(session, "ana"))
        return attempt.id


def verified() -> bool:
    with db.transaction() as session:
        return verify(session).what is None
