"""Threads: which messages make up a conversation, and what follows from it.

Mails that name a common Message-ID, their own or a reference, belong together if something else ties them too
(ties.py). The subject alone never joins them. The same mails in any order of arrival give the same conversations,
because a mail that is tied to two conversations joins them. `refresh` works out everything that lists show, in one
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.clock import now
from app.db import any_of, session_of
from app.inbox.actor import SYSTEM, Actor
from app.inbox.arriving.known_id import move_all, move_own
from app.inbox.conversations import derived
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.conversations.reading import Reading
from app.inbox.errors import N_, Invalid
from app.inbox.history.event import EventKind
from app.inbox.permission import Action, require

#: The number of conversations checked at once.
_MANY_GONE = 500

#: Goes conversation by conversation and message by message (OFFSET 0 prevents other joins). So the plan is good even
#: for tables without statistics, which grow fast during an import.
_REFRESH = text(
    f"""
    UPDATE conversation SET
      message_count = m.n, last_at = m.last_at, last_in_at = m.last_in, has_attachments = m.attachments,
      unseen = m.unseen, subject = m.subject, from_name = m.from_name, from_address = m.from_address,
      preview = m.preview, last_direction = m.last_direction, last_machine = m.last_machine,
      waiting_since = waits.since,
      place = {derived.PLACE}
    FROM unnest(CAST(:ids AS int[])) AS wanted (id)
      JOIN conversation AS old ON old.id = wanted.id AND old.merged_into_id IS NULL
      CROSS JOIN LATERAL (
        SELECT count(*) AS n, max(received_at) AS last_at, bool_or(has_attachments) AS attachments,
          max(received_at) FILTER (WHERE direction = 'out') AS last_out,
          max(received_at) FILTER (WHERE direction = 'in') AS last_in,
          bool_or(direction = 'in' AND NOT seen) AS unseen,
          (array_agg(subject ORDER BY received_at, named, identity))[1] AS subject,
          (array_agg(from_name ORDER BY direction, received_at, named, identity))[1] AS from_name,
          (array_agg(from_address ORDER BY direction, received_at, named, identity))[1] AS from_address,
          (array_agg(preview ORDER BY received_at DESC, named DESC, identity DESC))[1] AS preview,
          (array_agg(direction ORDER BY received_at DESC, named DESC, identity DESC))[1] AS last_direction,
          (array_agg(machine ORDER BY received_at DESC, named DESC, identity DESC))[1] AS last_machine,
          (array_agg(id ORDER BY received_at, named, identity))[1] AS first_id
        FROM (SELECT *, cardinality("references") AS named FROM message WHERE conversation_id = old.id) AS told) AS m
      CROSS JOIN LATERAL ({derived.WAITING_SINCE}) AS waits
      CROSS JOIN LATERAL ({derived.COPIES}) AS lies
    WHERE conversation.id = old.id AND m.n > 0
    """  # noqa: S608  rules of ours
)
_REFRESH_TAGS = text(
    """
    UPDATE conversation_tag SET last_at = conversation.last_at FROM conversation
    WHERE conversation.id = conversation_id AND conversation_id = ANY(:ids)
      AND conversation_tag.last_at <> conversation.last_at
    """
)
#: A sender is new in the conversation if none of the mails they answer has their address. Addresses and answers are
#: sorted by the mail they name, not joined. Postgres would compare each with each, and a stranger can send thousands. A
#: single mail answers none.
_MARK_NEWCOMERS = text(
    """
    UPDATE message SET newcomer = told.newcomer
    FROM (
      SELECT id FROM conversation WHERE id = ANY(:ids) AND (
        message_count > 1 OR EXISTS (SELECT FROM message WHERE conversation_id = conversation.id AND newcomer))
      ) AS wanted
      CROSS JOIN LATERAL (
        SELECT answer, bool_or(known) AND NOT bool_or(met) AS newcomer
        FROM (
          SELECT answer,
            count(*) FILTER (WHERE answer IS NULL) OVER (PARTITION BY name) > 0 AS known,
            count(*) FILTER (WHERE answer IS NULL) OVER (PARTITION BY name, address) > 0 AS met
          FROM (
            SELECT message_id AS name, address, NULL AS answer
            FROM message LEFT JOIN LATERAL unnest(addresses) AS address ON true
            WHERE conversation_id = wanted.id
            UNION ALL
            SELECT name, lower(from_address), id
            FROM message CROSS JOIN LATERAL unnest("references") AS name
            WHERE conversation_id = wanted.id AND direction = 'in') AS said) AS asked
        WHERE answer IS NOT NULL
        GROUP BY answer) AS told
    WHERE message.id = told.answer AND message.newcomer <> told.newcomer
    """
)
#: Goes copy by copy and conversation by conversation (OFFSET 0), for the same reason. Statistics taken before an import
#: commits say that the tables are empty. Postgres then compared each row with each row of two other tables.
_PAIRS = "unnest(CAST(:sources AS int[]), CAST(:targets AS int[])) AS pair (source, target)"
_MOVE_MESSAGES, _MOVE_NOTES, _MOVE_REPLIES = (
    text(f"UPDATE {table} SET conversation_id = target FROM {_PAIRS} WHERE conversation_id = source")  # noqa: S608  ours
    for table in ("message", "note", "reply")
)
_MOVE_TAGS = text(
    f"""
    WITH moved AS (
      DELETE FROM conversation_tag USING {_PAIRS} WHERE conversation_id = source RETURNING target, tag_id)
    INSERT INTO conversation_tag (conversation_id, tag_id, last_at)
    SELECT target, tag_id, conversation.last_at FROM moved JOIN conversation ON conversation.id = target
    ON CONFLICT DO NOTHING
    """  # noqa: S608  words of ours
)
_WITHOUT_COPY = text(
    """
    SELECT candidate.id FROM (
        SELECT DISTINCT conversation.id
        FROM (SELECT message_id FROM copy WHERE gone_at < :before OFFSET 0) AS former_copy
          CROSS JOIN LATERAL (SELECT conversation_id FROM message WHERE id = former_copy.message_id OFFSET 0) AS message
          CROSS JOIN LATERAL (
            SELECT id FROM conversation WHERE id = message.conversation_id AND place IN ('here', 'trash') OFFSET 0
          ) AS conversation) AS candidate
      CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM message CROSS JOIN LATERAL (
          SELECT FROM copy WHERE message_id = message.id AND (gone_at IS NULL OR gone_at >= :before) OFFSET 0) AS copy
        WHERE message.conversation_id = candidate.id OFFSET 0) AS copies_left
    WHERE copies_left.n = 0
    LIMIT :many
    """
)


def refresh(session: Session, ids: Iterable[int]) -> None:
    """Work out again the columns that depend on the messages and copies of these conversations."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    session.flush()
    session.execute(_REFRESH, {"ids": wanted, "gone_before": now() - derived.GRACE})
    session.execute(_REFRESH_TAGS, {"ids": wanted})
    session.execute(_MARK_NEWCOMERS, {"ids": wanted})
    _expire(session, wanted)


