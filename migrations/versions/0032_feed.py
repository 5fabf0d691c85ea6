"""The positions of the feed's readers. Downgrading deletes them; readers then begin with later events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "feed_cursor",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("link", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_feed_cursor")),
    )


def downgrade() -> None:
    op.drop_table("feed_cursor")
