"""The number of times the connection ended at the same mails of a folder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("folder", sa.Column("drops", sa.Integer, nullable=False, server_default="0"))
    op.alter_column("folder", "drops", server_default=None)
    op.add_column("folder", sa.Column("drop_uid", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("folder", "drop_uid")
    op.drop_column("folder", "drops")