def mark_gone(session: Session) -> list[int]:
    """Mark conversations as `gone` whose last copy disappeared before the grace period. It handles only some of them,
    so that an emptied folder does not hold locks for long. Called every minute, repeatedly until none is left."""
    candidates = session.scalars(_WITHOUT_COPY, {"before": now() - derived.GRACE, "many": _MANY_GONE}).all()
    locked_ids = [conversation.id for conversation in locked(session, candidates)]
    refresh(session, locked_ids)
    gone = [conversation for conversation in locked(session, locked_ids) if conversation.place == "gone"]
    for conversation in gone:
        conversation.record(EventKind.GONE, SYSTEM)
    return [conversation.id for conversation in gone]


def merge(source: Conversation, target: Conversation, *, by: Actor) -> None:
    """Move the messages and notes of `source` to `target`, which keeps its owner and status. Tags are united.

    Raises Invalid if both are the same, or belong to two mailboxes."""
    require(by, Action.MERGE, source.mailbox)
    require(by, Action.MERGE, target.mailbox)
    if source.id == target.id or source.mailbox_id != target.mailbox_id:
        raise Invalid("into", N_("Only two different conversations of one mailbox can be merged."))
    session = session_of(target)
    _unite(source, target, by, _state(target))
    _move_rows(session, [(source.id, target.id)])
    refresh(session, [target.id])
    session.refresh(target)


