"""Pace: chooses how many mails to fetch at a time, and measures mails per second.

An import does urgent work between two steps. So a step must be short on a slow line, and large on a fast one. The first
steps find out. We subtract the time of the fastest step so far, because that is the round trip, not throughput.
"""

from __future__ import annotations

from time import monotonic

#: Mails in the first step: a screenful.
_FIRST = 32
#: A step should take about this many seconds more than the fastest.
_AIM = 0.5
_GROWTH = 2
#: Seconds between two progress lines of an import.
_TELL_SECONDS = 5.0


class Pace:
    """The pace of one connection."""

    def __init__(self) -> None:
        self.step = _FIRST
        self._quickest: float | None = None

    def took(self, count: int, seconds: float) -> None:
        """Record how long a number of mails took. For the first step we do not know how much of it was the round
        trip."""
        each = (seconds - min(self._quickest or 0.0, seconds)) / count
        self._quickest = min(self._quickest or seconds, seconds)
        grown = max(self.step, _GROWTH * count)
        self.step = max(1, min(grown, int(_AIM / each))) if each > 0 else grown


class Progress:
    """The progress of an import on one connection, over all its parts."""

    def __init__(self) -> None:
        self._told_at = 0.0
        self._since = self._all = 0

    def add(self, mails: int) -> float | None:
        """Record how many more mails are stored. Returns mails per second every few seconds, otherwise None."""
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
        """Finish. Return whether there was anything to import."""
        imported = self._all > 0
        self._since = self._all = 0
        return imported
