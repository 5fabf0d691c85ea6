"""Mail is parsed in one child process, because mail is hostile and the worker must live on.

The parent sends batches and gets results back in order, one by one. So when the child dies or is too slow, the
mail to blame is the first one without a result: it is tried three times, then only its header is read, then it
is given back as unreadable. The child limits itself: each mail has an alarm that ends the process even while a
regular expression holds the interpreter, and it leaves when its input ends. So it never outlives a parent that
was killed with -9 for longer than one mail takes. It inherits no settings, hence no keys.

Bodies that were stored before HTML was cleaned at import are cleaned here as well (`show`).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from app.mail.parse import ParsedMail, Source, bare, parse, unreadable
from app.mail.shown import ShownBody, shown_body, shown_by_text

_PROJECT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "app.mail.child")
#: All that the child gets of our environment.
_PLAIN = ("PATH", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_LENGTH = struct.Struct("!Q")
_READY = "ready"
_PIPE_BYTES = 64 * 1024
_START_SECONDS = 60.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A body as it was stored before HTML was cleaned at import. `pictures`: Content-ID to the number of its part."""

    text: str
    html: str | None
    pictures: dict[str, str]
    subject: str = ""


class ParserFailed(Exception):
    """The child process cannot be started at all: no mail is to blame."""


class _ChildLost(Exception):
    """The child died, or was silent for too long."""


class MailParser:
    """Parses mails in a child process. Thread-safe; use it as a context manager or call `close`."""

    def __init__(self, *, seconds_per_mail: float = 10.0, command: Sequence[str] = _COMMAND) -> None:
        self._seconds = seconds_per_mail
        self._slack = 5.0  # the child's own alarm comes first; this is for one that is stopped altogether
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._answers: _Values
        self._lock = threading.Lock()  # around starting the child, so that `close` never misses one
        # One thread owns the child: it writes a batch and reads the answers while the caller does other work.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail-parser")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, mails: Sequence[Source]) -> Future[list[ParsedMail]]:
        """Hand over a batch; batches are parsed in the order they come. The result has one entry per mail."""
        return self._thread.submit(self._parse_all, list(mails))

    def parse(self, mails: Sequence[Source]) -> list[ParsedMail]:
        """The same, waiting for it."""
        return self.submit(mails).result()

    def show(self, bodies: Sequence[StoredBody]) -> list[ShownBody]:
        """How stored bodies are shown, one by one."""
        return self._thread.submit(lambda: [self._shown(body) for body in bodies]).result()

    def close(self) -> None:
        """End the child. Batches that are still waiting are cancelled."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._end_child()

    def _parse_all(self, mails: list[Source]) -> list[ParsedMail]:
        parsed: list[ParsedMail] = []
        tries = 0
        while len(parsed) < len(mails):
            try:
                for result in self._asked("parse", mails[len(parsed) :]):
                    parsed.append(result)
                    tries = 0
            except _ChildLost:
                tries += 1
                if tries == _TRIES:
                    parsed.append(self._header_only(mails[len(parsed)]))
                    tries = 0
        return parsed

    def _header_only(self, mail: Source) -> ParsedMail:
        try:
            parsed: ParsedMail = next(self._asked("header", [mail]))
            return parsed
        except _ChildLost:
            return bare(mail)

    def _shown(self, body: StoredBody) -> ShownBody:
        for what in ("show", "show by text"):
            with contextlib.suppress(_ChildLost):
                shown: ShownBody = next(self._asked(what, [body]))
                return shown
        return ShownBody("tangled")

    def _asked(self, what: str, mails: Sequence[Source] | Sequence[StoredBody]) -> Iterator[Any]:
        child, answers = self._running_child()
        try:
            _write(_pipe(child.stdin), (what, self._seconds, mails))
            for _ in mails:
                yield answers.read(self._seconds + self._slack)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._end_child()
            if self._closed:
                raise ParserFailed("The parser was closed.") from error
            raise _ChildLost from error

    def _running_child(self) -> tuple[subprocess.Popen[bytes], _Values]:
        with self._lock:
            if self._closed:
                raise ParserFailed("The parser was closed.")
            if self._child is not None:
                return self._child, self._answers
            self._child = subprocess.Popen(  # noqa: S603  (our own program)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_PROJECT,
                env=_plain_environment(),
            )
        self._answers = _Values(_pipe(self._child.stdout))
        try:
            self._answers.read(_START_SECONDS)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._end_child()
            raise ParserFailed("The process that parses mail does not start.") from error
        return self._child, self._answers

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    _pipe(pipe).close()


def main(parse_one: Callable[[Source], ParsedMail] = parse) -> None:
    """The child: batches from stdin, results to stdout, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent ends us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    asked, answers = _Values(sys.stdin.buffer), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    work: dict[str, Callable[[Any], object]] = {
        "parse": parse_one,
        "header": unreadable,
        "show": lambda body: shown_body(body.text, body.html, body.pictures, body.subject),
        "show by text": lambda body: shown_by_text(body.text, body.subject),
    }
    with contextlib.suppress(OSError, EOFError):
        _write(answers, _READY)
        while True:
            what, seconds, mails = asked.read(None)
            for mail in mails:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                _write(answers, work[what](mail))
                signal.setitimer(signal.ITIMER_REAL, 0)


def _write(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


class _Values:
    """The values that come through a pipe, through a buffer of our own: one of Python's would hide from select() what
    it holds. Raises TimeoutError when none comes in time, EOFError when the other side is gone."""

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


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _plain_environment() -> dict[str, str]:
    return {name: value for name in _PLAIN if (value := os.environ.get(name))}


if __name__ == "__main__":
    main()
