"""What time it is. Every other module asks here, so that a test can move the clock in one place."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment in UTC, with time zone."""
    return dt.datetime.now(dt.UTC)


def rfc3339(at: dt.datetime) -> str:
    """A moment as programs read it: `2026-11-02T09:00:00Z`, with a fraction where it has one."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