def split(message: Message, *, by: Actor) -> Conversation:
    """Make the message its own conversation, open and unassigned. Raises Invalid for the only message."""
    old = message.conversation
    require(by, Action.MERGE, old.mailbox)
    session = session_of(old)
    if old.message_count < 2:
        raise Invalid("message", N_("It is the only message in its conversation, so it cannot be split off."))
    new = Conversation(
        mailbox_id=old.mailbox_id,
        number=old.mailbox.number_block(1),
        split_from_id=old.id,
        frozen=list(old.frozen),
        mirrored=True,
        push_needed=True,
    )
    session.add(new)
    session.flush()
    message.conversation_id = new.id
    if message.message_id is not None:
        session.flush()
        move_own(session, old.mailbox_id, message.message_id, old.id, new.id)
    if old.mirrored:
        old.want_push()
    for conversation, other in ((old, new), (new, old)):
        conversation.record(EventKind.SPLIT, by, after={"message": message.id, "conversation": other.id})
    refresh(session, [old.id, new.id])
    session.refresh(new)
    session.refresh(old)
    return new


def join(session: Session, groups: Iterable[Sequence[Conversation]]) -> list[Conversation]:
    """Join the conversations of each group, because a mail tied them together. Returns one for each group.

    The oldest number stays, with owner and status of the newest activity. The transaction that stores that mail
    refreshes its conversation."""
    targets, pairs = [], []
    for conversations in groups:
        target, *others = sorted(conversations, key=lambda c: c.number)
        before = _state(target)
        _take_newest(target, conversations)
        for other in others:
            _unite(other, target, SYSTEM, before)
            before = _state(target)
        targets.append(target)
        pairs += [(other.id, target.id) for other in others]
    _move_rows(session, pairs)
    return targets


def _take_newest(target: Conversation, conversations: Sequence[Conversation]) -> None:
    """Owner and status of the newest activity."""
    newest = max(conversations, key=lambda c: (c.last_at, c.number))
    if newest is not target:
        target.assignee, target.assignee_id = newest.assignee, newest.assignee_id
        target.assigned_name = newest.assigned_name
        target.status, target.snoozed_until = newest.status, newest.snoozed_until
        target.handled_at = newest.handled_at
        target.agreed_owner, target.agreed_status = newest.agreed_owner, newest.agreed_status


def _unite(source: Conversation, target: Conversation, by: Actor, before: dict[str, Any]) -> None:
    """Combine the columns of two conversations. `before`: the target's previous state. Both get a line in the
    history."""
    target.starred = target.starred or source.starred
    if target.split_from_id in (None, source.id):
        target.split_from_id = source.split_from_id
    target.frozen = sorted({*target.frozen, *source.frozen})
    target.mirrored = target.mirrored or source.mirrored or by.member is not None
    if source.push_needed or target.mirrored:
        target.want_push()
    target.last_at = max(target.last_at, source.last_at)
    source.merged_into_id, source.place, source.frozen = target.id, "merged", []
    source.pushed()
    source.record(EventKind.MERGED, by, before=_state(source), after={"conversation": target.id, **_state(target)})
    target.record(EventKind.MERGED, by, before=before, after={"conversation": source.id, **_state(target)})


def _move_rows(session: Session, pairs: Sequence[tuple[int, int]]) -> None:
    """Give the rows of the first conversation of each pair to the second."""
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    asked = {"sources": sources, "targets": targets}
    session.flush()
    for statement in (_MOVE_MESSAGES, _MOVE_NOTES, _MOVE_REPLIES, _MOVE_TAGS):
        session.execute(statement, asked)
    move_all(session, sources, targets)
    session.execute(delete(Reading).where(Reading.conversation_id == any_of(sources)))


def _state(conversation: Conversation) -> dict[str, Any]:
    return {"assignee": conversation.owner, "status": str(conversation.status)}


def _expire(session: Session, ids: Sequence[int]) -> None:
    """Rows changed by SQL are read again at the next use. Unsaved changes were flushed before."""
    changed = set(ids)
    for thing in list(session.identity_map.values()):
        if (isinstance(thing, Conversation) and thing.id in changed) or isinstance(thing, Message):
            session.expire(thing)
