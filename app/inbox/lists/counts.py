"""The numbers beside a list: conversations in each view, and with each tag."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import rows
from app.inbox.conversations.rows import TagRow
from app.inbox.lists.find import VISIBLE
from app.inbox.lists.views import CONDITIONS
from app.inbox.people.member import Member

COUNTED = ("unassigned", "mine", "open", "pending", "snoozed", "starred")
#: Counts stop here ("1000+"): the exact number of a large view costs more than it is worth.
COUNT_CAP = 1000
#: Tags are counted in this many of the newest open conversations.
_TAGS_COUNTED_IN = 2000


@dataclass(frozen=True)
class Counts:
    """`views`: view -> number, up to COUNT_CAP."""

    member_id: int
    views: dict[str, int]


@dataclass(frozen=True)
class TagCount(TagRow):
    count: int


def counts(session: Session, member: Member, mailbox_id: int) -> dict[str, int]:
    """View -> number, up to COUNT_CAP, for a member who may see the mailbox."""
    return counts_for(session, [member.id], mailbox_id).get(member.id, dict.fromkeys(COUNTED, 0))


def counts_for(session: Session, member_ids: Collection[int], mailbox_id: int) -> dict[int, dict[str, int]]:
    """Member -> view -> number, for those who may see the mailbox. One statement for any number of members. Only their
    own conversations are counted per member."""
    counted = rows(session, _COUNTS, Counts, mailbox_id=mailbox_id, member_ids=list(member_ids))
    return {each.member_id: each.views for each in counted}


def tags(session: Session, member: Member, mailbox_id: int) -> list[TagCount]:
    """The mailbox's tags, each with the number of the newest open conversations that carry it."""
    return rows(session, _TAGS, TagCount, mailbox_id=mailbox_id, member_id=member.id)


def _count(view: str) -> str:
    mine = 'AND conversation.assignee_id = "grant".member_id' if view == "mine" else ""
    return f"""
      '{view}', (SELECT count(*) FROM (
        SELECT 1 FROM conversation WHERE conversation.mailbox_id = %(mailbox_id)s AND {CONDITIONS[view]} {mine}
        LIMIT {COUNT_CAP}) AS counted)"""  # noqa: S608  words of ours


_COUNTS = f"""
    SELECT member_id, jsonb_build_object({",".join(_count(view) for view in COUNTED)}) AS views
    FROM "grant" WHERE mailbox_id = %(mailbox_id)s AND member_id = ANY(%(member_ids)s)
"""  # noqa: S608  words of ours

_TAGS = f"""
    WITH newest AS (
      SELECT id FROM conversation WHERE mailbox_id = %(mailbox_id)s AND {CONDITIONS["open"]}
      ORDER BY last_at DESC, id DESC LIMIT {_TAGS_COUNTED_IN}),
    carried AS (
      SELECT tag_id, count(*) AS count FROM conversation_tag WHERE conversation_id IN (SELECT id FROM newest)
      GROUP BY tag_id)
    SELECT name, label, hue, adopted, coalesce(carried.count, 0) AS count
    FROM tag LEFT JOIN carried ON carried.tag_id = tag.id
    WHERE mailbox_id = %(mailbox_id)s AND alias_of_id IS NULL AND (adopted OR carried.count > 0)
      AND mailbox_id IN {VISIBLE}
    ORDER BY adopted DESC, label
"""  # noqa: S608  words of ours
