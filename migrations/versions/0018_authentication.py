"""A trusted mail server's result for a mail's sender, and the servers that a mailbox trusts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("message", sa.Column("authentication", sa.Text()))
    op.add_column("mailbox", sa.Column("authserv_ids", ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.alter_column("mailbox", "authserv_ids", server_default=None)


def downgrade() -> None:
    op.drop_column("mailbox", "authserv_ids")
    op.drop_column("message", "authentication")
