"""Finds the conversation of a bounce that names no mail of ours, by failed recipient, subject and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.inbox.arriving.subject import topic
from app.inbox.arriving.thread import join, refresh
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import locked
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status

if TYPE_CHECKING:
    from app.inbox.arriving.arrival import Arrival

#: Servers try for five days (RFC 5321 section 4.5.4.1) and may then wait for each other.
_LONGEST_WAY = dt.timedelta(days=6)
_CLOCKS_DIFFER = dt.timedelta(hours=1)
#: Most mails are refused at once. A bounce this soon after exactly one of several mails is about that one.
_SOON = dt.timedelta(minutes=15)
#: Bounces handled in one transaction.
_SOME = 100
_SENT = text(
    """
    SELECT conversation_id, subject, received_at BETWEEN at - CAST(:soon AS interval) AND at AS is_near
    FROM unnest(CAST(:times AS timestamptz[])) AS at
      JOIN message ON mailbox_id = :mailbox AND direction = 'out' AND :address = ANY(addresses)
        AND received_at BETWEEN at - CAST(:way AS interval) AND at + CAST(:clocks AS interval)
    ORDER BY received_at DESC LIMIT 100
    """
)
#: Bounces that are alone in their conversations.
_ALONE = text(
    """
    SELECT message.id, conversation_id, message.subject, received_at, date, undelivered
    FROM message JOIN conversation ON conversation.id = conversation_id AND message_count = 1 AND status = 'open'
      AND NOT conversation.mirrored
    WHERE message.mailbox_id = :mailbox AND message.id > :after AND message.machine = 'bounce'
      AND undelivered IS NOT NULL
    ORDER BY message.id LIMIT :some
    """
)


def conversation_of_bounce(session: Session, mailbox: Mailbox, bounce: Arrival) -> int | None:
    """The one conversation in which we recently wrote to this recipient about the subject in the bounce. None if there
    is no such conversation, or more than one."""
    if bounce.machine != "bounce" or not bounce.undelivered:
        return None
    times = [bounce.received_at, bounce.date or bounce.received_at]  # imported mail has the sender's time
    return _found(session, mailbox, bounce.undelivered, times, _subjects(bounce.returned_subject, bounce.subject))


def join_bounces(session: Session, mailbox: Mailbox, after: int) -> int | None:
    """After an import, which reads bounces before the mail we sent: join some of the bounces that are alone with the
    conversations they are about. `after`: the id of a message; only bounces above it are read. Returns the id of the
    last one, or None if none is left."""
    bounces = session.execute(_ALONE, {"mailbox": mailbox.id, "after": after, "some": _SOME}).all()
    for bounce in bounces:
        told = bounce.undelivered
        times = [bounce.received_at, bounce.date or bounce.received_at]
        target = _found(session, mailbox, told, times, _subjects(told.get("subject", ""), bounce.subject))
        if target is not None and target != bounce.conversation_id:
            _join(session, bounce, target)
    return bounces[-1].id if bounces else None


def with_subject(undelivered: Mapping[str, Any] | None, subject: str) -> dict[str, Any] | None:
    """The stored details of a bounce, including the subject of the mail it is about, for `join_bounces`."""
    if undelivered is None:
        return None
    return {**undelivered, "subject": subject} if subject else dict(undelivered)


def _found(
    session: Session, mailbox: Mailbox, told: Mapping[str, Any], times: Sequence[dt.datetime], about: frozenset[str]
) -> int | None:
    address = str(told.get("address", "")).lower()
    if not address:
        return None
    asked = {"mailbox": mailbox.id, "address": address, "times": times, "soon": _SOON}
    rows = session.execute(_SENT, asked | {"way": _LONGEST_WAY, "clocks": _CLOCKS_DIFFER}).all()
    rows = [row for row in rows if not about or about & topic(row.subject).names]
    if told.get("delayed"):
        return _only(rows, lambda _: True)
    return _only(rows, lambda _: True) or _only(rows, lambda row: row.is_near)


def _only(rows: Sequence[Row[Any]], fits: Callable[[Row[Any]], bool]) -> int | None:
    conversations = {row.conversation_id for row in rows if fits(row)}
    return conversations.pop() if len(conversations) == 1 else None


def _subjects(returned: str, own: str) -> frozenset[str]:
    """Subjects of the bounced mail, as quoted or after "Undeliverable:"; empty if the bounce has none."""
    if returned:
        return topic(returned).names
    about = topic(own)
    return about.names if about.is_answer else frozenset()


def _join(session: Session, bounce: Row[Any], target: int) -> None:
    """The conversation keeps its owner and status. A bounce with a state of its own stays separate."""
    conversations = {c.id: c for c in locked(session, [bounce.conversation_id, target])}
    own, other = conversations[bounce.conversation_id], conversations[target]
    if other.merged_into_id is not None or not _is_untouched(own):
        return
    own.last_at = min(own.last_at, other.last_at - dt.timedelta(microseconds=1))
    [joined] = join(session, [[own, other]])
    refresh(session, [joined.id])
    [joined] = locked(session, [joined.id])
    joined.changed()


def _is_untouched(conversation: Conversation) -> bool:
    return (
        conversation.merged_into_id is None
        and conversation.status == Status.OPEN
        and conversation.assigned_name is None
        and conversation.assignee_id is None
        and not conversation.mirrored
    )
