"""Handles and ids of members and mailboxes cannot be changed, because the history refers to them."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION fixed_for_life() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION 'Ids and handles are fixed for life: the history names people and mailboxes by them.';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER member_fixed_for_life BEFORE UPDATE ON member FOR EACH ROW"
        " WHEN (OLD.id <> NEW.id OR OLD.handle <> NEW.handle) EXECUTE FUNCTION fixed_for_life()"
    )
    op.execute(
        "CREATE TRIGGER mailbox_fixed_for_life BEFORE UPDATE OF id ON mailbox FOR EACH ROW"
        " WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION fixed_for_life()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER mailbox_fixed_for_life ON mailbox")
    op.execute("DROP TRIGGER member_fixed_for_life ON member")
    op.execute("DROP FUNCTION fixed_for_life")
