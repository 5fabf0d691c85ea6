"""Mail that takes long to parse is read after other mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("deferral", sa.Column("slow", sa.Boolean, nullable=False, server_default=sa.false()))
    op.alter_column("deferral", "slow", server_default=None)


def downgrade() -> None:
    op.drop_column("deferral", "slow")
