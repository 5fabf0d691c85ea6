"""Mail is parsed in a child process, because mail is hostile and the worker must live on.

The parent sends batches and gets results back in order, one by one. So when the child dies or is too slow, the mail to
blame is the first one without a result. A mail that reached a limit of time or memory is parsed again at once, but
asking less of it each time: without the design of its HTML, then only its header, then only its identity.
A death of another cause may be no fault of the mail, so the same is tried once more before that.

All mailboxes of a worker share its children and take turns: after a slice of time the next batch goes on. After a mail
beyond the limits its mailbox gets less time for each mail for a minute, so that many of them do not add up.

The child inherits no settings, hence no keys. It ends with its parent, at the latest after the mail it has in hand.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO, Any, Generic, Self, TypeVar

from app.mail.parse import ParsedMail, Source, bare
from app.mail.pipe import Paused, Request, StoredBody, TooCostly, Values, write
from app.mail.shown import ShownBody

__all__ = ["MailParser", "ParserFailed", "StoredBody"]

_PROJECT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "app.mail.child_process")
#: All that the child gets of our environment.
_PLAIN = ("PATH", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_START_SECONDS = 60.0
#: After so long without a result the child is stopped altogether; its own limits come first.
_SILENT_SECONDS = 15.0
#: So many items, or so many seconds, are done of a batch before the next batch has its turn.
_SLICE = 50
_SLICE_SECONDS = 0.2
#: For a minute after a mail beyond the limits, its mailbox has this part of the time for each mail.
_SUSPECT_SECONDS = 60.0
_SUSPECT_PART = 0.2
_SHORTENED = 2  # for these steps; the others are short as they are
#: What is asked of an item until it does not reach a limit, and the part of its time for each.
_MAIL_STEPS = {"parse": 0.5, "parse without design": 0.3, "read header": 0.15, "identify": 0.05}
_BODY_STEPS = {"show": 0.5, "show by text": 0.3}

I = TypeVar("I")  # noqa: E741  an item
R = TypeVar("R")


class ParserFailed(Exception):
    """The child process cannot be started at all: no mail is to blame."""


class _ChildLost(Exception):
    """The child died, or was silent for too long."""


class _LimitReached(Exception):
    """The next item takes too much time or memory."""


@dataclass
class _Batch(Generic[I, R]):
    """Items on their way. `step`: what is asked of the next one; `last`: its result where every step fails."""

    items: Sequence[I]
    owner: Hashable
    steps: Mapping[str, float]
    last: Callable[[I], R]
    future: Future[list[R]] = field(default_factory=Future)
    results: list[R] = field(default_factory=list)
    step: int = 0
    crashed: bool = False

    def request(self, seconds: float, *, suspect: bool) -> Request:
        done = len(self.results)
        what, part = list(self.steps.items())[self.step]
        part *= _SUSPECT_PART if suspect and self.step < _SHORTENED else 1
        items = self.items[done : done + 1 if self.step else done + _SLICE]
        return Request(what, items, seconds * part, _SLICE_SECONDS)

    def add(self, result: R) -> None:
        self.results.append(result)
        self.step, self.crashed = 0, False

    def fail(self, *, again: bool) -> None:
        """The next item did not work out; `again`: the same may be tried once more."""
        if again and not self.crashed:
            self.crashed = True
            return
        self.step, self.crashed = self.step + 1, False
        if self.step == len(self.steps):
            self.add(self.last(self.items[len(self.results)]))


class MailParser:
    """Parses mails in a child process. Thread-safe; use it as a context manager or call `close`.

    `seconds_per_mail`: processor time that one mail may take. `processes`: how many batches are parsed at a time."""

    def __init__(self, *, seconds_per_mail: float = 1.0, processes: int = 1, command: Sequence[str] = _COMMAND) -> None:
        self._seconds = seconds_per_mail
        self._silent_seconds = _SILENT_SECONDS
        self._closed = False
        self._batches: deque[_Batch[Any, Any]] = deque()
        self._suspects: dict[Hashable, float] = {}
        self._changed = threading.Condition()  # around all of the above
        self._children = [_Child(command) for _ in range(processes)]
        self._threads = [
            threading.Thread(target=self._run, args=(child,), name="mail-parser", daemon=True)
            for child in self._children
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, mails: Sequence[Source], owner: Hashable = None) -> Future[list[ParsedMail]]:
        """Hand over a batch of a mailbox, `owner`. The result has one entry per mail."""
        return self._submit(_Batch(list(mails), owner, _MAIL_STEPS, bare))

    def parse(self, mails: Sequence[Source]) -> list[ParsedMail]:
        """The same, waiting for it."""
        return self.submit(mails).result()

    def show(self, bodies: Sequence[StoredBody]) -> list[ShownBody]:
        """How stored bodies are shown."""
        return self._submit(_Batch(list(bodies), "stored bodies", _BODY_STEPS, lambda _: ShownBody("tangled"))).result()

    def close(self) -> None:
        """End the child. Batches that are still waiting are cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for child in self._children:
            child.close()
        for thread in self._threads:
            thread.join()
        for waiting in self._batches:
            waiting.future.cancel()

    def _submit(self, batch: _Batch[I, R]) -> Future[list[R]]:
        if not batch.items:
            batch.future.set_result([])
            return batch.future
        with self._changed:
            if self._closed:
                raise ParserFailed("The parser was closed.")
            self._batches.append(batch)
            self._changed.notify_all()
        return batch.future

    def _run(self, child: _Child) -> None:
        while (batch := self._next()) is not None:
            try:
                self._go_on(batch, child)
            except Exception as error:
                child.end()  # who knows what it would answer next
                batch.future.set_exception(error)
            else:
                self._put_back(batch)
        child.end()

    def _next(self) -> _Batch[Any, Any] | None:
        with self._changed:
            while not self._batches and not self._closed:
                self._changed.wait()
            return None if self._closed else self._batches.popleft()

    def _put_back(self, batch: _Batch[Any, Any]) -> None:
        if len(batch.results) == len(batch.items):
            batch.future.set_result(batch.results)
            return
        with self._changed:
            self._batches.append(batch)
            self._changed.notify_all()

    def _go_on(self, batch: _Batch[Any, Any], child: _Child) -> None:
        """One slice of a batch, or the next step of an item that did not work out."""
        step = batch.step
        try:
            request = batch.request(self._seconds, suspect=self._is_suspect(batch.owner))
            for result in child.asked(request, self._silent_seconds):
                batch.add(result)
        except _LimitReached:
            batch.fail(again=False)
        except _ChildLost:
            batch.fail(again=True)
        if step and not batch.step:
            self._suspects[batch.owner] = monotonic()

    def _is_suspect(self, owner: Hashable) -> bool:
        return owner in self._suspects and monotonic() - self._suspects[owner] < _SUSPECT_SECONDS


