"""Claim next: work without choosing."""

from __future__ import annotations

from typing import Any

from app.db import transaction
from app.inbox.actor import api
from app.inbox.conversations.locking import claim_next
from app.inbox.lists import find
from app.web.api.access import acting
from app.web.api.blueprint import bp, described
from app.web.api.conversations import shape_of
from app.web.api.shapes import Body, Conversation, Id


class Claim(Body):
    mailbox: Id


@bp.post("/claims")
@described("claims", Conversation, also=(204, 403))
def claim(json: Claim) -> dict[str, Any] | tuple[str, int]:
    """Claim the conversation that has waited longest; 204 if none waits. Simultaneous callers get different ones."""
    with transaction() as session:
        member = acting(session)
        claimed = claim_next(session, find.mailbox(session, member, json.mailbox), by=api(member))
    return ("", 204) if claimed is None else shape_of(claimed.id)
