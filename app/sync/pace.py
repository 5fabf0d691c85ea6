"""Pace: how many mails are asked for at a time.

Between two steps an import does what cannot wait, so a step must be short on the slowest line, and large on a fast one.
A round trip is not to be had for less: what counts is how much longer several mails take than the quickest step did.
"""

from __future__ import annotations

import math

#: A step takes about so many seconds more than the quickest.
_AIM = 0.5
_GROWTH = 2


class Pace:
    """Of one connection. Begins with a single mail, and is large after a few."""

    def __init__(self) -> None:
        self.step = 1
        self._quickest = math.inf

    def took(self, count: int, seconds: float) -> None:
        """So many mails took so long."""
        self._quickest = min(self._quickest, seconds)
        each = (seconds - self._quickest) / count
        grown = max(self.step, _GROWTH * count)
        self.step = max(1, min(grown, int(_AIM / each))) if each > 0 else grown
