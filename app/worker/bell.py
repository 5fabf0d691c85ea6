"""Bell: how the thread that serves a mailbox is woken, by anyone, for a reason. Ringing twice wakes once."""

from __future__ import annotations

import threading


class Bell:
    """Reasons are `pull` (look at the server) and `push` (something of ours waits)."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._condition = threading.Condition()

    def ring(self, reason: str) -> None:
        with self._condition:
            self._reasons.add(reason)
            self._condition.notify_all()

    def rung(self, reason: str) -> bool:
        """Whether this reason waits; looks, and leaves it."""
        with self._condition:
            return reason in self._reasons

    def answered(self, reason: str) -> bool:
        """Whether this reason waits; it does no longer."""
        with self._condition:
            waits = reason in self._reasons
            self._reasons.discard(reason)
            return waits

    def wait(self, seconds: float) -> frozenset[str]:
        """Every reason since the last wait; empty when nobody rang for so long."""
        with self._condition:
            if not self._reasons:
                self._condition.wait(seconds)
            reasons, self._reasons = frozenset(self._reasons), set()
            return reasons
