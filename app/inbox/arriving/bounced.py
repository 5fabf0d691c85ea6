"""Finds the conversation of a bounce that names no mail of ours, by failed recipient, subject and time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.inbox.arriving.subject import topic
from app.inbox.mailboxes.mailbox import Mailbox

if TYPE_CHECKING:
    from app.inbox.arriving.arrival import Arrival

#: Servers try for five days (RFC 5321 section 4.5.4.1) and may then wait for each other.
_LONGEST_WAY = dt.timedelta(days=6)
_CLOCKS_DIFFER = dt.timedelta(hours=1)
_SENT = text(
    """
    SELECT conversation_id, subject FROM unnest(CAST(:times AS timestamptz[])) AS at
      JOIN message ON mailbox_id = :mailbox AND direction = 'out' AND :address = ANY(addresses)
        AND received_at BETWEEN at - CAST(:way AS interval) AND at + CAST(:clocks AS interval)
    ORDER BY received_at DESC LIMIT 100
    """
)


def conversation_of_bounce(session: Session, mailbox: Mailbox, bounce: Arrival) -> int | None:
    """The one conversation in which we recently wrote to this recipient about the subject in the bounce. None if there
    is no such conversation, or more than one."""
    address = str((bounce.undelivered or {}).get("address", "")).lower()
    if bounce.machine != "bounce" or not address:
        return None
    times = [bounce.received_at, bounce.date or bounce.received_at]  # imported mail has the sender's time
    asked = {"mailbox": mailbox.id, "address": address, "times": times, "way": _LONGEST_WAY, "clocks": _CLOCKS_DIFFER}
    rows = session.execute(_SENT, asked).all()
    about = _subjects(bounce)
    conversations = {conversation for conversation, subject in rows if not about or about & topic(subject).names}
    return conversations.pop() if len(conversations) == 1 else None


def _subjects(bounce: Arrival) -> frozenset[str]:
    """Subjects of the bounced mail, as quoted or after "Undeliverable:"; empty if the bounce has none."""
    if bounce.returned_subject:
        return topic(bounce.returned_subject).names
    own = topic(bounce.subject)
    return own.names if own.is_answer else frozenset()
