"""The words of a server that refuses to show a folder, which distinguish it from a missing folder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("folder", sa.Column("refusal", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("folder", "refusal")
