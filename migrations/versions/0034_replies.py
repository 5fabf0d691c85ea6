"""Replies: mails that the team writes, their files, and what the server said to each of their recipients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailbox.id"), nullable=False),
        sa.Column("conversation_id", sa.Integer(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("author_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("answered_id", sa.Integer(), sa.ForeignKey("message.id", ondelete="SET NULL")),
        sa.Column("seen_message_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("sender", sa.Text(), nullable=False),
        *(sa.Column(field, postgresql.JSONB(), nullable=False) for field in ("to", "cc", "bcc")),
        *(sa.Column(field, sa.Text(), nullable=False) for field in ("subject", "text", "html", "quote")),
        sa.Column("status_after", sa.Text()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer_id", sa.Integer(), sa.ForeignKey("member.id")),
        sa.Column("writer_until", sa.DateTime(timezone=True)),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.Column("code", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("sent_message_id", sa.Integer(), sa.ForeignKey("message.id", ondelete="SET NULL")),
        sa.Column("filing", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Uuid()),
        sa.UniqueConstraint("author_id", "key", name="uq_reply_author_id_key"),
    )
    op.create_index("ix_reply_due", "reply", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_reply_filing", "reply", ["mailbox_id"], postgresql_where=sa.text("filing = 'waiting'"))
    op.create_index("ix_reply_unknown", "reply", ["mailbox_id"], postgresql_where=sa.text("state = 'unknown'"))
    op.create_index("ix_reply_conversation_id", "reply", ["conversation_id"])
    op.create_table(
        "reply_recipient",
        sa.Column("reply_id", sa.Integer(), sa.ForeignKey("reply.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer()),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("reply_id", sa.Integer(), sa.ForeignKey("reply.id", ondelete="CASCADE")),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_upload_reply_id", "upload", ["reply_id"])
    op.create_index("ix_upload_member_id", "upload", ["member_id"])
    op.create_table(
        "upload_chunk",
        sa.Column("upload_id", sa.Integer(), sa.ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("upload_chunk")
    op.drop_table("upload")
    op.drop_table("reply_recipient")
    op.drop_table("reply")
