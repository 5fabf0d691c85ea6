"""The read side: one function per list on screen, for pages and API alike.

Every list starts from `visible_to(member)`. A list over several mailboxes asks each for its first rows and merges
them (one ORDER BY over all of them would read every row); pages follow each other by keyset, never by offset.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.derived import UNASSIGNED, sql
from app.inbox.conversations.locking import ALONE
from app.inbox.conversations.message import Message
from app.inbox.conversations.reading import Reading
from app.inbox.conversations.tag import ConversationTag, Tag
from app.inbox.errors import N_, Invalid
from app.inbox.lists.cursor import LONGEST_PAGE, cursor_at, read_cursor
from app.inbox.lists.find import seen_by, visible_to
from app.inbox.lists.search import Part, Search, called, found, search
from app.inbox.people.member import Grant, Member
from app.inbox.status import Status

VIEWS = (
    "unassigned",
    "mine",
    "open",
    "pending",
    "snoozed",
    "starred",
    "closed",
    "spam",
    "trash",
    "gone",
    "all",
)
COUNTED = ("unassigned", "mine", "open", "pending", "snoozed", "starred")
#: Counts stop here ("1000+"): an exact one of a large view costs more than anyone learns from it.
COUNT_CAP = 1000
_TAGS_COUNTED_IN = 2000


@dataclass(frozen=True)
class Query:
    """What to list. Empty fields ask for nothing."""

    view: str = "all"
    mailbox_id: int | None = None
    assignee: str | None = None
    tag: str | None = None
    folder_id: int | None = None
    q: str = ""


@dataclass(frozen=True)
class TagItem:
    name: str
    label: str
    hue: int
    adopted: bool


@dataclass(frozen=True)
class Item:
    """One line of a list."""

    id: int
    number: int
    mailbox_id: int
    subject: str
    preview: str
    from_name: str
    from_address: str
    status: str
    snoozed_until: dt.datetime | None
    assignee: str | None
    assignee_id: int | None
    assignee_name: str | None
    assigned_name: str | None
    tags: tuple[TagItem, ...]
    starred: bool
    message_count: int
    last_at: dt.datetime
    last_direction: str
    last_machine: str | None
    waiting_since: dt.datetime | None
    has_attachments: bool
    unread: bool
    on_way: bool
    conflict: bool
    place: str
    revision: int


@dataclass(frozen=True)
class Page:
    items: list[Item]
    next: str | None


def conversations(
    session: Session, member: Member, query: Query, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """One page of a list. Raises Invalid for an unknown view, or a cursor that is not ours."""
    if query.view not in VIEWS:
        raise Invalid(
            "view", N_("There is no view “%(view)s”. Views: %(views)s."), view=query.view, views=", ".join(VIEWS)
        )
    limit = max(1, min(limit, LONGEST_PAGE))
    by_waiting, asked = query.view == "unassigned", search(member, query.q)
    where = _conditions(member, query, asked)
    parts = [
        (mailbox_id, _part(mailbox_id, tag_id, where, cursor, by_waiting))
        for mailbox_id, tag_id in _sources(session, member, query, query.tag or asked.tag)
    ]
    if not parts:
        return Page([], None)
    ids = _found(session, parts, asked, by_waiting, limit + 1)
    items = _items(session, member, ids, _order(*_keys(by_waiting, None)), limit + 1)
    more = len(items) > limit
    return Page(items[:limit], _cursor(items[limit - 1], by_waiting) if more else None)


def counts(session: Session, member: Member, mailbox_id: int) -> dict[str, int]:
    """View -> how many, up to COUNT_CAP, for one who may see the mailbox."""
    return counts_for(session, [member.id], mailbox_id).get(member.id, dict.fromkeys(COUNTED, 0))


def counts_for(session: Session, member_ids: Collection[int], mailbox_id: int) -> dict[int, dict[str, int]]:
    """Member -> view -> how many, for those of them who may see the mailbox. One statement for any number of members:
    all but their own conversations is counted once."""
    counted = [_counted(mailbox_id, _view(Grant.member_id, view)).label(view) for view in COUNTED]
    seen = select(Grant.member_id, *counted).where(Grant.mailbox_id == mailbox_id, Grant.member_id.in_(member_ids))
    return {member_id: dict(zip(COUNTED, numbers, strict=True)) for member_id, *numbers in session.execute(seen)}


def tags(session: Session, member: Member, mailbox_id: int) -> list[tuple[Tag, int]]:
    """The mailbox's tags with how many open conversations carry each, of the newest `_TAGS_COUNTED_IN`."""
    newest = (
        select(Conversation.id)
        .where(Conversation.mailbox_id == mailbox_id, Conversation.place == "here", Conversation.status == Status.OPEN)
        .order_by(Conversation.last_at.desc(), Conversation.id.desc())
        .limit(_TAGS_COUNTED_IN)
        .subquery()
    )
    held = (
        select(ConversationTag.tag_id, func.count().label("n"))
        .join(newest, newest.c.id == ConversationTag.conversation_id)
        .group_by(ConversationTag.tag_id)
        .subquery()
    )
    rows = session.execute(
        select(Tag, func.coalesce(held.c.n, 0))
        .outerjoin(held, held.c.tag_id == Tag.id)
        .where(
            Tag.mailbox_id == mailbox_id,
            Tag.mailbox_id.in_(visible_to(member)),
            Tag.alias_of_id.is_(None),
            or_(Tag.adopted, held.c.n > 0),
        )
        .order_by(Tag.adopted.desc(), Tag.label)
    )
    return [(tag, n) for tag, n in rows]


