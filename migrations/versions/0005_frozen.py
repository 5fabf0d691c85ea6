"""A mailbox can change its storage mode, and registers of a conversation are frozen until a person has chosen a
side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("mailbox", sa.Column("returning", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("mailbox", "returning", server_default=None)
    names = postgresql.ARRAY(sa.Text())
    op.add_column("conversation", sa.Column("frozen", names, server_default="{}", nullable=False))
    op.alter_column("conversation", "frozen", server_default=None)
    op.create_index(
        "ix_conversation_frozen", "conversation", ["mailbox_id"], postgresql_where=sa.text("frozen <> '{}'")
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_frozen", "conversation")
    op.drop_column("conversation", "frozen")
    op.drop_column("mailbox", "returning")
