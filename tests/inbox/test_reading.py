"""The read side: rows of plain SQL as small frozen dataclasses."""

from __future__ import annotations

import datetime as dt
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from app.db import first_row, read_only, rows
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast, mailbox
from tests.statements import statements


@dataclass(frozen=True)
class _Mailbox:
    id: int
    name: str


@dataclass(frozen=True)
class _Values:
    words: str
    names: list[str]
    document: dict[str, Any]
    at: dt.datetime
    nothing: str | None


_OF_MEMBER = """
    SELECT id, name FROM mailbox
    WHERE id IN (SELECT mailbox_id FROM "grant" WHERE member_id = %(member_id)s) ORDER BY name
"""


def test_rows_are_read_into_dataclasses_by_one_statement(database: str, cast: Cast) -> None:
    with read_only() as session, statements() as sent:
        found = rows(session, _OF_MEMBER, _Mailbox, member_id=cast.ben)
    assert found == [_Mailbox(cast.billing, "Billing"), _Mailbox(cast.support, "Support")]
    assert len(sent) == 1


def test_a_row_that_was_read_cannot_be_changed(database: str, cast: Cast) -> None:
    with read_only() as session:
        found = rows(session, _OF_MEMBER, _Mailbox, member_id=cast.carla)[0]
    with pytest.raises(FrozenInstanceError):
        found.name = "Other"  # type: ignore[misc]  # what a type checker refuses as well


def test_values_have_the_types_that_the_orm_gives_them(session: Session) -> None:
    sql = """
        SELECT %(words)s AS words, %(names)s::text[] AS names, '{"a": [1, null]}'::jsonb AS document,
        '2026-11-02 09:00+01'::timestamptz AS at, NULL AS nothing
    """
    found = first_row(session, sql, _Values, words="50 % of a\0 é", names=["a", "b"])
    at = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
    assert found == _Values("50 % of a é", ["a", "b"], {"a": [1, None]}, at, None)


def test_a_missing_row_gives_none(session: Session) -> None:
    assert first_row(session, "SELECT id, name FROM mailbox WHERE id = %(id)s", _Mailbox, id=-1) is None


def test_a_unit_of_work_reads_its_own_changes(cast: Cast, session: Session) -> None:
    mailbox(session).name = "Helpdesk"
    sql = "SELECT id, name FROM mailbox WHERE id = %(id)s"
    assert first_row(session, sql, _Mailbox, id=cast.support) == _Mailbox(cast.support, "Helpdesk")
    assert session.get_one(Mailbox, cast.support).name == "Helpdesk"


def test_columns_that_are_not_the_fields_are_refused(session: Session) -> None:
    with pytest.raises(AssertionError, match="_Mailbox needs"):
        rows(session, "SELECT name, id FROM mailbox", _Mailbox)


def test_a_statement_that_fails_raises_as_any_other(session: Session) -> None:
    with pytest.raises(DataError), session.begin_nested():
        rows(session, "SELECT 1 / 0 AS id, '' AS name", _Mailbox)
