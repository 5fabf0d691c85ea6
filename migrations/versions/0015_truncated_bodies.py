"""A mail with more text than is stored has a mark.

Older bodies were cut at 256 KiB without a mark. They stay as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("body", sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.alter_column("body", "truncated", server_default=None)


def downgrade() -> None:
    op.drop_column("body", "truncated")
