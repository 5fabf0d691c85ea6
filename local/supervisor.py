"""Runs the parts of Signalbox together on one machine.

If one part dies, the others are stopped, and the last line gives the reason. Ctrl-C and SIGTERM stop everything within
seconds. No part outlives this process, even if it is killed: the kernel signals each of them.

We do not use honcho: it starts all parts at once (ours wait for the previous one, with set-up work in between), does
not say why it stops, and leaves orphans when it is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import TextIO

from local.places import LocalPartError, SystemUser, dies_with_parent

_COLOURS = (36, 33, 35, 32, 34, 31)  # cyan, yellow, magenta, green, blue, red
_PATIENCE = 60  #: seconds until a part must be ready
_GRACE = 8  #: seconds a part has to end by itself


@dataclass(frozen=True)
class Program:
    """A program to run. Programs that depend on it are started when `ready` returns True."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: str = "/"
    account: SystemUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    foundation: bool = False  #: others depend on it: stopped last
    ready: Callable[[], bool] = lambda: True
    shows: Callable[[str], bool] = lambda line: True  #: the lines that people want to see
    last_words: Callable[[], str] = lambda: ""


class ProgramError(LocalPartError):
    """A part ended although nobody stopped it."""


class Stopped(BaseException):
    """Somebody stopped us: Ctrl-C or SIGTERM."""


@dataclass
class _Running:
    part: Program
    process: subprocess.Popen[str]
    last_line: str = ""
    reader: threading.Thread = field(default_factory=threading.Thread)

    def verdict(self) -> str:
        """How it ended, in words, with its last line."""
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        self.reader.join(1)
        output = self.part.last_words() or self.last_line
        return f"{self.part.name} {how}" + (f": {output}" if output else "")


class Supervisor:
    """A context: `start` parts, later those that depend on others, then `watch`; leaving it stops all of them."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._running: list[_Running] = []
        self._lock = threading.Lock()
        self._mourner = -1

    def __enter__(self) -> Supervisor:
        self._mourner = _mourner()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._stop_all()
        os.close(self._mourner)
        return isinstance(error, Stopped)

    def start(self, *parts: Program) -> None:
        """Start parts at the same time and wait until they are ready."""
        for running in [self._launch(part) for part in parts]:
            self._wait_until_ready(running)

    def run(self, command: Sequence[str], environment: Mapping[str, str], folder: str, given: str = "") -> str:
        """Run one command to its end between the parts. Returns its output."""
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        try:
            printed, complaint = process.communicate(given)
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            text = (complaint or printed).strip().removeprefix("Error: ")
            raise LocalPartError(text or f"{' '.join(command[2:])} ended with status {process.returncode}")
        return printed

    def watch(self) -> None:
        """Wait until a part dies or somebody stops us; both raise."""
        while True:
            self._raise_if_dead()
            time.sleep(0.1)

    def say(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._out.write(line + "\n")
            self._out.flush()

    def _launch(self, part: Program) -> _Running:
        process = subprocess.Popen(
            part.command,
            cwd=part.folder,
            env=dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=dies_with_parent(part.stop_signal),
            **(part.account.switch() if part.account else {}),
        )
        os.write(self._mourner, f"{process.pid}\n".encode())
        running = _Running(part, process)
        running.reader = threading.Thread(target=self._relay, args=(running, len(self._running)), daemon=True)
        running.reader.start()
        self._running.append(running)
        return running

    def _wait_until_ready(self, running: _Running) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not running.part.ready():
            self._raise_if_dead()
            if time.monotonic() > deadline:
                raise ProgramError(f"{running.part.name} is not ready after {_PATIENCE} seconds: {running.last_line}")
            time.sleep(0.05)

    def _raise_if_dead(self) -> None:
        for running in self._running:
            if running.process.poll() is not None:
                raise ProgramError(running.verdict())

    def _relay(self, running: _Running, place: int) -> None:
        """Copy a part's output, each line with the part's name in front."""
        prefix = f"{running.part.name:<8} | "
        if self._out.isatty() and "NO_COLOR" not in os.environ:
            prefix = f"\033[{_COLOURS[place % len(_COLOURS)]}m{prefix}\033[0m"
        for line in running.process.stdout or ():
            if line.strip():
                running.last_line = line.strip()
            if line.strip() and running.part.shows(line):
                self.say(prefix + line.rstrip())

    def _stop_all(self) -> None:
        """Servers that others depend on go last, so that nobody's last line is about a lost connection."""
        for foundation in (False, True):
            wave = [running for running in self._running if running.part.foundation is foundation]
            for running in wave:
                if running.process.poll() is None:
                    running.process.send_signal(running.part.stop_signal)
            deadline = time.monotonic() + _GRACE
            for running in wave:
                self._see_off(running, deadline - time.monotonic())

    def _see_off(self, running: _Running, seconds: float) -> None:
        try:
            running.process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self.say(f"{running.part.name} did not stop in {_GRACE} seconds and was killed")
        _tell_group(running.process.pid, signal.SIGKILL)  # any remaining children
        running.process.wait()
        running.reader.join(1)


def _mourner() -> int:
    """Fork a process that outlives us and then ends what is left of our parts. It reads their groups from a pipe.

    At our death the kernel signals only the parts themselves. This process also reaches their children, and parts that
    ignore the signal.
    """
    listen, tell = os.pipe()
    if os.fork():
        os.close(listen)
        return tell
    os.close(tell)
    os.setsid()
    with os.fdopen(listen) as pipe:
        groups = [int(line) for line in pipe]  # ends when we end
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(_tell_group(group, 0) for group in groups):
        time.sleep(0.1)
    for group in groups:
        _tell_group(group, signal.SIGKILL)
    os._exit(0)


def _tell_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False if it no longer exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped
