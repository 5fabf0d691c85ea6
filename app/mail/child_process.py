"""The child process that parses mail: `python -m app.mail.child_process`, started by child.py.

It loads everything once and forks a worker, which reads requests from stdin and writes results to stdout. The kernel
ends a worker that uses too much processor time or memory for one mail. The next worker is then forked within
milliseconds, and the parent is informed. If a worker dies of anything else, this process ends too, and the parent
starts another one. A worker also ends when stdin is closed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

from app.mail.parse import MailSource, ParsedMail, identified, parse, unreadable
from app.mail.pipe import READY, Paused, Request, StoredBody, TooCostly, Values, write
from app.mail.shown import ShownBody, shown_body

#: Address space that a batch may use, beyond what the worker has at its start.
_MEMORY = 100 * 1024 * 1024
#: A worker that hangs without using CPU is ended after this many seconds on one mail.
_WALL_SECONDS = 10.0
_NO_MEMORY = 77  # exit code
#: Signals that end a worker beyond a limit. Rust aborts if it gets no memory or its stack is full.
_LIMIT_SIGNALS = {signal.SIGPROF, signal.SIGABRT}
#: Number of new objects before Python looks for unreachable cycles. Parsing a mail creates hardly any cycles.
_COLLECTED_AFTER = 20_000
_PAGE = resource.getpagesize()


def main(parse_one: Callable[..., ParsedMail] = parse) -> None:
    """Fork workers until stdin ends. `parse_one` takes a Source and `design`, as `parse` does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    asked, answers = Values(sys.stdin.buffer), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library's output must not mix with the answers
    _warm_up()
    with contextlib.suppress(OSError):
        write(answers, READY)
        while _reached_limit(asked, answers, _work(parse_one)):
            write(answers, TooCostly())


def _work(parse_one: Callable[..., ParsedMail]) -> dict[str, Callable[[Any], object]]:
    return {
        "parse": parse_one,
        "parse without design": partial(parse_one, design=False),
        "read header": unreadable,
        "identify": identified,
        "show": _shown,
        "show by text": partial(_shown, design=False),
    }


def _shown(body: StoredBody, *, design: bool = True) -> ShownBody:
    return shown_body(body.text, body.html, body.pictures, body.subject, design=design)


def _warm_up() -> None:
    """Load now what libraries load at first use, so that workers need not, and share its memory with them."""
    html = b"Subject: =?utf-8?Q?x?=\r\nContent-Type: text/html\r\n\r\n<p style='color:red'>x</p>"
    parse(MailSource(html, len(html)))
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)


def _reached_limit(asked: Values, answers: IO[bytes], work: dict[str, Callable[[Any], object]]) -> bool:
    """Run one worker to its end. Return whether a mail went beyond a limit."""
    pid = os.fork()
    if pid == 0:
        _serve(asked, answers, work)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code == _NO_MEMORY or -code in _LIMIT_SIGNALS


def _serve(asked: Values, answers: IO[bytes], work: dict[str, Callable[[Any], object]]) -> NoReturn:
    try:
        while True:
            request: Request = asked.read(None)
            _limit_memory()
            if _answer(request, answers, work[request.what]):
                write(answers, Paused())
    except (OSError, EOFError):
        os._exit(0)
    except MemoryError:
        os._exit(_NO_MEMORY)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def _answer(request: Request, answers: IO[bytes], work: Callable[[Any], object]) -> bool:
    """Write a result for each item. Return whether the time ran out before the last one."""
    end = time.monotonic() + request.slice_seconds
    for number, item in enumerate(request.items):
        if number and time.monotonic() > end:
            return True
        signal.setitimer(signal.ITIMER_PROF, request.seconds)
        signal.setitimer(signal.ITIMER_REAL, _WALL_SECONDS)
        result = work(item)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write(answers, result)
    return False


def _limit_memory() -> None:
    """Linux limits address space, not used memory. So the limit is relative to the current size."""
    with contextlib.suppress(OSError):  # not every system has /proc
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * _PAGE + _MEMORY, hard))


if __name__ == "__main__":
    main()
