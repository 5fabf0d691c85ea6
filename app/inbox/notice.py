"""Notices: whoever administers may grant themselves a role on any mailbox, and the others who administer are told.

All of it stands in the history; a notice stays until it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.event import Event, EventKind
from app.inbox.mailbox import Mailbox
from app.inbox.member import Member


@dataclass(frozen=True)
class Notice:
    event: Event
    mailbox: Mailbox


def notices(session: Session, member: Member) -> Sequence[Notice]:
    """The roles that others gave to themselves since `member` is here, as far as not read yet; the oldest first."""
    if not member.is_admin:
        return []
    wanted = (
        select(Event, Mailbox)
        .join(Mailbox, Mailbox.id == Event.mailbox_id)
        .join(Member, Member.id == Event.member_id)
        .where(Event.conversation_id.is_(None), Event.id > member.told_event_id, Event.at > member.created_at)
        .where(Event.kind == EventKind.GRANTED, Event.after["role"].astext.is_not(None))
        .where(Event.after["member"].astext == Member.handle, Member.id != member.id)
        .order_by(Event.id)
    )
    return [Notice(event, mailbox) for event, mailbox in session.execute(wanted)]


def read_notices(session: Session, member: Member, up_to: int) -> None:
    """They are not shown to this member any more; later ones are."""
    known = [notice.event.id for notice in notices(session, member) if notice.event.id <= up_to]
    member.told_event_id = max([member.told_event_id, *known])
