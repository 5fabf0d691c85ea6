"""Limits requests of a token or a signed-in browser: 50 a second, in bursts of up to 300.

It is our own, because the usual library counts in Redis or in one process. Here the web processes of a machine share
one small file in SIGNALBOX_HOME, changed under a lock in microseconds. A row in Postgres would cost every read a
commit. With several machines, each counts separately.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app

PER_SECOND = 50.0
BURST = 300.0
_SLOT = struct.Struct("<dd")  # requests left, and the time of that count (the machine's monotonic clock)
_SLOTS = 1 << 14
_NAME = "signalbox-buckets"


def init_app(app: Flask, home: Path) -> None:
    app.extensions[_NAME] = Buckets(home / "api_calls")


def take(key: str) -> float:
    """Take one request of this key. Returns the seconds to wait if none is left, otherwise 0."""
    buckets: Buckets = current_app.extensions[_NAME]
    return buckets.take(key)


class Buckets:
    """`file` None, or not writable: this process counts alone."""

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._fd = _opened(file) if file else None
        self._slots = mmap.mmap(-1 if self._fd is None else self._fd, _SLOTS * _SLOT.size)

    def take(self, key: str) -> float:
        """See the module's function `take`."""
        # Two tokens may share a slot, with a probability of 1 in 16,384. They then share their requests.
        offset = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _SLOTS * _SLOT.size
        with self._lock, self._locked(offset):
            left, at = _SLOT.unpack_from(self._slots, offset)
            now = time.monotonic()
            if not 0 < at <= now:  # never used, or from before the machine restarted
                left, at = BURST, now
            left = min(BURST, left + (now - at) * PER_SECOND)
            granted = left >= 1
            _SLOT.pack_into(self._slots, offset, left - 1 if granted else left, now)
        return 0.0 if granted else (1 - left) / PER_SECOND

    @contextmanager
    def _locked(self, offset: int) -> Iterator[None]:
        """Lock against other processes; the kernel unlocks if one dies."""
        if self._fd is None:
            yield
            return
        fcntl.lockf(self._fd, fcntl.LOCK_EX, _SLOT.size, offset)
        try:
            yield
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN, _SLOT.size, offset)


def _opened(file: Path) -> int | None:
    try:
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, _SLOTS * _SLOT.size)
    except OSError:
        return None
    return fd
