"""Live changes, as server-sent events."""

from __future__ import annotations

from flask import Response

from app.inbox.people.token import valid_token
from app.web.api.access import caller, token
from app.web.api.blueprint import bp, streamed
from app.web.live_page import event_stream


@bp.get("/stream")
@streamed("stream", 200, 503)
def stream() -> Response:
    """`conversation` {id, mailbox, revision}, `counts` {mailbox, view: n…}, `health` {mailbox, state}; `resync` at the
    start, and if events may have been lost."""
    key = token()
    return event_stream(caller(), still=lambda session: valid_token(session, key) is not None, fresh=False)
