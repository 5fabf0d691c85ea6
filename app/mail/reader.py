"""Lines and literals from a socket, through one buffer of our own.

A read timeout of the socket's file object poisons it for ever, and its buffer hides what has already arrived;
here a wait that ran out is nothing special, and nothing that arrived is overlooked.
"""

from __future__ import annotations

import contextlib
import socket

from app.mail.errors import Broken, Unreachable

_MAX_LINE = 64 * 1024 * 1024
_MAX_LITERAL = 256 * 1024 * 1024
_CHUNK = 64 * 1024


class Reader:
    """Lines and literals from a socket. Raises Unreachable when the other side is gone or silent."""

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
                raise Broken("The mail server sent a line without end.")
            self._fill()
        line = self._buffer[self._at : end + 1]
        self._at = end + 1
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        if size > _MAX_LITERAL:
            raise Broken(f"The mail server announced {size} bytes in one piece.")
        pieces = [self._buffer[self._at : self._at + size]]
        self._at += len(pieces[0])
        missing = size - len(pieces[0])
        while missing:
            pieces.append(self._receive(min(missing, 1024 * 1024)))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def wait(self, seconds: float) -> bool:
        """Whether something can be read within this many seconds. A dead connection raises: it is no silence."""
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
        """Get more, and put the unread rest of the buffer at its beginning."""
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
    """What an error of the socket means to a caller."""
    if isinstance(error, TimeoutError):
        return Unreachable("The mail server did not answer in time.", said=str(error))
    return Unreachable("The connection to the mail server broke.", said=str(error))
