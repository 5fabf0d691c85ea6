"""Wakeup: an event with reasons, which wakes the thread that serves a mailbox. Setting a reason twice wakes once."""

from __future__ import annotations

import threading


class Wakeup:
    """Reasons are `pull` (look at the server) and `push` (write our changes). Any thread may set one."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._condition = threading.Condition()

    def set(self, reason: str) -> None:
        with self._condition:
            self._reasons.add(reason)
            self._condition.notify_all()

    def is_set(self, reason: str) -> bool:
        with self._condition:
            return reason in self._reasons

    def clear(self, reason: str) -> bool:
        """Clear this reason. Returns whether it was set."""
        with self._condition:
            was_set = reason in self._reasons
            self._reasons.discard(reason)
            return was_set

    def wait(self, seconds: float) -> frozenset[str]:
        """Return and clear every reason since the last wait; empty if none was set within this time."""
        with self._condition:
            if not self._reasons:
                self._condition.wait(seconds)
            reasons, self._reasons = frozenset(self._reasons), set()
            return reasons
