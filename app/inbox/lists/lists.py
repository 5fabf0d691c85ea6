"""Lists: a view of one mailbox or of all, narrowed by owner, tag, folder and words, for pages and API.

Every list starts from `visible_to(member)`. A list over several mailboxes asks each for its first rows and merges them,
because one ORDER BY over all would read every row. Pages follow each other by keyset, never by offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import ConversationTag, Tag
from app.inbox.errors import N_, Invalid
from app.inbox.lists.cursor import LONGEST_PAGE, cursor_at, read_cursor
from app.inbox.lists.find import seen_by, visible_to
from app.inbox.lists.items import Item, items
from app.inbox.lists.search import Part, Search, called, first_ids, search
from app.inbox.lists.views import VIEWS, in_view
from app.inbox.people.member import Member


@dataclass(frozen=True)
class Filter:
    """What to list. Empty fields do not narrow the list."""

    view: str = "all"
    mailbox_id: int | None = None
    assignee: str | None = None
    tag: str | None = None
    folder_id: int | None = None
    q: str = ""


@dataclass(frozen=True)
class Page:
    items: list[Item]
    next: str | None


def conversations(
    session: Session, member: Member, criteria: Filter, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """One page of a list. Raises Invalid for an unknown view or an invalid cursor."""
    if criteria.view not in VIEWS:
        raise Invalid(
            "view", N_("There is no view “%(view)s”. Views: %(views)s."), view=criteria.view, views=", ".join(VIEWS)
        )
    limit = max(1, min(limit, LONGEST_PAGE))
    by_waiting, query = criteria.view == "unassigned", search(member, criteria.q)
    where = _conditions(member, criteria, query)
    parts = [
        (mailbox_id, _part(mailbox_id, tag_id, where, cursor, by_waiting))
        for mailbox_id, tag_id in _sources(session, member, criteria, criteria.tag or query.tag)
    ]
    if not parts:
        return Page([], None)
    ids = _first_ids(session, parts, query, by_waiting, limit + 1)
    lines = items(session, member, ids, by_waiting=by_waiting, limit=limit + 1)
    more = len(lines) > limit
    return Page(lines[:limit], _cursor(lines[limit - 1], by_waiting) if more else None)


# the rows of a list --------------------------------------------------------------------------------------------------


def _conditions(member: Member, criteria: Filter, query: Search) -> list[ColumnElement[bool]]:
    everything = query.everything if criteria.view == "all" else None
    conditions = [in_view(criteria.view, member) if everything is None else everything, *query.quick]
    if criteria.assignee is not None:
        conditions.append(Conversation.assignee_id.in_(select(Member.id).where(Member.handle == criteria.assignee)))
    if criteria.folder_id is not None:
        conditions.append(
            exists().where(
                Copy.message_id == Message.id,
                Message.conversation_id == Conversation.id,
                Copy.folder_id == criteria.folder_id,
                Copy.gone_at.is_(None),
            )
        )
    return conditions


def _sources(session: Session, member: Member, criteria: Filter, tag: str | None) -> list[tuple[int, int | None]]:
    """(mailbox, tag) to search: the requested mailboxes that the member may see and that have the tag."""
    if tag is None:
        return [(id_, None) for id_ in seen_by(member) if criteria.mailbox_id in (None, id_)]
    named = select(Tag.mailbox_id, func.coalesce(Tag.alias_of_id, Tag.id)).distinct()
    named = named.where(Tag.mailbox_id.in_(visible_to(member)), called(tag))
    return [(id_, tag_id) for id_, tag_id in session.execute(named) if criteria.mailbox_id in (None, id_)]


def _first_ids(
    session: Session, parts: Sequence[tuple[int, Part]], query: Search, by_waiting: bool, limit: int
) -> Sequence[int]:
    """The first ids of each mailbox, all in one query, or by the steps of a search."""
    if query.empty and len(parts) == 1:  # true for most lists; a union takes twice as long to build
        return session.scalars(parts[0][1].limit(limit)).all()
    if query.empty:
        firsts = [part.limit(limit).subquery() for _, part in parts]
        return session.scalars(union_all(*(select(first.c.id) for first in firsts))).all()
    return [id_ for mailbox_id, part in parts for id_ in first_ids(session, part, query, mailbox_id, limit, by_waiting)]


def _part(
    mailbox_id: int, tag_id: int | None, where: Sequence[ColumnElement[bool]], cursor: str | None, by_waiting: bool
) -> Part:
    """The ids of one mailbox, in order, after the cursor."""
    keys = _keys(by_waiting, tag_id)
    part = select(Conversation.id, keys[0].label("at")).where(Conversation.mailbox_id == mailbox_id, *where)
    if tag_id is not None:
        part = part.join(ConversationTag, ConversationTag.conversation_id == Conversation.id)
        part = part.where(ConversationTag.tag_id == tag_id)
    return part.where(*_after(cursor, by_waiting, *keys)).order_by(*_order(*keys))


Key = InstrumentedAttribute[Any]


def _keys(by_waiting: bool, tag_id: int | None) -> tuple[Key, Key]:
    """The order of the list, in the table whose index has that order."""
    if by_waiting:
        return Conversation.waiting_since, Conversation.id
    if tag_id is not None:
        return ConversationTag.last_at, ConversationTag.conversation_id
    return Conversation.last_at, Conversation.id


def _order(at: Key, id_: Key) -> tuple[ColumnElement[Any], ...]:
    if at is Conversation.waiting_since:
        return (at.asc(), id_.asc())
    return (at.desc(), id_.desc())


def _after(cursor: str | None, by_waiting: bool, at: Key, id_: Key) -> list[ColumnElement[bool]]:
    if cursor is None:
        return []
    last_at, last_id = read_cursor(cursor)
    last = tuple_(literal(last_at), literal(last_id))
    if not by_waiting:
        return [tuple_(at, id_) < last if last_at else false()]
    if last_at is None:
        return [and_(at.is_(None), id_ > last_id)]
    return [or_(tuple_(at, id_) > last, at.is_(None))]


def _cursor(last: Item, by_waiting: bool) -> str:
    return cursor_at(last.waiting_since if by_waiting else last.last_at, last.id)
