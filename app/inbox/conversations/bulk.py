"""Bulk: the verbs of one conversation or copy, applied to many in one statement.

Callers lock the conversations first, as for a verb. Objects already loaded in the session are not updated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.vocabulary import EVERYTHING, STAR
from app.inbox.status import Status

_LOCK_REFUSED_AND_HELD = text(
    """
    SELECT conversation.id FROM conversation WHERE conversation.id IN (
      SELECT conversation_id FROM message JOIN copy ON copy.message_id = message.id JOIN folder ON folder.id = folder_id
      WHERE folder.mailbox_id = :id AND (refuses <> '{}' OR held <> '{}'))
    ORDER BY conversation.id FOR NO KEY UPDATE
    """
)
_TRY_REFUSED_AGAIN = text(
    """
    WITH freed AS (
      UPDATE copy SET refused = 0, refuses = '{}' FROM folder
      WHERE folder.id = copy.folder_id AND folder.mailbox_id = :id AND copy.refuses <> '{}' RETURNING message_id)
    UPDATE conversation SET push_needed = true FROM freed JOIN message ON message.id = freed.message_id
    WHERE conversation.id = message.conversation_id
    """
)
_HOLD_ONLY_STAR = text(
    """
    UPDATE copy SET held = ARRAY(SELECT name FROM unnest(held) AS name WHERE name = :star) FROM folder
    WHERE folder.id = copy.folder_id AND folder.mailbox_id = :id AND copy.held <> '{}'
    """
).bindparams(star=STAR)
_FREEZE = text(
    """
    WITH locked AS (
      SELECT id FROM conversation
      WHERE mailbox_id = :id AND merged_into_id IS NULL AND frozen <> :everything AND id > :last
      ORDER BY id LIMIT :many FOR NO KEY UPDATE)
    UPDATE conversation SET frozen = :everything FROM locked WHERE conversation.id = locked.id
    RETURNING conversation.id
    """
).bindparams(everything=[EVERYTHING])
_PUSH_WHAT_LACKED_ROOM = text(
    """
    UPDATE conversation SET push_needed = true
    WHERE id IN (SELECT id FROM conversation WHERE mailbox_id = :id AND lacks_room ORDER BY id FOR NO KEY UPDATE)
    """
)
_ASSIGN = text(
    """
    UPDATE conversation SET assignee_id = :owner, agreed_owner = :handle,
      mirrored = true, push_needed = true, revision = revision + 1
    WHERE id = ANY(:ids) RETURNING id, revision
    """
)
_CHANGE_STATUS = text(
    """
    UPDATE conversation SET status = :status, agreed_status = :status, snoozed_until = :until,
      handled_at = CASE WHEN :closes THEN :now ELSE handled_at END,
      waiting_since = CASE WHEN :closes THEN NULL ELSE waiting_since END,
      mirrored = true, push_needed = true, revision = revision + 1
    WHERE id = ANY(:ids) RETURNING id, revision
    """
)
_WANT_IN_JUNK = text(
    """
    WITH locked AS (
      SELECT copy.id FROM copy JOIN message ON message.id = copy.message_id
      WHERE message.conversation_id = ANY(:ids) AND message.direction = 'in' AND copy.gone_at IS NULL
        AND coalesce(wanted_folder_id, folder_id) <> :junk
      ORDER BY copy.id FOR NO KEY UPDATE OF copy)
    UPDATE copy SET came_from_folder_id = coalesce(wanted_folder_id, folder_id),
      wanted_folder_id = nullif(:junk, folder_id), moves_refused = 0
    FROM locked WHERE copy.id = locked.id
    """
)
_SHOW = text(
    """
    WITH locked AS (
      SELECT copy.id FROM copy JOIN message ON message.id = copy.message_id
      WHERE message.conversation_id = ANY(:ids) AND copy.gone_at IS NULL AND NOT :name = ANY(copy.shown)
        AND EXISTS (SELECT FROM unnest(copy.keywords) AS keyword WHERE lower(keyword) = :name)
      ORDER BY copy.id FOR NO KEY UPDATE OF copy)
    UPDATE copy SET shown = array_append(shown, :name) FROM locked WHERE copy.id = locked.id
    """
)
_FORGET = text(
    """
    WITH locked AS (
      SELECT copy.id FROM copy JOIN message ON message.id = copy.message_id
      WHERE message.mailbox_id = :mailbox AND (:name = ANY(shown) OR :name = ANY(held) OR :name = ANY(pushing))
      ORDER BY copy.id FOR NO KEY UPDATE OF copy)
    UPDATE copy SET shown = array_remove(shown, :name), held = array_remove(copy.held, :name),
      pushing = array_remove(pushing, :name)
    FROM locked WHERE copy.id = locked.id
    """
)
_PUSH = text(
    """
    UPDATE conversation SET revision = revision + 1, mirrored = mirrored OR coalesce(conflict, 'null') = 'null',
      push_needed = push_needed OR mirrored OR coalesce(conflict, 'null') = 'null'
    WHERE id = ANY(:ids) RETURNING id, revision, push_needed
    """
)

#: (conversation id, its new revision)
Revisions = Iterable[Any]


def assign(session: Session, ids: Sequence[int], owner_id: int, handle: str) -> Revisions:
    """Assign them to a member, on both sides. Their copies will be written."""
    return session.execute(_ASSIGN, {"ids": ids, "owner": owner_id, "handle": handle})


def change_status(
    session: Session, ids: Sequence[int], status: Status, *, until: dt.datetime | None, at: dt.datetime
) -> Revisions:
    """Set their status, on both sides; `until`: when a snooze ends. Their copies will be written."""
    closes = status is Status.CLOSED
    return session.execute(_CHANGE_STATUS, {"ids": ids, "status": status, "until": until, "closes": closes, "now": at})


def want_in_junk(session: Session, ids: Sequence[int], junk_id: int) -> None:
    """Want their inbound copies in Junk, and remember their folders."""
    session.execute(_WANT_IN_JUNK, {"ids": ids, "junk": junk_id})


def take_keyword_as_shown(session: Session, ids: Sequence[int], name: str) -> None:
    """A keyword becomes ours: copies that carry it count as showing it."""
    session.execute(_SHOW, {"ids": ids, "name": name})


def forget_keyword(session: Session, mailbox_id: int, name: str) -> None:
    """A keyword is no longer ours and counts as never shown. Its removal then means nothing, and push does not remove
    it."""
    session.execute(_FORGET, {"mailbox": mailbox_id, "name": name})


def want_push(session: Session, ids: Collection[int]) -> Iterable[Any]:
    """Have both sides show our values: (id, revision, whether it is pushed). If several owners wait for a person's
    choice and nobody has acted yet, nothing is written before that."""
    return session.execute(_PUSH, {"ids": list(ids)})


def want_push_of_folder(session: Session, folder_id: int) -> None:
    """More may be written in a folder than before, so its copies get what they missed."""
    here = select(Message.conversation_id).join(Copy).where(Copy.folder_id == folder_id, Copy.gone_at.is_(None))
    session.execute(
        update(Conversation)
        .where(Conversation.id.in_(here), Conversation.mirrored)
        .values(push_needed=True)
        .execution_options(synchronize_session=False)
    )


def push_what_lacked_room(session: Session, mailbox_id: int) -> None:
    """Keywords that had no room in a folder may fit now."""
    session.execute(_PUSH_WHAT_LACKED_ROOM, {"id": mailbox_id})


def try_refused_again(session: Session, mailbox_id: int) -> None:
    """Try again what the server refused to write. Locks the conversations before their copies."""
    session.execute(_LOCK_REFUSED_AND_HELD, {"id": mailbox_id})
    session.execute(_TRY_REFUSED_AGAIN, {"id": mailbox_id})


def stop_writing_keywords(session: Session, mailbox_id: int) -> None:
    """The mailbox now keeps its state only in the database. Only the star is still written, and only a lost star still
    waits for a person.

    Marks on conversations (`frozen`, `lacks_room`) may be on all of them and now mean nothing, so they stay."""
    try_refused_again(session, mailbox_id)
    session.execute(_HOLD_ONLY_STAR, {"id": mailbox_id})


def freeze(session: Session, mailbox_id: int, *, after: int = 0, most: int | None = None) -> list[int]:
    """Freeze conversations with ids above `after`. The worker compares them and unfreezes those that match."""
    return list(session.scalars(_FREEZE, {"id": mailbox_id, "last": after, "many": most}))