class _Child:
    """The child process. One thread owns it: it writes requests and reads the answers while others do other work."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command
        self._answers: Values
        self._closed = False
        self._lock = threading.Lock()  # around starting the process, so that `close` never misses one

    def asked(self, request: Request, silent_seconds: float) -> Iterator[Any]:
        process, answers = self._running()
        try:
            write(_pipe(process.stdin), request)
            for _ in request.items:
                answer = answers.read(silent_seconds)
                if isinstance(answer, TooCostly):
                    raise _LimitReached
                if isinstance(answer, Paused):
                    return
                yield answer
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self.end()
            if self._closed:
                raise ParserFailed("The parser was closed.") from error
            raise _ChildLost from error

    def close(self) -> None:
        """From any thread: kill the process for good."""
        with self._lock:
            self._closed = True
            if self.process is not None:
                _kill(self.process)

    def end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            _kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    _pipe(pipe).close()

    def _running(self) -> tuple[subprocess.Popen[bytes], Values]:
        with self._lock:
            if self._closed:
                raise ParserFailed("The parser was closed.")
            if self.process is not None:
                return self.process, self._answers
            self.process = subprocess.Popen(  # noqa: S603  (our own program)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_PROJECT,
                env=_plain_environment(),
                start_new_session=True,  # a group of its own, to be ended with its workers
            )
        self._answers = Values(_pipe(self.process.stdout))
        try:
            self._answers.read(_START_SECONDS)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self.end()
            raise ParserFailed("The process that parses mail does not start.") from error
        return self.process, self._answers


def _kill(child: subprocess.Popen[bytes]) -> None:
    """With its workers."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _plain_environment() -> dict[str, str]:
    return {name: value for name in _PLAIN if (value := os.environ.get(name))}
