"""Invitations are stored as values, so that pages show them in the reader's language."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("body", sa.Column("appointments", JSONB, nullable=False, server_default="[]"))
    op.alter_column("body", "appointments", server_default=None)


def downgrade() -> None:
    op.drop_column("body", "appointments")
