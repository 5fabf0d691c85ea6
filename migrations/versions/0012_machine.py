"""The kind of machine that wrote a mail, the deciding sign, and the result of a bounce replace two marks.

Stored mails only have a mark as automatic or bounce: an automatic mail counts as an automatic reply."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"

_NEWEST = """
    UPDATE conversation SET last_machine = message.machine FROM message
    WHERE message.conversation_id = conversation.id AND message.machine IS NOT NULL AND NOT EXISTS (
      SELECT FROM message AS newer WHERE newer.conversation_id = conversation.id
        AND (newer.received_at, cardinality(newer."references"), newer.identity)
          > (message.received_at, cardinality(message."references"), message.identity))
"""
#: Conversations that a machine began now wait as well.
_BEGUN = """
    UPDATE conversation SET waiting_since = message.received_at FROM message
    WHERE message.conversation_id = conversation.id AND message.machine IS NOT NULL AND message.direction = 'in'
      AND conversation.merged_into_id IS NULL AND coalesce(conversation.handled_at < message.received_at, true)
      AND coalesce(message.received_at < conversation.waiting_since, true) AND NOT EXISTS (
        SELECT FROM message AS other WHERE other.conversation_id = conversation.id AND (
          other.direction = 'out' AND other.received_at >= message.received_at
          OR (other.received_at, cardinality(other."references"), other.identity)
            < (message.received_at, cardinality(message."references"), message.identity)))
"""


def upgrade() -> None:
    op.add_column("message", sa.Column("machine", sa.Text()))
    op.add_column("message", sa.Column("machine_sign", sa.Text(), server_default="", nullable=False))
    op.alter_column("message", "machine_sign", server_default=None)
    op.add_column("message", sa.Column("undelivered", JSONB()))
    op.add_column("conversation", sa.Column("last_machine", sa.Text()))
    op.execute("UPDATE message SET machine = CASE WHEN bounce THEN 'bounce' ELSE 'auto_reply' END WHERE auto OR bounce")
    op.execute(_NEWEST)
    op.execute(_BEGUN)
    op.drop_column("message", "bounce")
    op.drop_column("message", "auto")


def downgrade() -> None:
    for name in ("auto", "bounce"):
        op.add_column("message", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
        op.alter_column("message", name, server_default=None)
    op.execute("UPDATE message SET bounce = true WHERE machine = 'bounce'")
    op.execute("UPDATE message SET auto = true WHERE machine IN ('auto_reply', 'receipt', 'report', 'generated')")
    op.drop_column("conversation", "last_machine")
    for name in ("undelivered", "machine_sign", "machine"):
        op.drop_column("message", name)
