"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

#: The history only grows: nobody may change, delete or empty it, not even the program itself.
_REFUSE = """
CREATE FUNCTION event_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The history only grows: % on % is refused.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$
"""
#: The events of a transaction become the next link of the chain (app/inbox/history/chain.py) when it commits, not
#: before: the links take turns, the acts themselves do not. The trigger fires once for each event. The first call does
#: the work for all, and records up to which event.
_CHAIN = """
CREATE FUNCTION event_is_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  done bigint := coalesce(nullif(current_setting('signalbox.chained', true), ''), '0')::bigint;
  last event_chain;
  ids bigint[];
  sums bytea[];
  written bytea;
BEGIN
  IF NEW.id <= done THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock(5319002);
  SELECT * INTO last FROM event_chain ORDER BY number DESC LIMIT 1;
  SELECT array_agg(id ORDER BY id), array_agg(digest ORDER BY id), string_agg(digest, '' ORDER BY id)
  INTO ids, sums, written FROM (
    SELECT id, sha256(convert_to(jsonb_build_array(id, (extract(epoch FROM at) * 1000000)::bigint, mailbox_id,
      conversation_id, kind, source, member_id, (extract(epoch FROM not_before) * 1000000)::bigint,
      before, after)::text, 'UTF8')) AS digest
    FROM event WHERE id >= NEW.id AND id > done AND tx = pg_current_xact_id()::text::bigint) AS mine;
  INSERT INTO event_chain (number, events, digests, digest) VALUES (coalesce(last.number, 0) + 1, ids, sums,
    sha256(coalesce(last.digest, '') || written));
  PERFORM set_config('signalbox.chained', ids[cardinality(ids)]::text, true);
  RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE CONSTRAINT TRIGGER event_is_chained AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION event_is_chained()",
    *(
        f"CREATE TRIGGER {name} BEFORE {what} ON {table} {each} EXECUTE FUNCTION event_only_grows()"
        for table in ("event", "event_chain")
        for name, what, each in (
            (f"{table}_only_grows", "UPDATE OR DELETE", "FOR EACH ROW"),
            (f"{table}_never_emptied", "TRUNCATE", "FOR EACH STATEMENT"),
        )
    ),
)


def upgrade() -> None:
    op.create_table(
        "mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imap_host", sa.Text(), nullable=False),
        sa.Column("imap_port", sa.Integer(), nullable=False),
        sa.Column("imap_security", sa.Text(), nullable=False),
        sa.Column("imap_ca", sa.Text(), nullable=True),
        sa.Column("imap_user", sa.Text(), nullable=False),
        sa.Column("imap_secret", sa.LargeBinary(), nullable=False),
        sa.Column("smtp_host", sa.Text(), nullable=True),
        sa.Column("smtp_port", sa.Integer(), nullable=True),
        sa.Column("smtp_security", sa.Text(), nullable=True),
        sa.Column("smtp_user", sa.Text(), nullable=True),
        sa.Column("smtp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("assigned_prefix", sa.Text(), nullable=False),
        sa.Column("state_prefix", sa.Text(), nullable=False),
        sa.Column("keyword_limit", sa.Integer(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("agents_assign", sa.Boolean(), nullable=False),
        sa.Column("marks_seen", sa.Boolean(), nullable=False),
        sa.Column("import_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_choice", sa.Text(), nullable=False),
        sa.Column("close_older_than_days", sa.Integer(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_total", sa.Integer(), nullable=False),
        sa.Column("import_done", sa.Integer(), nullable=False),
        sa.Column("last_round_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("pulls", sa.Integer(), nullable=False),
        sa.Column("holder_pid", sa.Integer(), nullable=True),
        sa.Column("holder_beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
        sa.UniqueConstraint("name", name=op.f("uq_mailbox_name")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("density", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("email", name=op.f("uq_member_email")),
        sa.UniqueConstraint("handle", name=op.f("uq_member_handle")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name=op.f("pk_throttle")),
    )
    op.create_table(
        "invitation",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_invitation_member_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_invitation")),
        sa.UniqueConstraint("member_id", name=op.f("uq_invitation_member_id")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imap_host", sa.Text(), nullable=False),
        sa.Column("imap_port", sa.Integer(), nullable=False),
        sa.Column("imap_security", sa.Text(), nullable=False),
        sa.Column("imap_ca", sa.Text(), nullable=True),
        sa.Column("imap_user", sa.Text(), nullable=False),
        sa.Column("imap_secret", sa.LargeBinary(), nullable=False),
        sa.Column("smtp_host", sa.Text(), nullable=True),
        sa.Column("smtp_port", sa.Integer(), nullable=True),
        sa.Column("smtp_security", sa.Text(), nullable=True),
        sa.Column("smtp_user", sa.Text(), nullable=True),
        sa.Column("smtp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_server", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("keyword_limit", sa.Integer(), nullable=True),
        sa.Column("watched", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("import_choice", sa.Text(), nullable=False),
        sa.Column("import_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_older_than_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_attempt_mailbox_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_attempt_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("assigned_name", sa.Text(), nullable=True),
        sa.Column("starred", sa.Boolean(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("split_from_id", sa.Integer(), nullable=True),
        sa.Column("agreed_owner", sa.Text(), nullable=True),
        sa.Column("agreed_status", sa.Text(), nullable=False),
        sa.Column("agreed_star", sa.Boolean(), nullable=False),
        sa.Column("agreed_tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("mirrored", sa.Boolean(), nullable=False),
        sa.Column("push_needed", sa.Boolean(), nullable=False),
        sa.Column("conflict", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("from_address", sa.Text(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("has_attachments", sa.Boolean(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_direction", sa.Text(), nullable=False),
        sa.Column("last_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unseen", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["member.id"], name=op.f("fk_conversation_assignee_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_conversation_mailbox_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["conversation.id"], name=op.f("fk_conversation_merged_into_id")),
        sa.ForeignKeyConstraint(["split_from_id"], ["conversation.id"], name=op.f("fk_conversation_split_from_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint("mailbox_id", "number", name=op.f("uq_conversation_mailbox_id_number")),
    )
    op.create_index(
        "ix_conversation_all",
        "conversation",
        ["mailbox_id", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_conversation_merged",
        "conversation",
        ["merged_into_id"],
        unique=False,
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_conversation_mine",
        "conversation",
        ["assignee_id", "mailbox_id", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("status = 'open' AND place = 'here'"),
    )
    op.create_index(
        "ix_conversation_place",
        "conversation",
        ["mailbox_id", "place", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("place <> 'here'"),
    )
    op.create_index(
        "ix_conversation_push", "conversation", ["mailbox_id"], unique=False, postgresql_where=sa.text("push_needed")
    )
    op.create_index(
        "ix_conversation_snoozed",
        "conversation",
        ["snoozed_until"],
        unique=False,
        postgresql_where=sa.text("status = 'snoozed'"),
    )
    op.create_index(
        "ix_conversation_starred",
        "conversation",
        ["mailbox_id", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("starred AND place = 'here'"),
    )
    op.create_index(
        "ix_conversation_status",
        "conversation",
        ["mailbox_id", "status", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("place = 'here'"),
    )
    op.create_index(
        "ix_conversation_unassigned",
        "conversation",
        ["mailbox_id", "waiting_since", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' AND assignee_id IS NULL AND place = 'here'"),
    )
    op.create_table(
        "failure",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_failure_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "kind", name=op.f("pk_failure")),
    )
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("uidnext", sa.BigInteger(), nullable=True),
        sa.Column("highestmodseq", sa.BigInteger(), nullable=True),
        sa.Column("start_uid", sa.BigInteger(), nullable=False),
        sa.Column("import_uid", sa.BigInteger(), nullable=False),
        sa.Column("keywords", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("server_count", sa.Integer(), nullable=True),
        sa.Column("reset_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_folder_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint("mailbox_id", "name", name=op.f("uq_folder_mailbox_id_name")),
    )
    op.create_table(
        "grant",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_grant_mailbox_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_grant_member_id")),
        sa.PrimaryKeyConstraint("member_id", "mailbox_id", name=op.f("pk_grant")),
    )
    op.create_index(op.f("ix_grant_mailbox_id"), "grant", ["mailbox_id"], unique=False)
    op.create_table(
        "mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_mapping_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping")),
        sa.UniqueConstraint("mailbox_id", "name", name=op.f("uq_mapping_mailbox_id_name")),
    )
    op.create_table(
        "session",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_session_member_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_member_id"), "session", ["member_id"], unique=False)
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("hue", sa.Integer(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("alias_of_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["alias_of_id"], ["tag.id"], name=op.f("fk_tag_alias_of_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_tag_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
    )
    op.create_index("uq_tag_mailbox_id_name", "tag", ["mailbox_id", sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_token_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_token_key_hash")),
    )
    op.create_index(op.f("ix_token_member_id"), "token", ["member_id"], unique=False)
    op.create_table(
        "conversation_tag",
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_conversation_tag_conversation_id")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_conversation_tag_tag_id")),
        sa.PrimaryKeyConstraint("conversation_id", "tag_id", name=op.f("pk_conversation_tag")),
    )
    op.create_index(
        "ix_conversation_tag_list",
        "conversation_tag",
        ["tag_id", sa.literal_column("last_at DESC"), sa.literal_column("conversation_id DESC")],
        unique=False,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        sa.Column("conversation_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "tx", sa.BigInteger(), server_default=sa.text("((pg_current_xact_id())::text)::bigint"), nullable=False
        ),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_event_conversation_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_event_mailbox_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_event_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_conversation_id_id", "event", ["conversation_id", "id"], unique=False)
    op.create_index(
        "ix_event_member_id_id",
        "event",
        ["member_id", "id"],
        unique=False,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index("ix_event_mailbox_id_id", "event", ["mailbox_id", "id"], unique=False)
    op.create_table(
        "event_chain",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("digests", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_event_chain")),
    )
    op.create_table(
        "known_id",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_known_id_conversation_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_known_id_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "message_id", name=op.f("pk_known_id")),
    )
    op.create_index(op.f("ix_known_id_conversation_id"), "known_id", ["conversation_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("references", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("from_address", sa.Text(), nullable=False),
        sa.Column("reply_to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cc", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("addresses", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("auto", sa.Boolean(), nullable=False),
        sa.Column("bounce", sa.Boolean(), nullable=False),
        sa.Column("newcomer", sa.Boolean(), nullable=False),
        sa.Column("own_address", sa.Boolean(), nullable=False),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
        sa.Column("has_attachments", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("forwarded", sa.Boolean(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_message_conversation_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_message_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(
        "ix_message_conversation_id_received_at", "message", ["conversation_id", "received_at"], unique=False
    )
    op.create_index("uq_message_mailbox_id_identity", "message", ["mailbox_id", "identity"], unique=True)
    op.create_index(
        "ix_message_unreadable", "message", ["mailbox_id"], unique=False, postgresql_where=sa.text("unreadable")
    )
    op.create_index(
        "ix_message_mailbox_id_received_at",
        "message",
        ["mailbox_id", sa.literal_column("received_at DESC")],
        unique=False,
    )
    op.create_index("ix_message_search", "message", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_note_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_conversation_id"), "note", ["conversation_id"], unique=False)
    op.create_table(
        "reading",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_reading_conversation_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_reading_member_id")),
        sa.PrimaryKeyConstraint("member_id", "conversation_id", name=op.f("pk_reading")),
    )
    op.create_index(op.f("ix_reading_conversation_id"), "reading", ["conversation_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attachment_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_message_id"), "attachment", ["message_id"], unique=False)
    op.create_table(
        "body",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("source", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_body_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_body")),
    )
    op.create_table(
        "copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("keywords", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("shown", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("pushing", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("earlier", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refuses", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("held", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("beside_pull", sa.Integer(), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_pull", sa.Integer(), nullable=True),
        sa.Column("unmatched_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_folder_id", sa.Integer(), nullable=True),
        sa.Column("moving_folder_id", sa.Integer(), nullable=True),
        sa.Column("came_from_folder_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["came_from_folder_id"], ["folder.id"], name=op.f("fk_copy_came_from_folder_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name=op.f("fk_copy_folder_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_copy_message_id")),
        sa.ForeignKeyConstraint(["moving_folder_id"], ["folder.id"], name=op.f("fk_copy_moving_folder_id")),
        sa.ForeignKeyConstraint(["wanted_folder_id"], ["folder.id"], name=op.f("fk_copy_wanted_folder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy")),
    )
    op.create_index(
        "ix_copy_gone_at", "copy", ["gone_at"], unique=False, postgresql_where=sa.text("gone_at IS NOT NULL")
    )
    op.create_index(
        "uq_copy_place",
        "copy",
        ["folder_id", "uidvalidity", "uid"],
        unique=True,
        postgresql_where=sa.text("gone_at IS NULL AND unmatched_since IS NULL"),
    )
    op.create_index(
        "ix_copy_live", "copy", ["folder_id", "uid"], unique=False, postgresql_where=sa.text("gone_at IS NULL")
    )
    op.create_index(op.f("ix_copy_message_id"), "copy", ["message_id"], unique=False)
    op.create_index(
        "ix_copy_pushing", "copy", ["folder_id"], unique=False, postgresql_where=sa.text("pushing IS NOT NULL")
    )
    op.create_index(
        "ix_copy_refusing", "copy", ["folder_id"], unique=False, postgresql_where=sa.text("refuses <> '{}'")
    )
    op.create_index("ix_copy_holding", "copy", ["folder_id"], unique=False, postgresql_where=sa.text("held <> '{}'"))
    op.create_index(
        "ix_copy_moving",
        "copy",
        ["folder_id"],
        unique=False,
        postgresql_where=sa.text("moving_folder_id IS NOT NULL"),
    )
    op.create_table(
        "download",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_download_mailbox_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_download_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download")),
        sa.UniqueConstraint("message_id", "part", name=op.f("uq_download_message_id_part")),
    )
    op.create_index(
        "ix_download_waiting", "download", ["mailbox_id"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "download_chunk",
        sa.Column("download_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["download_id"], ["download.id"], name=op.f("fk_download_chunk_download_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("download_id", "position", name=op.f("pk_download_chunk")),
    )
    op.execute(_REFUSE)
    op.execute(_CHAIN)
    for trigger in _TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.drop_table("download_chunk")
    op.drop_index("ix_download_waiting", table_name="download", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_table("download")
    op.drop_index("ix_copy_holding", table_name="copy", postgresql_where=sa.text("held <> '{}'"))
    op.drop_index("ix_copy_refusing", table_name="copy", postgresql_where=sa.text("refuses <> '{}'"))
    op.drop_index("ix_copy_moving", table_name="copy", postgresql_where=sa.text("moving_folder_id IS NOT NULL"))
    op.drop_index("ix_copy_pushing", table_name="copy", postgresql_where=sa.text("pushing IS NOT NULL"))
    op.drop_index(op.f("ix_copy_message_id"), table_name="copy")
    op.drop_index(
        "uq_copy_place", table_name="copy", postgresql_where=sa.text("gone_at IS NULL AND unmatched_since IS NULL")
    )
    op.drop_index("ix_copy_live", table_name="copy", postgresql_where=sa.text("gone_at IS NULL"))
    op.drop_index("ix_copy_gone_at", table_name="copy", postgresql_where=sa.text("gone_at IS NOT NULL"))
    op.drop_table("copy")
    op.drop_table("body")
    op.drop_index(op.f("ix_attachment_message_id"), table_name="attachment")
    op.drop_table("attachment")
    op.drop_index(op.f("ix_reading_conversation_id"), table_name="reading")
    op.drop_table("reading")
    op.drop_index(op.f("ix_note_conversation_id"), table_name="note")
    op.drop_table("note")
    op.drop_index("ix_message_search", table_name="message", postgresql_using="gin")
    op.drop_index("ix_message_mailbox_id_received_at", table_name="message")
    op.drop_index("ix_message_unreadable", table_name="message", postgresql_where=sa.text("unreadable"))
    op.drop_index("uq_message_mailbox_id_identity", table_name="message")
    op.drop_index("ix_message_conversation_id_received_at", table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_known_id_conversation_id"), table_name="known_id")
    op.drop_table("known_id")
    op.drop_table("event_chain")
    op.drop_index("ix_event_member_id_id", table_name="event", postgresql_where=sa.text("member_id IS NOT NULL"))
    op.drop_index("ix_event_mailbox_id_id", table_name="event")
    op.drop_index("ix_event_conversation_id_id", table_name="event")
    op.drop_table("event")
    op.drop_index("ix_conversation_tag_list", table_name="conversation_tag")
    op.drop_table("conversation_tag")
    op.drop_index(op.f("ix_token_member_id"), table_name="token")
    op.drop_table("token")
    op.drop_index("uq_tag_mailbox_id_name", table_name="tag")
    op.drop_table("tag")
    op.drop_index(op.f("ix_session_member_id"), table_name="session")
    op.drop_table("session")
    op.drop_table("mapping")
    op.drop_index(op.f("ix_grant_mailbox_id"), table_name="grant")
    op.drop_table("grant")
    op.drop_table("folder")
    op.drop_table("failure")
    op.drop_index(
        "ix_conversation_unassigned",
        table_name="conversation",
        postgresql_where=sa.text("status = 'open' AND assignee_id IS NULL AND place = 'here'"),
    )
    op.drop_index("ix_conversation_status", table_name="conversation", postgresql_where=sa.text("place = 'here'"))
    op.drop_index(
        "ix_conversation_starred", table_name="conversation", postgresql_where=sa.text("starred AND place = 'here'")
    )
    op.drop_index("ix_conversation_snoozed", table_name="conversation", postgresql_where=sa.text("status = 'snoozed'"))
    op.drop_index("ix_conversation_push", table_name="conversation", postgresql_where=sa.text("push_needed"))
    op.drop_index("ix_conversation_place", table_name="conversation", postgresql_where=sa.text("place <> 'here'"))
    op.drop_index(
        "ix_conversation_merged", table_name="conversation", postgresql_where=sa.text("merged_into_id IS NOT NULL")
    )
    op.drop_index(
        "ix_conversation_mine",
        table_name="conversation",
        postgresql_where=sa.text("status = 'open' AND place = 'here'"),
    )
    op.drop_index("ix_conversation_all", table_name="conversation")
    op.drop_table("conversation")
    op.drop_table("attempt")
    op.drop_table("invitation")
    op.drop_table("throttle")
    op.drop_table("member")
    op.drop_table("mailbox")
    op.execute("DROP FUNCTION event_only_grows, event_is_chained")
