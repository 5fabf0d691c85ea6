"""HTML is stored in its displayed form. Existing HTML is `raw`, and the worker cleans it in the background.

The columns get their value without rewriting the table; building the index reads it once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("body", sa.Column("html_form", sa.Text, nullable=False, server_default="raw"))
    op.add_column("body", sa.Column("has_remote_images", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("body", sa.Column("quote_at", sa.Integer))
    op.alter_column("body", "html_form", server_default=None)
    op.alter_column("body", "has_remote_images", server_default=None)
    op.create_index("ix_body_raw", "body", [sa.text("message_id DESC")], postgresql_where=sa.text("html_form = 'raw'"))


def downgrade() -> None:
    """An older release cleans the displayed form again, which only changes its pictures."""
    op.drop_index("ix_body_raw", "body")
    for column in ("quote_at", "has_remote_images", "html_form"):
        op.drop_column("body", column)
