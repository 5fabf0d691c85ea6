"""Originals and attachments. They are on the mail server: the first call requests one (202), the worker fetches it, and
a later call returns it. A stranger's content is sent as a download and never sniffed."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.message import Message
from app.inbox.lists import find
from app.inbox.server import download
from app.inbox.server.download import Download
from app.web.api import errors
from app.web.api.access import caller
from app.web.api.blueprint import ID, bp, streamed
from app.web.conversation.message import disposition

_FAILURES = {
    "gone": (404, "not_found", "It is no longer on the mail server."),
    "too large": (422, "too_large", "It is too large to be fetched."),
}


@bp.get(f"/messages/{ID}/source")
@streamed("files", 200, 202)
def source(id: int) -> Response:
    """The mail as received, message/rfc822; 202 while it is being fetched from the mail server."""
    with transaction() as session:
        message = find.message(session, caller(), id)
        if message.unreadable and message.body is not None and message.body.source:  # otherwise the server has it
            return _file(iter([message.body.source]), "message/rfc822", f"mail-{id}.eml")
        return _answer(session, message, "", "message/rfc822", f"mail-{id}.eml")


@bp.get(f"/attachments/{ID}")
@streamed("files", 200, 202)
def attachment(id: int) -> Response:
    """An attachment; 202 while it is being fetched from the mail server."""
    with transaction() as session:
        attached = find.attachment(session, caller(), id)
        return _answer(session, attached.message, attached.part, attached.type, attached.filename)


def _answer(session: Session, message: Message, part: str, type_: str, filename: str) -> Response:
    job: Download = download.ask(session, message, part)
    if job.state == "ready":
        response = _file(download.content(job.id), type_, filename)
        response.content_length = job.size
        return response
    if job.state == "failed" and job.error in _FAILURES:
        return errors.answer(*_FAILURES[job.error])
    if job.state == "failed":
        refused = errors.answer(503, "not_fetched", "The mail server did not deliver it. Try again later.")
        refused.headers["Retry-After"] = "30"  # after that it is requested again
        return refused
    return Response(status=202, headers={"Retry-After": "1"})


def _file(data: Iterator[bytes], type_: str, filename: str) -> Response:
    response = Response(data, mimetype=type_)
    response.headers["Content-Disposition"] = disposition("attachment", filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
