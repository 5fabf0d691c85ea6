"""Whether a copy is the original that our own move left behind: the other copy was found in the target folder, and this
one still existed."""

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
