"""The lines of a list, as pages and API show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.db import rows
from app.inbox.conversations.rows import TagRow
from app.inbox.people.member import Member

#: `tag_values`: name, label, hue and whether it is adopted, for each tag.
_ITEMS = """
    SELECT c.id, c.number, c.mailbox_id, c.subject, c.preview, c.from_name, c.from_address, c.status, c.snoozed_until,
      owner.handle AS assignee, c.assignee_id, owner.name AS assignee_name, c.assigned_name,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(t.name, t.label, t.hue, t.adopted)
                                 ORDER BY t.adopted DESC, t.name), '[]')
       FROM conversation_tag AS ct JOIN tag AS t ON t.id = ct.tag_id WHERE ct.conversation_id = c.id) AS tag_values,
      c.starred, c.message_count, c.last_at, c.last_direction, c.last_machine, c.waiting_since, c.has_attachments,
      CASE WHEN r.read_at IS NULL THEN c.unseen ELSE coalesce(c.last_in_at > r.read_at, false) END AS unread,
      c.push_needed AND c.mirrored AS on_way, c.conflict IS NOT NULL AS conflict, c.place, c.revision
    FROM conversation AS c LEFT JOIN member AS owner ON owner.id = c.assignee_id
    LEFT JOIN reading AS r ON r.conversation_id = c.id AND r.member_id = %(member_id)s
    WHERE c.id = ANY(%(ids)s)
"""
_LONGEST_WAIT_FIRST = f"{_ITEMS} ORDER BY c.waiting_since, c.id LIMIT %(limit)s"
_NEWEST_FIRST = f"{_ITEMS} ORDER BY c.last_at DESC, c.id DESC LIMIT %(limit)s"


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
    tag_values: list[Any]
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

    @property
    def tags(self) -> list[TagRow]:
        """Our tags first."""
        return [TagRow(*values) for values in self.tag_values]


def items(session: Session, member: Member, ids: Collection[int], *, by_waiting: bool, limit: int) -> list[Item]:
    """The first of these conversations as the member sees them, in the order of their list."""
    statement = _LONGEST_WAIT_FIRST if by_waiting else _NEWEST_FIRST
    return rows(session, statement, Item, ids=list(ids), member_id=member.id, limit=limit)
