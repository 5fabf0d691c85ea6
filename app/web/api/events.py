"""History of the mailboxes that the member may see, newest first; administrators see every mailbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.db import read_only
from app.inbox.conversations.conversation import Conversation
from app.inbox.errors import NotFound
from app.inbox.history.event import event_shape
from app.inbox.lists import find, history
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.web.api.access import caller
from app.web.api.blueprint import bp, described
from app.web.api.shapes import Events, Id, Moment, Page, Text


class WantedEvents(Page):
    mailbox: Id | None = None
    conversation: Id | None = None
    actor: Text | None = None
    kind: Text | None = None
    since: Moment | None = None
    until: Moment | None = None


@bp.get("/events")
@described("events", Events)
def events(query: WantedEvents) -> dict[str, Any]:
    """The history, newest first; `until` is exclusive."""
    with read_only() as session:
        member = caller()
        rows, following = history.events(
            session,
            member,
            mailbox_id=query.mailbox and _mailbox(session, member, query.mailbox),
            conversation_id=query.conversation and _conversation(session, member, query.conversation),
            actor=query.actor,
            kind=query.kind,
            since=query.since,
            until=query.until,
            cursor=query.cursor,
            limit=query.limit,
        )
        return {"items": [event_shape(event) for event in rows], "next": following}


def _mailbox(session: Session, member: Member, id_: int) -> int:
    """Administrators audit every mailbox, because the history holds only ids and values, and no text of a mail."""
    if not member.is_admin:
        return find.mailbox(session, member, id_).id
    if session.get(Mailbox, id_) is None:
        raise NotFound
    return id_


def _conversation(session: Session, member: Member, id_: int) -> int:
    """The same for a conversation. If it was merged, this is the one that has its messages."""
    if not member.is_admin:
        return find.conversation(session, member, id_).id
    conversation = session.get(Conversation, id_)
    if conversation is None:
        raise NotFound
    return id_ if conversation.merged_into_id is None else _conversation(session, member, conversation.merged_into_id)
