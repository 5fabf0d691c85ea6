"""Reads the history of one conversation, or of all that a member may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, any_, func, literal, select
from sqlalchemy.orm import Session

from app.db import rows
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import Event, EventRow
from app.inbox.lists.cursor import LONGEST_PAGE, cursor_at, read_cursor
from app.inbox.lists.find import visible_to
from app.inbox.people.member import Member

#: Ids are passed as an array. For a subquery Postgres would guess the number of rows, and might read the whole history.
_OF_CONVERSATION = """
    WITH RECURSIVE whole AS (
      SELECT %(id)s::int AS id
      UNION SELECT c.id FROM conversation AS c JOIN whole ON c.merged_into_id = whole.id)
    SELECT e.id, e.at, e.mailbox_id, e.conversation_id, e.kind, e.source, m.handle AS actor, m.name AS actor_name,
      e.not_before, e.before, e.after
    FROM event AS e LEFT JOIN member AS m ON m.id = e.member_id
    WHERE e.conversation_id = ANY(ARRAY(SELECT id FROM whole)) ORDER BY e.id
"""


def of_conversation(session: Session, conversation_id: int) -> list[EventRow]:
    """Its events, oldest first, including those of conversations merged into it."""
    return rows(session, _OF_CONVERSATION, EventRow, id=conversation_id)


def events(
    session: Session,
    member: Member,
    *,
    mailbox_id: int | None = None,
    conversation_id: int | None = None,
    actor: str | None = None,
    kind: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Event], str | None]:
    """History of the mailboxes the member may see, newest first. Admins see all of it, because the history holds only
    ids and values. Raises Invalid for an invalid cursor."""
    limit = max(1, min(limit, LONGEST_PAGE))
    conditions = _within(mailbox_id, since, until)
    if not member.is_admin:
        conditions.append(Event.mailbox_id.in_(visible_to(member)))
    if conversation_id is not None:
        conditions.append(Event.conversation_id == any_(_with_merged(conversation_id)))
    if actor is not None:
        conditions.append(Event.member_id == select(Member.id).where(Member.handle == actor).scalar_subquery())
    if kind is not None:
        conditions.append(Event.kind == kind)
    if cursor is not None:
        conditions.append(Event.id < read_cursor(cursor)[1])
    rows = list(session.scalars(select(Event).where(*conditions).order_by(Event.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return rows[:limit], cursor_at(None, rows[limit - 1].id) if more else None


def whole(
    session: Session,
    *,
    mailbox_id: int | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Iterator[Event]:
    """The whole history, oldest first, of any length, for the installation's operator."""
    query = select(Event).where(*_within(mailbox_id, since, until)).order_by(Event.id)
    return iter(session.scalars(query, execution_options={"yield_per": 1000}))


def _with_merged(conversation_id: int) -> ColumnElement[Any]:
    """The ids of a conversation and of all that were merged into it. As an array: for a subquery Postgres would guess
    the number of rows, and might read the whole history."""
    whole = select(literal(conversation_id).label("id")).cte(recursive=True)
    whole = whole.union(select(Conversation.id).join(whole, Conversation.merged_into_id == whole.c.id))
    return func.array(select(whole.c.id).scalar_subquery())


def _within(mailbox_id: int | None, since: dt.datetime | None, until: dt.datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if mailbox_id is not None:
        conditions.append(Event.mailbox_id == mailbox_id)
    if since is not None:
        conditions.append(Event.at >= since)
    if until is not None:
        conditions.append(Event.at < until)
    return conditions
