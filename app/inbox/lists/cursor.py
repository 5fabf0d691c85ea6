"""Cursor: where the next page of a list begins. Opaque to clients; we do not need to trust its content."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json

from app.inbox.errors import N_, Invalid

LONGEST_PAGE = 200
#: Our cursors are shorter. JSON nested a thousand deep, or a number of a million digits, is not one of our cursors.
_LONGEST = 200


def cursor_at(at: dt.datetime | None, id_: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat() if at else None, id_]).encode()).decode()


def read_cursor(cursor: str) -> tuple[dt.datetime | None, int]:
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        at, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return (dt.datetime.fromisoformat(at) if at is not None else None), int(id_)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise Invalid("cursor", N_("This address is no longer valid. Open the list again without a cursor.")) from error
