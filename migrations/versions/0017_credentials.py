"""Members can see, name, limit and end their sessions and tokens. Sessions, tokens and links of disabled members end
permanently."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_DISABLED = "SELECT id FROM member WHERE disabled_at IS NOT NULL"


def upgrade() -> None:
    op.add_column("session", sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False))
    op.create_unique_constraint(op.f("uq_session_id"), "session", ["id"])
    op.add_column("token", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column("token", sa.Column("reads_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in ("name", "reads_only"):
        op.alter_column("token", name, server_default=None)
    op.add_column("token", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("token", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"DELETE FROM session WHERE member_id IN ({_DISABLED})")  # noqa: S608  words of ours
    op.execute(f"DELETE FROM invitation WHERE member_id IN ({_DISABLED})")  # noqa: S608  words of ours
    op.execute(f"UPDATE token SET revoked_at = now() WHERE revoked_at IS NULL AND member_id IN ({_DISABLED})")  # noqa: S608  words of ours


def downgrade() -> None:
    for name in ("used_at", "expires_at", "reads_only", "name"):
        op.drop_column("token", name)
    op.drop_constraint(op.f("uq_session_id"), "session")
    op.drop_column("session", "id")
