"""The stream that an open page reads."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_login import current_user
from sqlalchemy import select

from app.db import transaction
from app.inbox.lists.find import visible_to
from app.inbox.people.member import Member
from app.inbox.people.session import member_signed_in
from app.web.access import me
from app.web.live import NoRoom, Still, hub
from app.web.log import expect_refusal

bp = Blueprint("live", __name__)


@bp.get("/stream")
def stream() -> Response:
    """Changes in the mailboxes that the member may see. 503 if there is no room: the page then polls."""
    key = current_user.key
    return event_stream(me(), still=lambda session: member_signed_in(session, key) is not None, fresh=True)


def event_stream(member: Member, *, still: Still, fresh: bool) -> Response:
    """Server-sent events for a member, for pages and API alike. Raises NoRoom."""
    with transaction() as session:
        mailboxes = list(session.scalars(select(visible_to(member).subquery())))
    try:
        frames = hub.subscribe(member, mailboxes, still, fresh=fresh)
    except NoRoom:
        expect_refusal()
        raise
    response = Response(frames, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must not buffer it
    return response
