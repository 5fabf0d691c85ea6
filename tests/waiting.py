"""Tests wait for eventual results; `bench/` measures how fast they come."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30.0


def eventually(what: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until the condition holds; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline, f"it did not come to that within {patience:.0f} s"
        time.sleep(0.05)
