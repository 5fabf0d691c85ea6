"""History of the mailboxes one may see, newest first."""

from __future__ import annotations

from typing import Any

from app.db import transaction
from app.inbox import find, history
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
    """Who did what, when, from where; `until` itself is not included."""
    with transaction() as session:
        member = caller(session)
        if query.mailbox is not None:
            find.mailbox(session, member, query.mailbox)
        conversation = query.conversation and find.conversation(session, member, query.conversation).id
        found, following = history.events(
            session,
            member,
            mailbox_id=query.mailbox,
            conversation_id=conversation,
            actor=query.actor,
            kind=query.kind,
            since=query.since,
            until=query.until,
            cursor=query.cursor,
            limit=query.limit,
        )
        return {"items": [event.shape() for event in found], "next": following}
