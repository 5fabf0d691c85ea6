"""The mailboxes that the member may see."""

from __future__ import annotations

from typing import Any

from app.db import read_only
from app.inbox.lists import find
from app.web.api import show
from app.web.api.access import caller
from app.web.api.blueprint import bp, described
from app.web.api.shapes import Mailboxes


@bp.get("/mailboxes")
@described("mailboxes", Mailboxes)
def mailboxes() -> dict[str, Any]:
    """The mailboxes that the member may see, with their role and the health."""
    with read_only() as session:
        member = caller()
        return {"items": [show.mailbox(session, member, m) for m in find.mailboxes(session, member)], "next": None}
