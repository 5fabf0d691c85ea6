"""Errors of the domain as JSON: `{"error": {"code", "message", …}}`, mapped once, here. Messages are English."""

from __future__ import annotations

import logging
import math
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.inbox import errors
from app.inbox.errors import InboxError
from app.web.live import NoRoom
from app.web.statuses import status_of

log = logging.getLogger(__name__)

_CODES = {
    400: ("bad_request", "The request could not be read: send one JSON document."),
    401: ("unauthorized", "Send a token: `Authorization: Bearer TOKEN`. `flask member token HANDLE` makes one."),
    404: ("not_found", "Not found, or you don’t have access."),
    405: ("method_not_allowed", "This page does not support that action."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "Send JSON, with `Content-Type: application/json`."),
    503: ("unavailable", "The database does not answer. Try again in a moment."),
}
_BROKEN = ("internal", "Something went wrong on our side; it is in the log.")


class TooManyCalls(Exception):
    """The token's calls are used up for now."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.retry_after = max(1, math.ceil(wait))


def init_blueprint(bp: Blueprint) -> None:
    bp.register_error_handler(InboxError, refused)
    bp.register_error_handler(ValidationError, invalid)
    bp.register_error_handler(TooManyCalls, _too_many)
    bp.register_error_handler(HTTPException, http)
    bp.register_error_handler(NoRoom, lambda error: away(error, 15))
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        bp.register_error_handler(gone, _database_away)
    bp.register_error_handler(DataError, _impossible)
    bp.register_error_handler(Exception, _broken)


def refused(error: InboxError) -> Response:
    response = answer(status_of(error), error.code, str(error), **_more(error))
    if isinstance(error, errors.TooMany | errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def invalid(error: ValidationError) -> Response:
    """The first invalid field, by its name in the request."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or "body"
    return answer(422, "invalid", f"{field}: {first['msg'].removeprefix('Value error, ')}.", field=field)


def http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = _CODES.get(status, _BROKEN)
    response = answer(status, code, message)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def away(error: Exception, seconds: int) -> Response:
    code, message = _CODES[503]
    response = answer(503, code, message if isinstance(error, DBAPIError) else "There is no room now. Try again later.")
    response.headers["Retry-After"] = str(seconds)
    return response


def answer(status: int, code: str, message: str, **more: Any) -> Response:
    response = jsonify(error={"code": code, "message": message, **more})
    response.status_code = status
    return response


def _more(error: InboxError) -> dict[str, Any]:
    match error:
        case errors.AlreadyClaimed():
            return {"assignee": error.by}
        case errors.BeingWritten():
            return {"writer": error.by}
        case errors.Changed() | errors.DraftChanged():
            return {"revision": error.revision}
        case errors.NewerMessages():
            return {"messages": error.message_ids}
        case errors.UnknownTag():
            return {"tag": error.name}
        case errors.Invalid():
            return {"field": error.field}
    return {}


def _too_many(error: TooManyCalls) -> Response:
    response = answer(429, "too_many", f"Too many calls. Wait {error.retry_after} seconds, then go on.")
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _database_away(error: Exception) -> Response:
    log.error("The database does not answer: %s", type(error).__name__)
    return away(error, 5)


def _impossible(error: DataError) -> Response:
    """A number or a text that Postgres cannot store, in a cursor that we never created."""
    return answer(422, "invalid", "A value in the call is beyond what can be stored.")


def _broken(error: Exception) -> Response:
    log.error("A call failed", exc_info=error)
    return answer(500, *_BROKEN)
