"""Attempts, comparisons, choices and downloads wait in queues of one form. Downgrading keeps waiting jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_TABLES = ("attempt", "comparison", "difference", "download")
_SERVERS = ["imap_host", "imap_port", "imap_security", "imap_ca", "imap_user", "imap_secret"]
_SERVERS += ["smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_secret"]
_TRIED_BY_WORKER = """
CREATE OR REPLACE FUNCTION attempt_is_tried_by_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.stage = 'asked' AND NEW.report = '{}' AND NEW.found = '[]' AND NEW.keyword_limit IS NULL THEN
      RETURN NEW;
    END IF;
  ELSIF (NEW.id, NEW.member_id, NEW.mailbox_id, NEW.report, NEW.found, NEW.keyword_limit)
      IS NOT DISTINCT FROM (OLD.id, OLD.member_id, OLD.mailbox_id, OLD.report, OLD.found, OLD.keyword_limit)
    AND (NEW.stage = 'asked'ASKED OR (NEW.stage = OLD.stage AND (NEWS) IS NOT DISTINCT FROM (OLDS))) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Only a worker says what it found.' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("due_at", sa.DateTime(timezone=True)))
        op.add_column(table, sa.Column("expires_at", sa.DateTime(timezone=True)))
        op.add_column(table, sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
        op.alter_column(table, "tries", server_default=None)
        op.add_column(table, sa.Column("lease", sa.Uuid()))
    # Jobs in progress are enqueued again, because the older worker does not know leases.
    op.execute("UPDATE attempt SET expires_at = touched_at + interval '15 minutes'")
    op.execute("UPDATE attempt SET stage = 'asked', due_at = now() WHERE stage IN ('asked', 'trying')")
    op.execute("UPDATE comparison SET stage = 'asked', due_at = now() WHERE stage IN ('asked', 'comparing')")
    op.execute("UPDATE difference SET due_at = now() WHERE waits")
    op.execute("UPDATE download SET due_at = asked_at WHERE state = 'waiting'")
    op.alter_column("attempt", "expires_at", nullable=False)
    op.drop_column("attempt", "touched_at")
    for table in ("attempt", "comparison", "difference"):
        op.drop_column(table, "tried_at")
    op.drop_index("ix_difference_waiting", "difference")
    op.drop_column("difference", "waits")
    op.drop_index("ix_download_waiting", "download")
    _index("due_at IS NOT NULL", "due_at IS NOT NULL")
    # A worker's result counts for the servers it was leased with.
    _tried_by_worker(" AND (NEW.lease IS NULL OR (NEWS) IS NOT DISTINCT FROM (OLDS))", "lease")


def downgrade() -> None:
    op.add_column("attempt", sa.Column("touched_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE attempt SET touched_at = expires_at - interval '15 minutes'")
    op.alter_column("attempt", "touched_at", nullable=False)
    for table in ("attempt", "comparison", "difference"):
        op.add_column(table, sa.Column("tried_at", sa.DateTime(timezone=True)))
    op.add_column("difference", sa.Column("waits", sa.Boolean(), server_default="false", nullable=False))
    op.alter_column("difference", "waits", server_default=None)
    op.execute("UPDATE difference SET waits = due_at IS NOT NULL")
    op.drop_index("ix_difference_waiting", "difference")
    op.drop_index("ix_download_waiting", "download")
    _index("waits", "state = 'waiting'")
    _tried_by_worker("", None)
    for table in _TABLES:
        for column in ("due_at", "expires_at", "tries", "lease"):
            op.drop_column(table, column)


def _index(difference: str, download: str) -> None:
    for table, condition in (("difference", difference), ("download", download)):
        op.create_index(f"ix_{table}_waiting", table, ["mailbox_id"], postgresql_where=sa.text(condition))


def _tried_by_worker(asked: str, lease: str | None) -> None:
    """In the role of the pages, too, servers stay those that a worker was leased with."""
    fixed = [*_SERVERS, lease] if lease else _SERVERS
    function = _TRIED_BY_WORKER.replace("ASKED", asked)
    op.execute(function.replace("NEWS", _of("NEW", fixed)).replace("OLDS", _of("OLD", fixed)))


def _of(row: str, columns: list[str]) -> str:
    return ", ".join(f"{row}.{column}" for column in columns)
