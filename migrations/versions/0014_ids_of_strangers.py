"""Several conversations may name one Message-ID, so strangers who name it are no longer joined."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_constraint("pk_known_id", "known_id")
    op.create_primary_key("pk_known_id", "known_id", ["mailbox_id", "message_id", "conversation_id"])


def downgrade() -> None:
    op.execute(
        """
        DELETE FROM known_id USING known_id AS older
        WHERE older.mailbox_id = known_id.mailbox_id AND older.message_id = known_id.message_id
          AND older.conversation_id < known_id.conversation_id
        """
    )
    op.drop_constraint("pk_known_id", "known_id")
    op.create_primary_key("pk_known_id", "known_id", ["mailbox_id", "message_id"])
