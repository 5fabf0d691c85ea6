"""The number of consecutive rejections of a copy's move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("copy", sa.Column("moves_refused", sa.Integer(), server_default="0", nullable=False))
    op.alter_column("copy", "moves_refused", server_default=None)


def downgrade() -> None:
    op.drop_column("copy", "moves_refused")
