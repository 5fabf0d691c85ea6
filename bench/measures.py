"""The measures. Each measure returns rows (what, figure, unit, number of times); nothing is asserted."""

from __future__ import annotations

import imaplib
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, select

from app.db import transaction
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.mail.child import MailParser
from app.mail.imap import ImapSession
from app.mail.parse import MailSource
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.pull import pull
from app.worker.process import PARSERS
from bench.place import PASSWORD, USER, Setup

T = TypeVar("T")


@dataclass(frozen=True)
class Measurement:
    what: str
    figure: float
    unit: str
    times: int = 1


def raw_fetch(place: Setup) -> list[Measurement]:
    """The same mail fetched by imaplib and discarded: the cost of the protocol itself on this machine."""
    began, got = time.perf_counter(), 0
    with imaplib.IMAP4("127.0.0.1", place.dovecot.port) as imap:
        imap.login(USER, PASSWORD)
        for folder in ("INBOX", "Sent", "Junk", "Archive"):
            imap.select(folder, readonly=True)
            _, answer = imap.uid("SEARCH", "ALL")
            uids = answer[0].split()
            for start in range(0, len(uids), 400):
                _, rows = imap.uid("FETCH", b",".join(uids[start : start + 400]).decode(), "(UID FLAGS BODY.PEEK[])")
                got += sum(1 for row in rows if isinstance(row, tuple))
    seconds = time.perf_counter() - began
    return [Measurement(f"imaplib fetches {got:,} mails and keeps none", got / seconds, "mails/s")]


def first_import(place: Setup, mailbox_id: int, parser: MailParser, count: int) -> list[Measurement]:
    """From the first command to the last commit: everything listed and searchable."""
    for started in [parser.submit([MailSource(b"", 0)]) for _ in range(2 * PARSERS)]:
        started.result()  # starting the children belongs to the worker's start, not to the import
    first: list[float] = []
    began = time.perf_counter()

    def listed() -> bool:
        if not first:
            with transaction() as session:
                if (session.scalar(select(func.count()).select_from(Message)) or 0) >= min(500, count):
                    first.append(time.perf_counter() - began)
        return True

    with linked(place, mailbox_id, parser, listed) as link:
        pull(link)
        importing.go_on(link)
    seconds = time.perf_counter() - began
    with transaction() as session:
        stored = session.scalar(select(func.count()).select_from(Copy)) or 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Measurement(f"import of {stored:,} mails, listed and searchable", stored / seconds, "mails/s"),
        Measurement("the newest 500 are listed after", first[0] if first else seconds, "s"),
        Measurement("memory of the importing process, at most", peak, "MB"),
        Measurement("memory of its parser, at most", parsers_peak(), "MB"),
    ]


def parsers_peak() -> float:
    """Memory of the largest process that parses mail, in MB."""
    sizes = [Path(f"/proc/{pid}/status").read_text() for pid in parsers()]
    return max(int(size) for status in sizes for size in re.findall(r"VmHWM:\s+(\d+) kB", status)) / 1024


def parsers() -> list[int]:
    """The child processes that parse mail, and their workers."""
    children = [int(pid) for task in Path("/proc/self/task").iterdir() for pid in _words(task / "children")]
    ours = [pid for pid in children if b"app.mail.child_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return [*ours, *(int(pid) for child in ours for pid in _words(Path(f"/proc/{child}/task/{child}/children")))]


def _words(path: Path) -> list[str]:
    return path.read_text().split()


def quiet_round(place: Setup, mailbox_id: int, parser: MailParser, count: int, times: int = 50) -> list[Measurement]:
    """A pull without changes."""
    with linked(place, mailbox_id, parser, lambda: True) as link:
        pull(link)
        took = [timed(lambda: pull(link))[0] for _ in range(times)]
    return spread(f"a round with nothing new, {count:,} mails", took)


def spread(what: str, seconds: list[float]) -> list[Measurement]:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return [
        Measurement(f"{what}, p50", statistics.median(ordered) * 1000, "ms", len(ordered)),
        Measurement(f"{what}, p95", p95 * 1000, "ms", len(ordered)),
    ]


def timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


@contextmanager
def linked(place: Setup, mailbox_id: int, parser: MailParser, between: Callable[[], bool]) -> Iterator[Link]:
    def open_session() -> ImapSession:
        return ImapSession.open(place.server)

    with open_session() as imap:
        yield Link(mailbox_id, imap, parser, open_session, between)
