"""Health shows when a mailbox is behind, and which mails took long to parse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "slow_mail",
        sa.Column("message_id", sa.Integer, nullable=False),
        sa.Column("mailbox_id", sa.Integer, nullable=False),
        sa.Column("folder_id", sa.Integer, nullable=False),
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_slow_mail")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_slow_mail_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_slow_mail_mailbox_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_slow_mail_folder_id"), ondelete="CASCADE"),
    )
    op.create_index("ix_slow_mail_mailbox_id", "slow_mail", ["mailbox_id", "at"])
    op.add_column("folder", sa.Column("waiting", sa.Integer, nullable=False, server_default="0"))
    op.alter_column("folder", "waiting", server_default=None)
    op.add_column("folder", sa.Column("waiting_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("folder", "waiting_since")
    op.drop_column("folder", "waiting")
    op.drop_table("slow_mail")
