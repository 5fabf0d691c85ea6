"""The indexes of conversations: one for each list, in its order, and one for each search by the worker."""

from __future__ import annotations

from sqlalchemy import Index, text

from app.inbox.conversations.derived import UNASSIGNED
from app.inbox.conversations.registers import FROZEN, NOT_COMPARED

_HERE = "place = 'here'"


def indexes() -> tuple[Index, ...]:
    return (
        Index(
            "ix_conversation_unassigned",
            "mailbox_id",
            "waiting_since",
            "id",
            postgresql_where=text(UNASSIGNED),
        ),
        _newest_first("owner", "assignee_id", "mailbox_id", "status", where=f"assignee_id IS NOT NULL AND {_HERE}"),
        _newest_first("status", "mailbox_id", "status", where=_HERE),
        _newest_first("all", "mailbox_id"),
        _newest_first("starred", "mailbox_id", where=f"starred AND {_HERE}"),
        _newest_first("place", "mailbox_id", "place", where="place <> 'here'"),
        Index("ix_conversation_push", "mailbox_id", postgresql_where=text("push_needed")),
        Index("ix_conversation_lacks_room", "mailbox_id", postgresql_where=text("lacks_room")),
        Index("ix_conversation_frozen", "mailbox_id", postgresql_where=text(FROZEN)),
        Index("ix_conversation_not_compared", "mailbox_id", "id", postgresql_where=text(NOT_COMPARED)),
        Index("ix_conversation_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        Index("ix_conversation_snoozed", "snoozed_until", postgresql_where=text("status = 'snoozed'")),
    )


def _newest_first(name: str, *columns: str, where: str | None = None) -> Index:
    """The index of a list that is sorted by the last activity."""
    order = (text("last_at DESC"), text("id DESC"))
    return Index(f"ix_conversation_{name}", *columns, *order, postgresql_where=where and text(where))
