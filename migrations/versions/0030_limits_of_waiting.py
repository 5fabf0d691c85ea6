"""The limits for late and over, per mailbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_DEFAULTS = {"late_minutes": "120", "over_minutes": "360"}


def upgrade() -> None:
    for name, minutes in _DEFAULTS.items():
        op.add_column("mailbox", sa.Column(name, sa.Integer, nullable=False, server_default=minutes))
        op.alter_column("mailbox", name, server_default=None)


def downgrade() -> None:
    for name in _DEFAULTS:
        op.drop_column("mailbox", name)
