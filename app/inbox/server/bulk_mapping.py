"""Bulk mapping: sets the owner or the status that a keyword now means, on any number of conversations at once. The
result is the same as with the verbs of `conversation.py`. One by one, ten thousand would be locked for more than ten
seconds, and nobody could claim any of them.

The caller locks the conversations, and has checked that the actor may do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.announcements import ConversationChanged
from app.clock import now
from app.db import announce, insert_rows
from app.inbox.actor import Actor
from app.inbox.arriving.thread import refresh
from app.inbox.conversations import bulk
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.status import Status

#: Conversations that nobody acted on, and where nothing waits for a person. Conversations that are gone from the server
#: are excluded.
_FREE = text(
    """
    SELECT id FROM conversation
    WHERE id = ANY(:ids) AND assignee_id IS NULL AND assigned_name IS NULL AND status = 'open' AND place <> 'gone'
      AND coalesce(conflict, 'null') = 'null' AND frozen = '{}'
    """
)


def assign_free(session: Session, mailbox: Mailbox, ids: Sequence[int], to: Member, *, by: Actor) -> list[int]:
    """Assign those that are open and unowned, on both sides. Returns their ids. Objects already loaded in the session
    are not updated."""
    rows = bulk.assign(session, _free(session, ids), to.id, to.handle)
    kind = EventKind.CLAIMED if by.member is not None and by.member.id == to.id else EventKind.ASSIGNED
    return _tell(session, mailbox, rows, kind, {"assignee": None}, {"assignee": to.handle}, by=by)


def stand_free(session: Session, mailbox: Mailbox, ids: Sequence[int], status: Status, *, by: Actor) -> list[int]:
    """The same for a status."""
    until = mailbox.next_working_day() if status is Status.SNOOZED else None
    rows = bulk.change_status(session, _free(session, ids), status, until=until, at=now())
    after = {"status": status} if until is None else {"status": status, "until": until.isoformat()}
    stand = _tell(session, mailbox, rows, EventKind.STATUS, {"status": Status.OPEN}, after, by=by)
    junk = mailbox.folder("junk")
    if status is Status.SPAM and junk is not None:
        bulk.want_in_junk(session, stand, junk.id)
        refresh(session, stand)
    return stand


def _free(session: Session, ids: Sequence[int]) -> list[int]:
    return list(session.scalars(_FREE, {"ids": ids}))


def _tell(
    session: Session,
    mailbox: Mailbox,
    rows: Iterable[Any],
    kind: EventKind,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    by: Actor,
) -> list[int]:
    """Write a line in the history of each, and inform pages and push. Returns the ids."""
    revisions = dict(sorted(tuple(row) for row in rows))
    who = {"source": by.source, "member_id": by.member.id if by.member else None, "not_before": by.not_before}
    line = {"mailbox_id": mailbox.id, "kind": kind, "before": before, "after": after, **who}
    insert_rows(session, Event, [{"conversation_id": id_, **line} for id_ in revisions])
    for id_, revision in revisions.items():
        announce(session, ConversationChanged(mailbox.id, id_, revision, push=True))
    return list(revisions)
