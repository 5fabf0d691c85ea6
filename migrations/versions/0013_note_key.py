"""A note stores the key it was sent with, so that a double click creates one note."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("note", sa.Column("key", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("note", "key")
