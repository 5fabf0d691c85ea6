"""Conversations with keywords that do not fit into a folder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("lacks_room", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("conversation", "lacks_room", server_default=None)
    op.create_index(
        "ix_conversation_lacks_room", "conversation", ["mailbox_id"], postgresql_where=sa.text("lacks_room")
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_lacks_room", "conversation")
    op.drop_column("conversation", "lacks_room")
