"""Whether a copy is what a move of ours left behind: its twin was found in the other folder, and it was still there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("copy", sa.Column("left_behind", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("copy", "left_behind", server_default=None)


def downgrade() -> None:
    op.drop_column("copy", "left_behind")
