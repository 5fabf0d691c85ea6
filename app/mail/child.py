"""Parses mail in a child process. Mail is hostile, and the worker must survive it.

The parent sends batches and gets results back in order, one by one. So if the child dies or is too slow, the first mail
without a result is the cause. If a mail reached a limit of time or memory, it is parsed again at once, with less work
each time. First we leave out the design of its HTML, then we read only its header, then only its identity. If the child
died for another reason, the mail may not be the cause. The same step is then tried once more.

All mailboxes of a worker share its children and take turns: after a slice of time the next mailbox is served. Mail that
people wait for has little time per mail (`submit_quick`). A mail that needs more is left to a later `submit`, which
never occupies all children. After such a mail, its mailbox has half the time per mail for a minute.

The child inherits no settings and therefore no keys. It ends with its parent, at the latest after the mail it is
parsing.
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
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO, Any, Generic, Self, TypeVar

from app.mail.parse import MailSource, ParsedMail, bare
from app.mail.pipe import Paused, Request, StoredBody, TooCostly, Values, write
from app.mail.shown import ShownBody

__all__ = ["MailParser", "ParserFailed", "StoredBody"]

_PROJECT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "app.mail.child_process")
#: The only environment variables that the child gets.
_PLAIN = ("PATH", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_START_SECONDS = 60.0
#: A child without a result for this long is stopped. Its own limits come first.
_SILENT_SECONDS = 15.0
#: Items and seconds of a batch before the next mailbox gets its turn.
_SLICE = 50
_SLICE_SECONDS = 0.2
#: For this long after a slow mail, its mailbox has only this share of the time for each quick mail.
_SUSPECT_SECONDS = 60.0
_SUSPECT_PART = 0.5
#: The steps for an item, tried until one stays within the limits, and the share of its time for each. A mail that is
#: not quick goes through both tables.
_QUICK_STEPS = {"parse": 0.1}
_MAIL_STEPS = {"parse": 0.4, "parse without design": 0.3, "read header": 0.15, "identify": 0.05}
_BODY_STEPS = {"show": 0.5, "show by text": 0.3}

I = TypeVar("I")  # noqa: E741  an item
R = TypeVar("R")


class ParserFailed(Exception):
    """The child process cannot be started at all. No mail is the cause."""


class _ChildLost(Exception):
    """The child died, or was silent for too long."""


class _LimitReached(Exception):
    """The next item takes too much time or memory."""


@dataclass(frozen=True)
class _Lane:
    """A queue of batches. A quick batch can run even while all children but one are busy with others."""

    owner: Hashable
    is_quick: bool


@dataclass
class _Batch(Generic[I, R]):
    """Items to be parsed, in order. `step`: the work for the next item; `last`: its result if every step fails."""

    items: Sequence[I]
    lane: _Lane
    steps: Mapping[str, float]
    last: Callable[[I], R]
    future: Future[list[R]] = field(default_factory=Future)
    results: list[R] = field(default_factory=list)
    step: int = 0
    crashed: bool = False

    def request(self, seconds: float) -> Request:
        """`seconds`: processor time for all steps of one item together."""
        done = len(self.results)
        what, part = list(self.steps.items())[self.step]
        items = self.items[done : done + 1 if self.step else done + _SLICE]
        return Request(what, items, seconds * part, _SLICE_SECONDS)

    def add(self, result: R) -> None:
        self.results.append(result)
        self.step, self.crashed = 0, False

    def fail(self, *, again: bool) -> None:
        """Record that the next item failed; `again`: the same step may be tried once more."""
        if again and not self.crashed and not self.lane.is_quick:
            self.crashed = True
            return
        self.step, self.crashed = self.step + 1, False
        if self.step == len(self.steps):
            self.add(self.last(self.items[len(self.results)]))


class MailParser:
    """Parses mails in a child process. Thread-safe; use it as a context manager or call `close`.

    `seconds_per_mail`: processor time that one mail may use. `processes`: number of batches parsed at the same time."""

    def __init__(self, *, seconds_per_mail: float = 1.0, processes: int = 1, command: Sequence[str] = _COMMAND) -> None:
        self._seconds = seconds_per_mail
        self._silent_seconds = _SILENT_SECONDS
        self._closed = False
        self._lanes: dict[_Lane, deque[_Batch[Any, Any]]] = {}  # the first lane has the next turn
        self._most_patient = max(1, processes - 1)
        self._patient = 0  # number of children that are busy with a batch that is not quick
        self._suspects: dict[Hashable, float] = {}
        self._changed = threading.Condition()  # guards all of the above
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

    def submit(self, mails: Sequence[MailSource], owner: Hashable = None) -> Future[list[ParsedMail]]:
        """Hand over a batch of a mailbox, `owner`. The result has one entry per mail."""
        return self._submit(_Batch(list(mails), _Lane(owner, is_quick=False), _MAIL_STEPS, bare))

    def submit_quick(self, mails: Sequence[MailSource], owner: Hashable = None) -> Future[list[ParsedMail | None]]:
        """Like `submit`, with None for a mail that takes too long for others to wait. Give that one to `submit`
        later."""
        return self._submit(_Batch(list(mails), _Lane(owner, is_quick=True), _QUICK_STEPS, lambda _: None))

    def parse(self, mails: Sequence[MailSource]) -> list[ParsedMail]:
        """Like `submit`, but wait for the result."""
        return self.submit(mails).result()

    def show(self, bodies: Sequence[StoredBody]) -> list[ShownBody]:
        """Prepare stored bodies for display."""
        lane = _Lane("stored bodies", is_quick=False)
        return self._submit(_Batch(list(bodies), lane, _BODY_STEPS, lambda _: ShownBody("tangled"))).result()

    def close(self) -> None:
        """End the child. Batches that are still waiting are cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for child in self._children:
            child.close()
        for thread in self._threads:
            thread.join()
        for waiting in self._lanes.values():
            for batch in waiting:
                batch.future.cancel()

    def _submit(self, batch: _Batch[I, R]) -> Future[list[R]]:
        if not batch.items:
            batch.future.set_result([])
            return batch.future
        with self._changed:
            if self._closed:
                raise ParserFailed("The parser is closed.")
            self._lanes.setdefault(batch.lane, deque()).append(batch)
            self._changed.notify_all()
        return batch.future

    def _run(self, child: _Child) -> None:
        while (batch := self._next()) is not None:
            try:
                self._go_on(batch, child)
            except Exception as error:
                child.end()  # we could not trust its next answers
                self._release(batch, error)
            else:
                self._release(batch)
        child.end()

    def _next(self) -> _Batch[Any, Any] | None:
        """Take the first batch of the next lane; that lane then goes to the end of the line. None if the parser is
        closing."""
        with self._changed:
            while not self._closed:
                for lane in self._lanes:
                    if lane.is_quick or self._patient < self._most_patient:
                        return self._take(lane)
                self._changed.wait()
            return None

    def _take(self, lane: _Lane) -> _Batch[Any, Any]:
        batches = self._lanes.pop(lane)
        batch = batches.popleft()
        if batches:
            self._lanes[lane] = batches
        self._patient += not lane.is_quick
        return batch

    def _release(self, batch: _Batch[Any, Any], error: Exception | None = None) -> None:
        """End the batch's turn: the child is free, and the rest of the batch goes to the front of its lane."""
        is_done = len(batch.results) == len(batch.items)
        with self._changed:
            self._patient -= not batch.lane.is_quick
            if error is None and not is_done and not batch.future.cancelled():
                self._lanes.setdefault(batch.lane, deque()).appendleft(batch)
            self._changed.notify_all()
        with contextlib.suppress(InvalidStateError):  # the batch was cancelled
            if error is not None:
                batch.future.set_exception(error)
            elif is_done:
                batch.future.set_result(batch.results)

    def _go_on(self, batch: _Batch[Any, Any], child: _Child) -> None:
        """Parse one slice of a batch, or the next step of an item that failed. Do nothing if the batch was
        cancelled."""
        if batch.future.cancelled():
            return
        try:
            for result in child.asked(batch.request(self._time_for(batch.lane)), self._silent_seconds):
                batch.add(result)
        except _LimitReached:
            self._suspect(batch.lane)
            batch.fail(again=False)
        except _ChildLost:
            self._suspect(batch.lane)
            batch.fail(again=True)

    def _time_for(self, lane: _Lane) -> float:
        suspected_at = self._suspects.get(lane.owner)
        is_suspect = suspected_at is not None and monotonic() - suspected_at < _SUSPECT_SECONDS
        return self._seconds * (_SUSPECT_PART if lane.is_quick and is_suspect else 1)

    def _suspect(self, lane: _Lane) -> None:
        self._suspects[lane.owner] = monotonic()


class _Child:
    """The child process. One thread owns it: it writes requests and reads the answers while other threads work."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command
        self._answers: Values
        self._closed = False
        self._lock = threading.Lock()  # guards starting the process, so that `close` never misses one

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
                raise ParserFailed("The parser is closed.") from error
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
                raise ParserFailed("The parser is closed.")
            if self.process is not None:
                return self.process, self._answers
            self.process = subprocess.Popen(  # noqa: S603  (our own program)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_PROJECT,
                env=_plain_environment(),
                start_new_session=True,  # its own process group, so that its workers end with it
            )
        self._answers = Values(_pipe(self.process.stdout))
        try:
            self._answers.read(_START_SECONDS)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self.end()
            raise ParserFailed("The process that parses mail did not start.") from error
        return self.process, self._answers


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and its workers."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _plain_environment() -> dict[str, str]:
    return {name: value for name in _PLAIN if (value := os.environ.get(name))}
