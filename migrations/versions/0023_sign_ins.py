"""Sign-ins: known browsers, counters, and the time when the password was last entered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "known_browser",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_known_browser_member_id"),
        sa.PrimaryKeyConstraint("key_hash", "member_id", name="pk_known_browser"),
    )
    op.create_index("ix_known_browser_member_id", "known_browser", ["member_id"])
    op.create_table(
        "sign_in_count",
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outcome", name="pk_sign_in_count"),
    )
    op.create_index(
        "ix_event_sign_ins",
        "event",
        ["id"],
        postgresql_where=sa.text("kind IN ('signed in', 'sign-in refused', 'sign-in throttled')"),
    )
    op.add_column("session", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE session SET proved_at = created_at")
    op.alter_column("session", "proved_at", nullable=False)


def downgrade() -> None:
    op.drop_column("session", "proved_at")
    op.drop_index("ix_event_sign_ins", "event")
    op.drop_table("sign_in_count")
    op.drop_table("known_browser")
