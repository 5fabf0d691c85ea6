"""What time it is. Every other module asks here, so that a test can move the clock in one place."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment in UTC, with time zone."""
    return dt.datetime.now(dt.UTC)
