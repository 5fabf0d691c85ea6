"""The caller of the API. Every call needs a token. There are no cookies, so other sites cannot forge calls."""

from __future__ import annotations

from flask import g, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, Unauthorized, UnsupportedMediaType

from app.db import read_only, transaction
from app.inbox.errors import NotAllowed
from app.inbox.people.member import Member, taken_into
from app.inbox.people.token import note_use, use_is_news, valid_token
from app.inbox.replies.upload import LARGEST_FORM
from app.web.api.errors import TooManyCalls
from app.web.bucket import take

#: Most calls are short: the longest is a note of 20,000 characters.
_LARGEST_BODY = 256 * 1024
#: The text of a reply may be long. A file is longer.
_LARGER_BODIES = dict.fromkeys(("api.reply", "api.new_draft", "api.change_draft"), 4 * 1024 * 1024) | {
    "api.add_upload": LARGEST_FORM
}
#: Calls that need no token.
_OPEN = {"api.openapi"}
_READING = {"GET", "HEAD", "OPTIONS"}


def check_caller() -> None:
    """Check the token of the call. Raises Unauthorized without a valid token, TooManyCalls if its calls are used up,
    NotAllowed if a read-only token would change something."""
    if request.endpoint in _OPEN:
        return
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized
    with read_only() as session:
        token = valid_token(session, key.strip())
    if token is None:
        raise Unauthorized
    if wait := take(key.strip()):
        raise TooManyCalls(wait)
    if token.reads_only and request.method not in _READING:
        raise NotAllowed("write")
    if use_is_news(token):
        with transaction() as session:
            note_use(session, token)
    g.caller = token.member


def check_body() -> None:
    """A body must be JSON, or a form with a file, and not large. Raises RequestEntityTooLarge, UnsupportedMediaType,
    BadRequest."""
    most = request.max_content_length = _LARGER_BODIES.get(request.endpoint or "", _LARGEST_BODY)
    if request.mimetype == "multipart/form-data" and request.endpoint == "api.add_upload":
        return
    body = request.get_data()
    if len(body) >= most:  # a chunked body is cut there
        raise RequestEntityTooLarge
    if not body:
        return
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        request.get_json()
    except RecursionError as error:  # nested on purpose
        raise BadRequest from error


def caller() -> Member:
    """The member of the token."""
    member: Member = g.caller
    return member


def acting(session: Session) -> Member:
    """The same member as an object of the act's session."""
    return taken_into(session, caller())


def token() -> str:
    """The token of this call."""
    return request.headers.get("Authorization", "").partition(" ")[2].strip()
