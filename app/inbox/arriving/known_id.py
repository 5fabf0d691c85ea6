"""KnownId: which conversations name a Message-ID, as a mail's own or as a reference.

Several conversations may name one id. ties.py decides whether a mail that names it belongs to one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base
from app.rows import json_of

#: An index entry holds 2,700 bytes, so a longer id is stored as its hash.
_LONGEST_ID = 500
_REMEMBER = text(
    """
    INSERT INTO known_id (mailbox_id, message_id, conversation_id)
    SELECT :mailbox, pair ->> 0, CAST(pair ->> 1 AS int) FROM json_array_elements(CAST(:pairs AS json)) AS pair
    ON CONFLICT DO NOTHING
    """
)
_MOVE = text(
    """
    WITH moved AS (
      DELETE FROM known_id USING unnest(CAST(:sources AS int[]), CAST(:targets AS int[])) AS pair (source, target)
      WHERE conversation_id = source RETURNING mailbox_id, message_id, target)
    INSERT INTO known_id (mailbox_id, message_id, conversation_id) SELECT * FROM moved ON CONFLICT DO NOTHING
    """
)
#: The mail with the id has moved to another conversation; another mail with the same id may have stayed.
_FORGET_OWN = text(
    """
    DELETE FROM known_id WHERE mailbox_id = :mailbox AND message_id = :short AND conversation_id = :source
      AND NOT EXISTS (SELECT FROM message WHERE conversation_id = :source AND message_id = :own)
    """
)


class KnownId(Base):
    __tablename__ = "known_id"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)  # in the form of `short`
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True, index=True)


def short(id_: str) -> str:
    """The id in lower case, or the hash of a long one. Some gateways change the case; ties.py keeps strangers apart."""
    id_ = id_.lower()
    if len(id_) * 4 <= _LONGEST_ID:
        return id_
    raw = id_.encode("utf-8", "replace")
    return id_ if len(raw) <= _LONGEST_ID else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def remember(session: Session, mailbox_id: int, pairs: Iterable[tuple[str, int]]) -> None:
    """Record that these conversations name these ids."""
    if found := sorted(set(pairs)):
        session.execute(_REMEMBER, {"mailbox": mailbox_id, "pairs": json_of(found)})


def move_all(session: Session, sources: Sequence[int], targets: Sequence[int]) -> None:
    """Ids named in each source are now named in the target at the same index."""
    session.execute(_MOVE, {"sources": sources, "targets": targets})


def move_own(session: Session, mailbox_id: int, own_id: str, source: int, target: int) -> None:
    """Record that a mail with this id moved from one conversation to the other. Its references stay in the old one."""
    remember(session, mailbox_id, [(short(own_id), target)])
    session.execute(_FORGET_OWN, {"mailbox": mailbox_id, "short": short(own_id), "source": source, "own": own_id})
