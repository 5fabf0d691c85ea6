"""Mails to be read again, and when. Mails that are unreadable already are read again at once. Folders store which flags
their server keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

_WHAT_IS_UNREADABLE = """
    INSERT INTO deferral
      (mailbox_id, folder_id, uidvalidity, uid, message_id, importing, answer, first_at, tries, next_at)
    SELECT DISTINCT ON (message.id) message.mailbox_id, folder_id, uidvalidity, uid, message.id, true, '',
      message.received_at, 0, now()
    FROM message JOIN copy ON copy.message_id = message.id
    WHERE unreadable ORDER BY message.id, gone_at IS NULL DESC, copy.id DESC
"""


def upgrade() -> None:
    op.create_table(
        "deferral",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("mailbox_id", sa.Integer, nullable=False),
        sa.Column("folder_id", sa.Integer, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger, nullable=False),
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.Integer),
        sa.Column("importing", sa.Boolean, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("parser", sa.Text),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deferral")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_deferral_mailbox_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_deferral_folder_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_deferral_message_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(
        "uq_deferral_place",
        "deferral",
        ["folder_id", "uidvalidity", "uid"],
        unique=True,
        postgresql_where=sa.text("message_id IS NULL"),
    )
    op.create_index("uq_deferral_message_id", "deferral", ["message_id"], unique=True)
    op.create_index("ix_deferral_mailbox_id", "deferral", ["mailbox_id", "next_at"])
    op.execute(_WHAT_IS_UNREADABLE)
    op.add_column("folder", sa.Column("permanent", postgresql.ARRAY(sa.Text)))


def downgrade() -> None:
    op.drop_column("folder", "permanent")
    op.drop_table("deferral")
