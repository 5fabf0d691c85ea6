"""The status of a conversation."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.conversations.conversation import Conversation as Found
from app.inbox.errors import N_, Invalid
from app.inbox.status import Status
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act
from app.web.api.shapes import Body, Conversation, Moment


class NewStatus(Body):
    """`until` belongs to snoozed; without it the snooze ends on the next working day at 09:00."""

    status: Literal["open", "pending", "snoozed", "closed", "spam"]
    until: Moment | None = None
    if_revision: int | None = None


@bp.put(f"/conversations/{ID}/status")
@described("status", Conversation, also=(403, 409))
def status(id: int, json: NewStatus) -> dict[str, Any]:
    """Open, pending, snoozed, closed or spam."""
    status_ = Status(json.status)
    if json.until is not None and status_ is not Status.SNOOZED:
        raise Invalid(
            "until", N_("Only the status snoozed takes a wake-up time. Leave the time out, or snooze the conversation.")
        )

    def do(_session: Session, conversation: Found, by: Actor) -> None:
        conversation.require_revision(json.if_revision)
        conversation.change_status(status_, by=by, until=json.until)

    return act(id, do)
