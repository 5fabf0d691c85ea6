"""Notices: changes that give someone access to mail, shown to the member concerned and to all other administrators.

The history is the only source. A member stores the last event they have read (`told_event_id`). `_RULES` is the table
of events and readers. Changes by commands on the server are shown, too; their events have no member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member

#: A page shows the oldest few; the next ones follow once these were read.
SHOWN = 5
#: We do not count further.
MOST = 100

_Subject = aliased(Member)
_ME = bindparam("me", type_=Integer)
_BY_ANOTHER = Event.member_id.is_distinct_from(_Subject.id)
_WITH_A_LINK = Event.after["link"].as_boolean().is_(True)
_EMAIL_CHANGED = Event.after["changed"].contains(["email"])
_MADE_ADMIN = and_(Event.after["changed"].contains(["admin"]), Event.after["admin"].as_boolean())


@dataclass(frozen=True)
class _Rule:
    kind: EventKind
    condition: ColumnElement[bool]
    member: bool = True  # shown to the member concerned
    admins: bool = True  # shown to the other administrators


_RULES = (
    _Rule(EventKind.MEMBER_INVITED, _BY_ANOTHER),
    _Rule(EventKind.PASSWORD_SET, _BY_ANOTHER),
    _Rule(EventKind.PASSWORD_SET, _WITH_A_LINK, admins=False),  # they see the notice about the link
    _Rule(EventKind.MEMBER_ADDED, true(), member=False),
    _Rule(EventKind.MEMBER_ENABLED, _BY_ANOTHER),
    _Rule(EventKind.MEMBER_CHANGED, and_(_BY_ANOTHER, or_(_EMAIL_CHANGED, _MADE_ADMIN))),
    _Rule(EventKind.GRANTED, Event.after["role"].astext.is_not(None)),
    _Rule(EventKind.TOKEN_MADE, _BY_ANOTHER),
)


@dataclass(frozen=True)
class Notice:
    """`subject` is the member concerned; `mailbox` is set for a role."""

    event: Event
    subject: Member
    mailbox: Mailbox | None

    @property
    def after(self) -> dict[str, Any]:
        """The new values of the event; each of these kinds has some."""
        assert self.event.after is not None
        return self.event.after


def notices(session: Session, member: Member) -> Sequence[Notice]:
    """The oldest unread ones, at most `SHOWN`."""
    return [Notice(*row) for row in session.execute(_OLDEST[member.is_admin], _values(member))]


def count_notices(session: Session, member: Member) -> int:
    """The number of unread notices, at most `MOST`."""
    unread = _unread(is_admin=member.is_admin).with_only_columns(Event.id).limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(unread), _values(member)) or 0


def read_notices(session: Session, member: Member, up_to: int) -> None:
    """Mark those of `notices` as read whose event is not after `up_to`. Notices that were not shown stay unread."""
    read = [notice.event.id for notice in notices(session, member) if notice.event.id <= up_to]
    member.told_event_id = max([member.told_event_id, *read])


def _values(member: Member) -> dict[str, Any]:
    """The parameters of `_unread`."""
    return {"me": member.id, "told_event_id": member.told_event_id, "created_at": member.created_at}


def _unread(*, is_admin: bool) -> Select[Event, Member, Mailbox]:
    """The unread notices of the member `me`, see `_values`."""
    return (
        select(Event, _Subject, Mailbox)
        .join(_Subject, _Subject.handle == Event.after["member"].astext)
        .outerjoin(Mailbox, Mailbox.id == Event.mailbox_id)
        .where(
            Event.conversation_id.is_(None), Event.id > bindparam("told_event_id"), Event.at > bindparam("created_at")
        )
        .where(_concerns_me() | _is_told_to_admins() if is_admin else _concerns_me())
    )


def _concerns_me() -> ColumnElement[bool]:
    """An act by somebody else, or with a link, because anyone who has the link can use it in the member's name."""
    by_another = Event.member_id.is_distinct_from(_ME)
    with_a_link = (Event.kind == EventKind.PASSWORD_SET) & _WITH_A_LINK
    return and_(_Subject.id == _ME, by_another | with_a_link, _any_of([rule for rule in _RULES if rule.member]))


def _is_told_to_admins() -> ColumnElement[bool]:
    by_another = Event.member_id.is_distinct_from(_ME)
    return and_(_Subject.id != _ME, by_another, _any_of([rule for rule in _RULES if rule.admins]))


def _any_of(rules: Sequence[_Rule]) -> ColumnElement[bool]:
    return or_(*((Event.kind == rule.kind) & rule.condition for rule in rules))


#: For administrators and others. Built once: every page runs this query, and building it takes longer than Postgres
#: needs for it.
_OLDEST = {is_admin: _unread(is_admin=is_admin).order_by(Event.id).limit(SHOWN) for is_admin in (True, False)}
