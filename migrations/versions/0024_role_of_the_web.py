"""A database role with fewer rights can serve the pages. Functions of the owner do for it what it may not do itself.

The chain's trigger writes as the owner. A mailbox gets servers only from an attempt that a worker has tested, and only
a worker records its result.
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"

_SERVERS = ["imap_host", "imap_port", "imap_security", "imap_ca", "imap_user", "imap_secret"]
_SERVERS += ["smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_secret"]
_TAKE_SERVERS = """
CREATE FUNCTION take_servers(attempt_id integer) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE mailbox SET (SERVERS) = (TRIED)
  FROM attempt
  WHERE attempt.id = take_servers.attempt_id AND attempt.mailbox_id = mailbox.id AND attempt.stage = 'found'
$$
"""
_TRIED_BY_WORKER = """
CREATE FUNCTION attempt_is_tried_by_worker() RETURNS trigger LANGUAGE plpgsql AS $$
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
    AND (NEW.stage = 'asked' OR (NEW.stage = OLD.stage AND (NEWS) IS NOT DISTINCT FROM (OLDS))) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Only a worker says what it found.' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.execute("ALTER FUNCTION event_is_chained() SECURITY DEFINER SET search_path = public, pg_temp")
    op.execute(_TAKE_SERVERS.replace("SERVERS", ", ".join(_SERVERS)).replace("TRIED", _of("attempt")))
    op.execute("REVOKE EXECUTE ON FUNCTION event_is_chained(), take_servers(integer) FROM PUBLIC")
    op.execute(_TRIED_BY_WORKER.replace("NEWS", _of("NEW")).replace("OLDS", _of("OLD")))
    op.execute(
        "CREATE TRIGGER attempt_is_tried_by_worker BEFORE INSERT OR UPDATE ON attempt"
        " FOR EACH ROW EXECUTE FUNCTION attempt_is_tried_by_worker()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER attempt_is_tried_by_worker ON attempt")
    op.execute("DROP FUNCTION attempt_is_tried_by_worker, take_servers")
    op.execute("GRANT EXECUTE ON FUNCTION event_is_chained() TO PUBLIC")
    op.execute("ALTER FUNCTION event_is_chained() SECURITY INVOKER RESET search_path")


def _of(row: str) -> str:
    return ", ".join(f"{row}.{column}" for column in _SERVERS)