# what to list --------------------------------------------------------------------------------------------------------


def _conditions(member: Member, query: Query, asked: Search) -> list[ColumnElement[bool]]:
    everything = asked.everything if query.view == "all" else None
    conditions = [_view(member.id, query.view) if everything is None else everything, *asked.quick]
    if query.assignee is not None:
        conditions.append(Conversation.assignee_id.in_(select(Member.id).where(Member.handle == query.assignee)))
    if query.folder_id is not None:
        conditions.append(
            exists().where(
                Copy.message_id == Message.id,
                Message.conversation_id == Conversation.id,
                Copy.folder_id == query.folder_id,
                Copy.gone_at.is_(None),
            )
        )
    return conditions


def _counted(mailbox_id: int, view: ColumnElement[bool]) -> ColumnElement[int]:
    some = select(literal(1)).where(Conversation.mailbox_id == mailbox_id, view).limit(COUNT_CAP)
    return select(func.count()).select_from(some.correlate(Grant).subquery()).scalar_subquery()


def _view(member_id: int | InstrumentedAttribute[int], view: str) -> ColumnElement[bool]:
    here = Conversation.place == "here"
    is_open = Conversation.status == Status.OPEN
    conditions: dict[str, ColumnElement[bool]] = {
        "unassigned": sql(UNASSIGNED),
        "mine": and_(here, is_open, Conversation.assignee_id == member_id),
        "open": and_(here, is_open),
        "starred": and_(here, Conversation.starred),
        "trash": Conversation.place == "trash",
        "gone": Conversation.place == "gone",
        "all": and_(here, Conversation.status != Status.SPAM),
    }
    return conditions.get(view, and_(here, Conversation.status == view))


def _sources(session: Session, member: Member, query: Query, tag: str | None) -> list[tuple[int, int | None]]:
    """(mailbox, tag) to look through: the mailboxes the member may see, of those asked for that have the tag."""
    if tag is None:
        return [(id_, None) for id_ in seen_by(member) if query.mailbox_id in (None, id_)]
    named = select(Tag.mailbox_id, func.coalesce(Tag.alias_of_id, Tag.id)).distinct()
    named = named.where(Tag.mailbox_id.in_(visible_to(member)), called(tag))
    return [(id_, tag_id) for id_, tag_id in session.execute(named) if query.mailbox_id in (None, id_)]


def _found(
    session: Session, parts: Sequence[tuple[int, Part]], asked: Search, by_waiting: bool, limit: int
) -> Select[int] | list[int]:
    """The first ids of each mailbox: all in one query, or by the ways of a search."""
    if asked.empty:
        firsts = [part.limit(limit).subquery() for _, part in parts]
        ids = union_all(*(select(first.c.id) for first in firsts)).subquery()
        return select(ids.c.id)
    return [id_ for mailbox_id, part in parts for id_ in found(session, part, asked, mailbox_id, limit, by_waiting)]


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
    """What the list is ordered by, in the table whose index has that order."""
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


def _items(
    session: Session, member: Member, ids: Select[int] | list[int], order: Sequence[ColumnElement[Any]], limit: int
) -> list[Item]:
    rows = session.execute(
        select(Conversation, Member.handle, Member.name, Reading.read_at)
        .outerjoin(Member, Member.id == Conversation.assignee_id)
        .outerjoin(Reading, and_(Reading.conversation_id == Conversation.id, Reading.member_id == member.id))
        .where(Conversation.id.in_(ids))
        .order_by(*order)
        .limit(limit)
        .options(*ALONE)
    ).all()
    found = _tags_of(session, [row[0].id for row in rows])
    return [_item(c, handle, name, read_at, found.get(c.id, ())) for c, handle, name, read_at in rows]


def _tags_of(session: Session, ids: Sequence[int]) -> dict[int, tuple[TagItem, ...]]:
    found: dict[int, tuple[TagItem, ...]] = {}
    rows = session.execute(
        select(ConversationTag.conversation_id, Tag.name, Tag.label, Tag.hue, Tag.adopted)
        .join(Tag)
        .where(ConversationTag.conversation_id.in_(ids))
        .order_by(Tag.adopted.desc(), Tag.name)
    )
    for id_, name, label, hue, adopted in rows:
        found[id_] = (*found.get(id_, ()), TagItem(name, label, hue, adopted))
    return found


def _item(
    c: Conversation, handle: str | None, name: str | None, read_at: dt.datetime | None, tags: tuple[TagItem, ...]
) -> Item:
    unread = c.unseen if read_at is None else (c.last_in_at is not None and c.last_in_at > read_at)
    return Item(
        id=c.id,
        number=c.number,
        mailbox_id=c.mailbox_id,
        subject=c.subject,
        preview=c.preview,
        from_name=c.from_name,
        from_address=c.from_address,
        status=c.status,
        snoozed_until=c.snoozed_until,
        assignee=handle,
        assignee_id=c.assignee_id,
        assignee_name=name,
        assigned_name=c.assigned_name,
        tags=tags,
        starred=c.starred,
        message_count=c.message_count,
        last_at=c.last_at,
        last_direction=c.last_direction,
        last_machine=c.last_machine,
        waiting_since=c.waiting_since,
        has_attachments=c.has_attachments,
        unread=unread,
        on_way=c.push_needed and c.mirrored,
        conflict=c.conflict is not None,
        place=c.place,
        revision=c.revision,
    )
