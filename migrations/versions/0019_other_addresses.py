"""A mailbox has aliases; mail from them is the team's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column(
        "mailbox",
        sa.Column("other_addresses", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.alter_column("mailbox", "other_addresses", server_default=None)


def downgrade() -> None:
    op.drop_column("mailbox", "other_addresses")
