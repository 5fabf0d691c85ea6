"""Notes for the team only."""

from __future__ import annotations

from typing import Any

from flask import request

from app.inbox.conversations.note import count_note
from app.web.api.access import caller
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act
from app.web.api.shapes import Body, Conversation, Text


class NewNote(Body):
    text: Text


@bp.post(f"/conversations/{ID}/notes")
@described("notes", Conversation, 201, also=(403,))
def add_note(id: int, json: NewNote) -> tuple[dict[str, Any], int]:
    """Add a note. The response is the conversation with its notes. With a header `Idempotency-Key` the same note sent
    again is added once."""
    count_note(caller().id)
    key = request.headers.get("Idempotency-Key")
    return act(id, lambda session, conversation, by: conversation.add_note(json.text, by=by, key=key)), 201
