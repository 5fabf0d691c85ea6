"""An index finds conversations that were not compared yet, after their mailbox was in mode database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index(
        "ix_conversation_not_compared",
        "conversation",
        ["mailbox_id", "id"],
        postgresql_where=sa.text("'*' = ANY(frozen)"),
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_not_compared", "conversation")
