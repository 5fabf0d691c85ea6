"""Connections that died while unused, and reads that try to write."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, text

from app import db
from app.db import read_only, transaction
from app.inbox.people.member import Member
from tests.cast import Cast


def end_all_but_ones_own(database: str) -> None:
    """As a restart of Postgres does."""
    with db.engine().connect() as own:
        mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        own.execute(text(f"{mine} AND pid <> pg_backend_pid()"))
        own.detach()


def test_dead_connections_in_the_pool_are_replaced_unnoticed(
    database: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as one, transaction() as two:  # two connections of the pool
        for session in (one, two):
            session.execute(text("SELECT 1"))
    end_all_but_ones_own(database)
    later = time.monotonic() + 2
    monkeypatch.setattr("app.db.time.monotonic", lambda: later)
    for look in (read_only, transaction):
        with look() as session:
            assert session.scalar(select(Member.handle).where(Member.handle == "ana")) == "ana"


def test_a_look_that_changes_something_is_a_fault_of_ours(database: str, cast: Cast) -> None:
    with pytest.raises(AssertionError), read_only() as session:
        session.scalars(select(Member).where(Member.handle == "ana")).one().name = "Anna"
    with transaction() as session:
        assert session.scalars(select(Member.name).where(Member.handle == "ana")).one() != "Anna"
