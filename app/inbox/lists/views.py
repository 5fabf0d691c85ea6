"""Views: the lists that every mailbox has."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.derived import UNASSIGNED, sql
from app.inbox.people.member import Member

_HERE = "conversation.place = 'here'"
_OPEN = f"({_HERE} AND conversation.status = 'open')"
#: View -> its condition. `mine`: only the member's own.
CONDITIONS = {
    "unassigned": UNASSIGNED,
    "mine": _OPEN,
    "open": _OPEN,
    "pending": f"({_HERE} AND conversation.status = 'pending')",
    "snoozed": f"({_HERE} AND conversation.status = 'snoozed')",
    "starred": f"({_HERE} AND conversation.starred)",
    "closed": f"({_HERE} AND conversation.status = 'closed')",
    "spam": f"({_HERE} AND conversation.status = 'spam')",
    "trash": "(conversation.place = 'trash')",
    "gone": "(conversation.place = 'gone')",
    "all": f"({_HERE} AND conversation.status <> 'spam')",
}
VIEWS = tuple(CONDITIONS)


def in_view(view: str, member: Member) -> ColumnElement[bool]:
    """The condition for a query built from columns."""
    condition = sql(CONDITIONS[view])
    return and_(condition, Conversation.assignee_id == member.id) if view == "mine" else condition
