"""The present time. All modules use this one, so that a test can set the time in one place."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment in UTC, with time zone."""
    return dt.datetime.now(dt.UTC)


def rfc3339(at: dt.datetime) -> str:
    """A moment in the format for programs: `2026-11-02T09:00:00Z`, with a fraction if it has one."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
