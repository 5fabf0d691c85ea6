"""Message-IDs are stored in lower case, because some gateways change the case of the ids they pass on."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute(
        """
        INSERT INTO known_id (mailbox_id, message_id, conversation_id)
        SELECT mailbox_id, lower(message_id), conversation_id FROM known_id WHERE message_id <> lower(message_id)
        ON CONFLICT DO NOTHING
        """
    )


def downgrade() -> None:
    """The spelling that programs of the previous version search for is still there."""
