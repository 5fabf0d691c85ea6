"""One connection to an IMAP server: opened and signed in by IMAPClient, then shared with it.

IMAPClient connects, secures (TLS, STARTTLS), signs in, and runs the simple commands. We send and read commands for mail
and flags ourselves, because imaplib and IMAPClient have faults there. They keep old untagged answers for ever, lose
COPYUID, reject ranges such as `1:*`, and fail on keywords such as `a[b`. They do not notice a dead connection in IDLE,
and read ten times slower than the server writes.

Both read through one `Reader`, so their commands can be mixed. Invariants: no command is in flight between two calls.
After `Unreachable` or `Broken` the connection is closed, and every further call raises. `guard` is called before each
command and may prevent it by raising.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from imapclient import IMAPClient

from app.mail.errors import Broken, FolderGone, MailError, Refused, Unavailable, Unreachable, refusal
from app.mail.reader import Reader, lost
from app.mail.server import Server, connected, sign_in
from app.mail.tokens import Parts

T = TypeVar("T")

_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
#: Answers that end with free text, where `{5}` does not announce a literal.
_PROSE = re.compile(rb"(?:\*|[A-Z]+\d+) (?:OK|NO|BAD|BYE|PREAUTH)\b|\+")
#: imaplib's own pattern requires a text after `A1 OK`; some servers send none.
_TAGGED = rb"(?P<tag>%s\d+) (?P<type>[A-Z]+) ?(?P<data>.*)"


@dataclass(frozen=True)
class Answer:
    """The result of a command: its untagged answers, and the text of its OK."""

    text: bytes
    untagged: list[Parts]


class Wire:
    """Commands and answers on one signed-in connection."""

    def __init__(
        self, server: Server, connect_timeout: float, read_timeout: float, guard: Callable[[], None] | None
    ) -> None:
        self._guard = guard or (lambda: None)
        self.closed = False
        self._guard()
        self._client = connected(server, connect_timeout, read_timeout)
        self._sock: socket.socket = self._client.socket()
        self._share_reader()
        try:
            with self._fatal_errors():
                sign_in(self._client, server)
        except MailError:  # no caller has this connection yet, so close it, even if it still works
            self.close()
            raise

    def call(self, what: str, run: Callable[[IMAPClient], T]) -> T:
        """Run one command of IMAPClient. `what` completes "The mail server refused to …"."""
        self._before_command()
        self._client._imap.untagged_responses.clear()
        with self._fatal_errors():
            try:
                return run(self._client)
            except (imaplib.IMAP4.abort, UnicodeError) as error:
                raise Unreachable("The connection to the mail server broke.", answer=str(error)) from error
            except imaplib.IMAP4.error as error:
                raise refusal(what, str(error)) from error
            except (ValueError, AssertionError, LookupError, TypeError) as error:
                raise Broken("The mail server's answer is not valid IMAP.", answer=repr(error)) from error

    def command(self, what: str, *words: bytes) -> Answer:
        """Send one of our own commands and read to the end of its answer. Raises Refused or Unavailable on NO and
        BAD."""
        if any(byte in word for word in words for byte in (b"\r", b"\n", b"\0")):
            raise ValueError("A line break in a command would begin another command.")
        self._before_command()
        with self._fatal_errors():
            tag = self._send(*words)
            untagged: list[Parts] = []
            while not (parts := self._answer())[0].startswith(tag):
                untagged.append(parts)
            return Answer(_ok_text(what, parts[0][len(tag) :]), untagged)

    def idle(self, seconds: float) -> bool:
        """IDLE (RFC 2177) until something happens or the time is over. Return whether something happened."""
        self._before_command()
        with self._fatal_errors():
            tag = self._send(b"IDLE")
            happened = False
            while not (line := self._answer()[0]).startswith(b"+"):
                if line.startswith(tag):
                    _ok_text("wait for news", line[len(tag) :])
                happened = happened or _is_news(line)
            while not happened and self.reader.wait(seconds):
                happened = _is_news(self._answer()[0])
            self._sock.sendall(b"DONE\r\n")
            while not (line := self._answer()[0]).startswith(tag):
                happened = happened or _is_news(line)
            return happened

    def unasked(self, seconds: float) -> list[Parts]:
        """Untagged answers that the server sends without a command (NOTIFY) within this many seconds, until it
        pauses."""
        self._before_command()
        answers: list[Parts] = []
        with self._fatal_errors():
            while self.reader.wait(0.05 if answers else seconds):
                answers.append(self._answer())
        return answers

    def say_goodbye(self) -> None:
        """Send LOGOUT without waiting for an answer, which may never come."""
        with contextlib.suppress(OSError):
            self._sock.sendall(b"BYE LOGOUT\r\n")

    def close(self) -> None:
        """Close the connection without LOGOUT, because it may hang."""
        self.closed = True
        with contextlib.suppress(Exception):
            self._sock.close()
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def _before_command(self) -> None:
        if self.closed:
            raise Unreachable("The connection to the mail server is closed.")
        self._guard()

    @contextlib.contextmanager
    def _fatal_errors(self) -> Iterator[None]:
        """Close the connection if an answer was interrupted; a plain refusal leaves it open."""
        try:
            yield
        except (Refused, Unavailable, FolderGone):
            raise
        except OSError as error:
            self.close()
            raise lost(error) from error
        except BaseException:
            self.close()
            raise

    def _send(self, *words: bytes) -> bytes:
        """Send a command line. Returns the tag and a space, with which its last answer begins."""
        tag: bytes = self._client._imap._new_tag()
        self._sock.sendall(b" ".join((tag, *words)) + b"\r\n")
        return tag + b" "

    def _answer(self) -> Parts:
        line = self.reader.readline().rstrip(b"\r\n")
        parts = [line]
        while line.endswith(b"}") and (literal := _LITERAL.search(line)) and not _PROSE.match(parts[0]):
            parts.append(self.reader.read(int(literal[1])))
            line = self.reader.readline().rstrip(b"\r\n")
            parts.append(line)
        if line.startswith(b"* BYE"):
            raise Unreachable("The mail server ended the connection.", answer=_text(line[6:]))
        if not parts[0].startswith((b"* ", b"+")) and not _PROSE.match(parts[0]):
            raise Broken("The mail server's answer is not valid IMAP.", answer=_text(parts[0][:200]))
        return parts

    def _share_reader(self) -> None:
        """Give imaplib our reader, so that both read from one buffer."""
        self.reader = Reader(self._sock)
        imap: Any = self._client._imap
        imap.read, imap.readline = self.reader.read, self.reader.readline
        imap.tagre = re.compile(_TAGGED % imap.tagpre, re.ASCII)


def _ok_text(what: str, status: bytes) -> bytes:
    word, _, text = status.partition(b" ")
    if word == b"OK":
        return text
    if word in (b"NO", b"BAD"):
        raise refusal(what, _text(text))
    raise Broken("The mail server's answer is not valid IMAP.", answer=_text(status[:200]))


def _is_news(line: bytes) -> bool:
    """Whether an untagged line reports a change. A server sends `* OK Still here` only to keep the connection alive."""
    return line.startswith(b"* ") and not line.startswith((b"* OK Still here", b"* OK Noop"))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
