"""Event: one line of history. Append-only: a trigger in Postgres refuses UPDATE, DELETE and TRUNCATE. Another one adds
each transaction's events to a hash chain (`chain.py`), which reveals changes made by SQL.

An event holds who, when, from where, before and after, as ids and values. It never holds mail text, a customer's name
or a server's words; those stay on the message.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import now, rfc3339
from app.db import Base
from app.inbox.actor import Actor, Source


class EventKind(StrEnum):
    # a conversation
    IMPORTED = "imported"
    ARRIVED = "arrived"
    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    TAKEN_OVER = "taken over"
    RELEASED = "released"
    STATUS = "status"
    REOPENED = "reopened"
    WOKEN = "woken"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    STARRED = "starred"
    UNSTARRED = "unstarred"
    NOTED = "noted"
    NOTE_EDITED = "note edited"
    REPLY = "reply"  # a mail that the team writes goes from one state to the next
    MOVED = "moved"
    MERGED = "merged"
    SPLIT = "split"
    GONE = "gone"
    # the two sides disagreed
    CONFLICT = "conflict"
    SETTLED = "settled"
    HELD = "held"  # a keyword disappeared together with many others: a person decides
    DECIDED = "decided"  # the decision on held keywords
    ARRIVED_OLDER = "arrived older"  # a new UID whose keywords were already known
    RESET = "reset"
    # mailbox, people, tags
    MAILBOX_ADDED = "mailbox added"
    MAILBOX_CHANGED = "mailbox changed"
    FOLDER_WATCHED = "folder watched"
    FOLDER_UNWATCHED = "folder unwatched"
    FOLDER_RENAMED = "folder renamed"
    MAILBOX_MODE = "mailbox mode"  # where its state is kept
    MAILBOX_PAUSED = "mailbox paused"
    MAILBOX_RESUMED = "mailbox resumed"
    MEMBER_ADDED = "member added"
    MEMBER_INVITED = "member invited"
    MEMBER_CHANGED = "member changed"
    MEMBER_ENABLED = "member enabled"
    MEMBER_DISABLED = "member disabled"
    PASSWORD_SET = "password set"  # noqa: S105  a kind, not a secret
    GRANTED = "granted"
    TOKEN_MADE = "token made"  # noqa: S105  a kind, not a secret
    TOKENS_REVOKED = "tokens revoked"
    SESSIONS_ENDED = "sessions ended"
    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    SIGN_IN_THROTTLED = "sign-in throttled"
    TAG_MADE = "tag made"
    TAG_ADOPTED = "tag adopted"
    TAG_CHANGED = "tag changed"
    TAGS_MERGED = "tags merged"
    MAPPED = "mapped"
    UNMAPPED = "unmapped"


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_mailbox_id_id", "mailbox_id", "id"),
        Index("ix_event_conversation_id_id", "conversation_id", "id"),
        Index("ix_event_member_id_id", "member_id", "id", postgresql_where=text("member_id IS NOT NULL")),
        Index(
            "ix_event_sign_ins",
            "id",
            postgresql_where=text("kind IN ('signed in', 'sign-in refused', 'sign-in throttled')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=now)
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    kind: Mapped[str]
    source: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    not_before: Mapped[dt.datetime | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    #: The transaction that wrote it. The trigger uses it to find the events of one link.
    tx: Mapped[int] = mapped_column(
        BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint"), deferred=True
    )

    member: Mapped[Any] = relationship("Member", lazy="joined")

    @property
    def actor(self) -> str | None:
        """The handle of the member who acted."""
        return self.member.handle if self.member else None


@dataclass(frozen=True)
class EventRow:
    """An event as read, with handle and name of the member who acted."""

    id: int
    at: dt.datetime
    mailbox_id: int | None
    conversation_id: int | None
    kind: str
    source: str
    actor: str | None
    actor_name: str | None
    not_before: dt.datetime | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def event_shape(event: Event | EventRow) -> dict[str, Any]:
    """The event in the shape of API and export. `not_before` is set only for mail clients."""
    shown = {
        "id": event.id,
        "at": rfc3339(event.at),
        "mailbox": event.mailbox_id,
        "conversation": event.conversation_id,
        "kind": event.kind,
        "actor": event.actor,
        "source": event.source,
        "before": event.before,
        "after": event.after,
    }
    if event.source == Source.MAIL_CLIENT:
        shown["not_before"] = rfc3339(event.not_before) if event.not_before else None
    return shown


def record(
    session: Session,
    kind: EventKind,
    *,
    by: Actor,
    mailbox_id: int | None = None,
    conversation_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one line of history in the transaction of the act itself."""
    session.add(
        Event(
            mailbox_id=mailbox_id,
            conversation_id=conversation_id,
            kind=kind,
            source=by.source,
            member_id=by.member.id if by.member else None,
            not_before=by.not_before,
            before=before,
            after=after,
        )
    )
