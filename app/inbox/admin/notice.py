"""Notices: changes that give someone access to mail, shown to the member concerned and to all other administrators.

The history is the only source. A member stores the last event they have read (`told_event_id`). `_RULES` is the table
of events and readers. Changes by commands on the server are shown, too; their events have no member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.db import rows
from app.inbox.history.event import EventKind
from app.inbox.people.member import Member

#: A page shows the oldest few; the next ones follow once these were read.
SHOWN = 5
#: We do not count further.
MOST = 100

_BY_ANOTHER = "event.member_id IS DISTINCT FROM subject.id"
_NOT_BY_ME = "event.member_id IS DISTINCT FROM %(me)s"
_WITH_A_LINK = "(event.after ->> 'link')::boolean IS TRUE"
_EMAIL_CHANGED = """event.after -> 'changed' @> '["email"]'"""
_MADE_ADMIN = """event.after -> 'changed' @> '["admin"]' AND (event.after ->> 'admin')::boolean"""


@dataclass(frozen=True)
class _Rule:
    kind: EventKind
    condition: str
    member: bool = True  # shown to the member concerned
    admins: bool = True  # shown to the other administrators


_RULES = (
    _Rule(EventKind.MEMBER_INVITED, _BY_ANOTHER),
    _Rule(EventKind.PASSWORD_SET, _BY_ANOTHER),
    _Rule(EventKind.PASSWORD_SET, _WITH_A_LINK, admins=False),  # they see the notice about the link
    _Rule(EventKind.MEMBER_ADDED, "true", member=False),
    _Rule(EventKind.MEMBER_ENABLED, _BY_ANOTHER),
    _Rule(EventKind.MEMBER_CHANGED, f"{_BY_ANOTHER} AND ({_EMAIL_CHANGED} OR {_MADE_ADMIN})"),
    _Rule(EventKind.GRANTED, "event.after ->> 'role' IS NOT NULL"),
    _Rule(EventKind.TOKEN_MADE, _BY_ANOTHER),
)


@dataclass(frozen=True)
class Notice:
    """`subject_id` is the member concerned, `member_name` the one who acted; `mailbox_name` is set for a role."""

    event_id: int
    at: dt.datetime
    kind: str
    after: dict[str, Any]
    member_id: int | None
    member_name: str | None
    subject_id: int
    subject_name: str
    mailbox_name: str | None


@dataclass(frozen=True)
class _Count:
    count: int


def notices(session: Session, member: Member) -> list[Notice]:
    """The oldest unread ones, at most `SHOWN`."""
    return rows(session, _OLDEST[member.is_admin], Notice, **_values(member))


def count_notices(session: Session, member: Member) -> int:
    """The number of unread notices, at most `MOST`."""
    return rows(session, _COUNT[member.is_admin], _Count, **_values(member))[0].count


def read_notices(session: Session, member: Member, up_to: int) -> None:
    """Mark those of `notices` as read whose event is not after `up_to`. Notices that were not shown stay unread."""
    read = [notice.event_id for notice in notices(session, member) if notice.event_id <= up_to]
    member.told_event_id = max([member.told_event_id, *read])


def _values(member: Member) -> dict[str, Any]:
    """The parameters of `_UNREAD_OF`."""
    return {"me": member.id, "told_event_id": member.told_event_id, "created_at": member.created_at}


def _any_of(rules: Iterable[_Rule]) -> str:
    return " OR ".join(f"(event.kind = '{rule.kind}' AND {rule.condition})" for rule in rules)


#: An act by somebody else, or with a link, because anyone who has the link can use it in the member's name.
_CONCERNS_ME = f"""
    subject.id = %(me)s AND ({_NOT_BY_ME} OR event.kind = '{EventKind.PASSWORD_SET}' AND {_WITH_A_LINK})
    AND ({_any_of(rule for rule in _RULES if rule.member)})
"""
_IS_TOLD_TO_ADMINS = f"""
    subject.id <> %(me)s AND {_NOT_BY_ME} AND ({_any_of(rule for rule in _RULES if rule.admins)})
"""
_UNREAD = """
    FROM event JOIN member AS subject ON subject.handle = event.after ->> 'member'
    LEFT JOIN member AS actor ON actor.id = event.member_id LEFT JOIN mailbox ON mailbox.id = event.mailbox_id
    WHERE event.conversation_id IS NULL AND event.id > %(told_event_id)s AND event.at > %(created_at)s
"""
#: For administrators and others.
_UNREAD_OF = {
    True: f"{_UNREAD} AND (({_CONCERNS_ME}) OR ({_IS_TOLD_TO_ADMINS}))",
    False: f"{_UNREAD} AND {_CONCERNS_ME}",
}
_OLDEST = {
    is_admin: f"""
        SELECT event.id AS event_id, event.at, event.kind, event.after, event.member_id, actor.name AS member_name,
          subject.id AS subject_id, subject.name AS subject_name, mailbox.name AS mailbox_name
        {unread} ORDER BY event.id LIMIT {SHOWN}
    """
    for is_admin, unread in _UNREAD_OF.items()
}
_COUNT = {
    is_admin: f"SELECT count(*) AS count FROM (SELECT 1 {unread} LIMIT {MOST}) AS unread"  # noqa: S608  words of ours
    for is_admin, unread in _UNREAD_OF.items()
}
