"""Notices cover more kinds of events; earlier events are not shown. Unread roles of administrators stay unread."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        """
        UPDATE member SET told_event_id = greatest(told_event_id, coalesce(
          (SELECT min(event.id) - 1 FROM event JOIN member actor ON actor.id = event.member_id
           WHERE member.is_admin AND actor.id <> member.id AND event.kind = 'granted' AND event.conversation_id IS NULL
             AND event.id > member.told_event_id AND event.at > member.created_at
             AND event.after->>'role' IS NOT NULL AND event.after->>'member' = actor.handle),
          (SELECT max(id) FROM event), 0))
        """
    )


def downgrade() -> None:
    """Read notices stay read."""
