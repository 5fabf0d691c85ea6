"""An index finds an owner's conversations in every status, not only open ones.

No release needs to come between: a page that is still running sends the same query, which can use either index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NEWEST = [sa.text("last_at DESC"), sa.text("id DESC")]


def upgrade() -> None:
    op.drop_index("ix_conversation_mine", "conversation")
    op.create_index(
        "ix_conversation_owner",
        "conversation",
        ["assignee_id", "mailbox_id", "status", *_NEWEST],
        postgresql_where=sa.text("assignee_id IS NOT NULL AND place = 'here'"),
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_owner", "conversation")
    op.create_index(
        "ix_conversation_mine",
        "conversation",
        ["assignee_id", "mailbox_id", *_NEWEST],
        postgresql_where=sa.text("status = 'open' AND place = 'here'"),
    )
