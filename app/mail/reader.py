"""Reads lines and literals from a socket, through our own buffer.

After a read timeout Python's file object for a socket can no longer be used, and its buffer hides data that has
arrived. Here a timeout does no harm, and arrived data is always seen.
"""

from __future__ import annotations

import contextlib
import socket

from app.mail.errors import Broken, Unreachable

_MAX_LINE = 64 * 1024 * 1024
_MAX_LITERAL = 256 * 1024 * 1024
_CHUNK = 64 * 1024


class Reader:
    """Lines and literals from a socket. Raises Unreachable if the other side is gone or silent."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self._at = 0

    def readline(self) -> bytes:
        """One line with its line end."""
        searched = self._at
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer) - self._at
            if searched > _MAX_LINE:
                raise Broken("The mail server sent a line that is too long.")
            self._fill()
        line = self._buffer[self._at : end + 1]
        self._at = end + 1
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        if size > _MAX_LITERAL:
            raise Broken(f"The mail server announced a literal of {size} bytes, which is too large.")
        pieces = [self._buffer[self._at : self._at + size]]
        self._at += len(pieces[0])
        missing = size - len(pieces[0])
        while missing:
            pieces.append(self._receive(min(missing, 1024 * 1024)))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def wait(self, seconds: float) -> bool:
        """Whether data arrives within this many seconds. A dead connection raises an error; it does not count as
        silence."""
        if self._at < len(self._buffer):
            return True
        patience = self._sock.gettimeout()
        self._sock.settimeout(seconds)
        try:
            self._buffer, self._at = self._sock.recv(_CHUNK), 0
        except TimeoutError:
            return False
        except OSError as error:
            raise lost(error) from error
        finally:
            with contextlib.suppress(OSError):
                self._sock.settimeout(patience)
        if not self._buffer:
            raise Unreachable("The mail server closed the connection.")
        return True

    def _fill(self) -> None:
        """Read more, and move the unread rest of the buffer to its beginning."""
        self._buffer, self._at = self._buffer[self._at :] + self._receive(_CHUNK), 0

    def _receive(self, at_most: int) -> bytes:
        try:
            data = self._sock.recv(at_most)
        except OSError as error:
            raise lost(error) from error
        if not data:
            raise Unreachable("The mail server closed the connection.")
        return data


def lost(error: OSError) -> Unreachable:
    """The error that callers get for an error of the socket."""
    if isinstance(error, TimeoutError):
        return Unreachable("The mail server did not answer in time.", answer=str(error))
    return Unreachable("The connection to the mail server broke.", answer=str(error))
