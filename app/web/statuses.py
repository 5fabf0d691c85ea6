"""The HTTP status of each error of the domain: one table for pages and API."""

from __future__ import annotations

from app.inbox import errors
from app.inbox.errors import InboxError

_STATUS: dict[type[InboxError], int] = {
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.AlreadyClaimed: 409,
    errors.Changed: 409,
    errors.Gone: 409,
    errors.NewerMessages: 409,
    errors.AlreadySent: 409,
    errors.BeingWritten: 409,
    errors.DraftChanged: 409,
    errors.UnknownTag: 404,
    errors.Invalid: 422,
    errors.SignInRefused: 422,
    errors.TooMany: 429,
    errors.Busy: 503,
}


def status_of(error: InboxError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
