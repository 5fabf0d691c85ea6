"""Messages between the process that parses mail and its parent: Python values through pipes."""

from __future__ import annotations

import os
import pickle
import select
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

READY = "ready"
_LENGTH = struct.Struct("!Q")
_PIPE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A body as it was stored before HTML was cleaned at import. `pictures`: names → part numbers."""

    text: str
    html: str | None
    pictures: dict[str, str]
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Work for the child on some items; `what` is a key of `_work` in child_process.py. `seconds`: processor time per
    item. After `slice_seconds` the worker stops and answers `Paused`."""

    what: str
    items: Sequence[Any]
    seconds: float
    slice_seconds: float


@dataclass(frozen=True, slots=True)
class Paused:
    """The slice of time is over. The remaining items are untouched."""


@dataclass(frozen=True, slots=True)
class TooCostly:
    """The next item exceeded a limit, and would exceed it again."""


def write(pipe: IO[bytes], value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


class Values:
    """The values that arrive through a pipe. They have our own buffer, because select() does not see data in a buffer
    of Python. Raises TimeoutError if no value comes in time, EOFError if the other side is gone."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._buffer = bytearray()

    def read(self, seconds: float | None) -> Any:
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size, seconds))
        return pickle.loads(self._take(length, seconds))  # noqa: S301  (from ourselves)

    def _take(self, size: int, seconds: float | None) -> bytes:
        while len(self._buffer) < size:
            if not select.select([self._pipe], [], [], seconds)[0]:
                raise TimeoutError
            piece = os.read(self._pipe.fileno(), max(_PIPE_BYTES, size - len(self._buffer)))
            if not piece:
                raise EOFError
            self._buffer += piece
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
