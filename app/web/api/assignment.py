"""The owner of a conversation: claim, assign, take over, release."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.conversations.conversation import Conversation as Found
from app.inbox.errors import CannotOwn, Changed
from app.inbox.lists import find
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act
from app.web.api.shapes import Body, Conversation, Text


class Assignment(Body):
    """`if_revision`: refuse if the conversation differs from what the caller last saw."""

    assignee: Text
    take_over: bool = False
    if_revision: int | None = None


@bp.put(f"/conversations/{ID}/assignment")
@described("assignment", Conversation, also=(403, 409))
def assign(id: int, json: Assignment) -> dict[str, Any]:
    """Claim it, or assign it to another member. 409 `already_claimed` names the owner."""

    def do(session: Session, conversation: Found, by: Actor) -> None:
        # the usual case: no member needs to be found
        claims = by.member is not None and by.member.handle == json.assignee
        to = by.member if claims else find.member_by_handle(session, json.assignee)
        if to is None:
            raise CannotOwn(json.assignee)
        seen = conversation.revision
        conversation.assign(to, by=by, take_over=json.take_over)
        if conversation.revision != seen and json.if_revision not in (None, seen):
            # checked last: a conflict of owners is reported before one of revisions, and a repeated claim changes
            # nothing
            raise Changed(seen)

    return act(id, do)


@bp.delete(f"/conversations/{ID}/assignment")
@described("assignment", Conversation, also=(403, 409))
def release(id: int) -> dict[str, Any]:
    """Remove the owner. 409 `already_claimed` if it belongs to another member."""
    return act(id, lambda session, conversation, by: conversation.release(by=by))
