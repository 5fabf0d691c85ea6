"""The disk of the database or of the mail server is full: nothing is lost, people are told, and with room again the day
ends like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from app.db import Base, transaction
from app.mail.child import MailParser
from app.mail.errors import Refused
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail, running_dovecot
from tests.faults.conftest import LONG, Admin
from tests.faults.day import Days
from tests.faults.proxied import told
from tests.faults.ways import through
from tests.proxy import proxied
from tests.sync.stage import Stage, connected
from tests.waiting import eventually
from tests.web.conftest import Browser, carla

__all__ = ["carla"]
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

#: The error of Postgres if a table cannot grow.
_FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE disk_full USING MESSAGE = 'could not extend file "base/5/16402": No space left on device'; END $$;
"""
_TABLES = sorted(table.name for table in Base.metadata.sorted_tables)
#: The tables that get new rows during a day.
_GROWING = ["body", "conversation", "conversation_tag", "copy", "event", "known_id", "message"]
_KILOBYTES = 600
_QUOTA = f"""
mail_plugins = $mail_plugins quota
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
  quota_rule = *:storage={_KILOBYTES}k
}}
"""


@contextmanager
def full_disk(*tables: str) -> Iterator[None]:
    """These tables cannot grow. Existing rows can be read and changed, if they fit into their place."""
    with transaction() as session:
        session.execute(text(_FULL))
        for table in tables:
            on = f'BEFORE INSERT ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION no_room()'
            session.execute(text(f"CREATE TRIGGER no_room {on}"))
    try:
        yield
    finally:
        with transaction() as session:
            session.execute(text("DROP FUNCTION no_room() CASCADE"))


@pytest.fixture
def stage(sdbox_server: LocalDovecot, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(fresh_account(sdbox_server), parser) as stage:
        yield stage


def test_a_full_disk_of_the_database_is_reported_and_loses_nothing(stage: Stage, admin: Admin, carla: Browser) -> None:
    days = Days(stage)
    usual = days.whole()
    days.morning()
    days.noon()
    with full_disk(*_TABLES):
        service = stage.service()
        service.start()
        try:
            eventually(lambda: told(stage)[0] == "disk_full")
        finally:
            service.stop()
            service.join()
        assert "The database’s disk is full." in admin.page(stage)
        assert "failing: could not extend file" in admin.listed()
        assert "The database’s disk is full." in carla.page(f"/m/{stage.mailbox_id}/open")
        refused = carla.submit(f"/m/{stage.mailbox_id}/claims")
        assert (refused.status_code, "Nothing is lost" in refused.text) == (503, True)
    assert days.evening() == usual


@pytest.mark.parametrize("table", _GROWING if LONG else _GROWING[-3:-2])
def test_a_round_may_meet_any_table_that_cannot_grow(stage: Stage, table: str) -> None:
    days = Days(stage)
    usual = days.whole()
    days.morning()
    days.noon()
    with full_disk(table):
        assert "No space left on device" in (stage.service().once(30) or "")
    assert days.evening() == usual


@pytest.fixture(scope="module")
def small_server() -> Iterator[LocalDovecot]:
    with running_dovecot("sdbox", extra_config=_QUOTA) as server:
        yield server


@pytest.fixture
def small_stage(small_server: LocalDovecot, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """Its server has to copy mails to move them, and its accounts are small."""
    with (
        proxied(small_server.port, hides=("MOVE",)) as proxy,
        connected(through(fresh_account(small_server), proxy.port), parser) as stage,
    ):
        yield stage


def fill(account: Account) -> None:
    """Fill it until no further mail fits, in an unwatched folder."""
    with account.open() as imap:
        for size in (100_000, 10_000, 1_000, 1):
            with suppress(Refused):
                while True:
                    imap.append("Drafts", mail("Filler", "x" * size))


def test_a_full_account_gets_keywords_at_once_and_moves_later(small_stage: Stage, admin: Admin) -> None:
    days = Days(small_stage)
    usual = days.whole()
    days.morning()
    days.noon()
    fill(small_stage.account)
    assert small_stage.service().once(30) == "1 conversations could not be written to the server"
    assert "ok, 0 missing, 1 on the way" in admin.listed()
    assert "The mail account is full (quota)" in admin.listed()
    assert "The mail account is full (quota)." in admin.page(small_stage)
    small_stage.account.delete_folder("Drafts")
    assert days.evening() == usual
