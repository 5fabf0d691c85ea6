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
    """`if_revision`: refuse when the conversation is not what the caller last saw."""

    assignee: Text
    take_over: bool = False
    if_revision: int | None = None


@bp.put(f"/conversations/{ID}/assignment")
@described("assignment", Conversation, also=(403, 409))
def assign(id: int, json: Assignment) -> dict[str, Any]:
    """Claim it, or give it to another member. 409 `already_claimed` names who has it."""

    def do(session: Session, conversation: Found, by: Actor) -> None:
        claims = by.member is not None and by.member.handle == json.assignee  # the usual case: nobody is to be found
        to = by.member if claims else find.member_by_handle(session, json.assignee)
        if to is None:
            raise CannotOwn(json.assignee)
        seen = conversation.revision
        conversation.assign(to, by=by, take_over=json.take_over)
        if conversation.revision != seen and json.if_revision not in (None, seen):
            raise Changed(seen)  # only now: an owner goes before a revision, and a repeated claim changes nothing

    return act(id, do)


@bp.delete(f"/conversations/{ID}/assignment")
@described("assignment", Conversation, also=(403, 409))
def release(id: int) -> dict[str, Any]:
    """Nobody owns it any more. 409 `already_claimed` when it is another's."""
    return act(id, lambda session, conversation, by: conversation.release(by=by))
