"""Comparisons of a mailbox with its server on a page, and the last notice about roles that an administrator has read.

Some databases already have one or both, because the first step created them for a while. Existing tables stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    if "told_event_id" not in {column["name"] for column in there.get_columns("member")}:
        op.add_column("member", sa.Column("told_event_id", sa.BigInteger(), server_default="0", nullable=False))
        op.alter_column("member", "told_event_id", server_default=None)
    if not there.has_table("comparison"):
        _make_comparisons()


def _make_comparisons() -> None:
    op.create_table(
        "comparison",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_comparison_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_comparison")),
    )
    op.create_table(
        "difference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("on_its_way", sa.Boolean(), nullable=False),
        sa.Column("sides", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("chosen_by_id", sa.Integer(), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["chosen_by_id"], ["member.id"], name=op.f("fk_difference_chosen_by_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_difference_conversation_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["comparison.mailbox_id"], name=op.f("fk_difference_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_difference")),
    )
    op.create_index("ix_difference_mailbox_id", "difference", ["mailbox_id"], unique=False)
    op.create_index(
        "ix_difference_waiting", "difference", ["mailbox_id"], unique=False, postgresql_where=sa.text("waits")
    )


def downgrade() -> None:
    op.drop_table("difference")
    op.drop_table("comparison")
    op.drop_column("member", "told_event_id")
