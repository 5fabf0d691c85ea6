"""Pace: how many mails are asked for at a time, and how many a second come of it.

Between two steps an import does what cannot wait, so a step must be short on a slow line, and large on a fast one. The
first finds out. A round trip is not to be had for less: what counts is how much longer a step takes than the quickest.
"""

from __future__ import annotations

from time import monotonic

#: The first step: a screenful.
_FIRST = 32
#: A step takes about so many seconds more than the quickest.
_AIM = 0.5
_GROWTH = 2
#: Seconds between two progress lines of an import.
_TELL_SECONDS = 5.0


class Pace:
    """Of one connection."""

    def __init__(self) -> None:
        self.step = _FIRST
        self._quickest: float | None = None

    def took(self, count: int, seconds: float) -> None:
        """Record how long a number of mails took. Of the first step nobody knows how much of it was the round trip."""
        each = (seconds - min(self._quickest or 0.0, seconds)) / count
        self._quickest = min(self._quickest or seconds, seconds)
        grown = max(self.step, _GROWTH * count)
        self.step = max(1, min(grown, int(_AIM / each))) if each > 0 else grown


class Progress:
    """Of an import, over all its stretches on one connection."""

    def __init__(self) -> None:
        self._told_at = 0.0
        self._since = self._all = 0

    def add(self, mails: int) -> float | None:
        """Record how many more are stored. Every few seconds, how many a second it were; else None."""
        if not self._all:
            self._told_at = monotonic()
        self._since += mails
        self._all += mails
        passed = monotonic() - self._told_at
        if passed < _TELL_SECONDS:
            return None
        speed = self._since / passed
        self._told_at, self._since = monotonic(), 0
        return speed

    def end(self) -> bool:
        """Nothing is left. Whether there was anything."""
        imported = self._all > 0
        self._since = self._all = 0
        return imported
