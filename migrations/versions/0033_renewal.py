"""The version of the parser that read a mailbox's stored mails, and how far an upgrade has read them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("mailbox", sa.Column("read_version", sa.Integer, nullable=False, server_default="0"))
    op.alter_column("mailbox", "read_version", server_default=None)
    op.add_column("mailbox", sa.Column("renew_below", sa.Integer))


def downgrade() -> None:
    op.drop_column("mailbox", "renew_below")
    op.drop_column("mailbox", "read_version")
