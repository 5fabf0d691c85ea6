"""The queue: background work as rows in Postgres.

A table becomes a queue with the mixin `Queued`, and each of its rows is a job. So a job is deleted together with its
subject, and the transaction that finishes it also writes its result.

               ┌──────────── retry, or the lease ends ────────────┐
               ▼                                                  │
    enqueue ─▶ waits ── take ─▶ leased to one worker until `due_at` ── finish ─▶ idle
               │                                                                 ▲
               └── expired, or taken `MOST_TRIES` times: give_up ────────────────┘

A job can be enqueued again at any time. That ends the lease: the worker that has the job gets None from `leased()` and
drops its result. Each lease counts as a try, so a job that kills its worker stops at the limit.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, Select, func, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.clock import now
from app.db import transaction

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = dt.timedelta(seconds=5), dt.timedelta(minutes=15)
#: No lease and no pause is longer. A later time was written by a wrong clock and is ignored.
_FARTHEST = dt.timedelta(hours=1)

#: The error that people see if our own code failed, or if a job was given up.
SEE_LOG = "The worker’s log has the details."

#: Below the mailbox number of every job; a job without mailbox counts as mailbox 0.
_FIRST = -1

T = TypeVar("T", bound="Queued")


class Queued:
    """Columns of a table whose rows are jobs. The table needs a `mailbox_id`, as `take()` serves mailboxes in turn."""

    #: How long one worker has a job to itself. After a crash the job waits until this time is over.
    LEASE: ClassVar[dt.timedelta]
    #: How often it is taken before it is given up.
    MOST_TRIES: ClassVar[int] = 3

    if TYPE_CHECKING:
        mailbox_id: Mapped[Any]

    due_at: Mapped[dt.datetime | None]  # None: idle. While leased: the end of the lease
    expires_at: Mapped[dt.datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    lease: Mapped[uuid.UUID | None]

    @property
    def waits(self) -> bool:
        """Whether it waits for a worker or is leased to one."""
        return self.due_at is not None

    def enqueue(self) -> None:
        """Let it wait for a worker. This ends a lease and starts the tries at 0."""
        self.due_at, self.tries, self.lease = now(), 0, None

    def finish(self) -> None:
        """The job is done."""
        self.due_at, self.tries, self.lease = None, 0, None

    def retry(self) -> None:
        """It failed for a reason that may be temporary. The pause grows each time. After the last try it is given
        up."""
        if self.tries >= self.MOST_TRIES:
            self.give_up()
            return
        self.due_at, self.lease = now() + back_off(self.tries), None

    def give_up(self) -> None:
        """Finish it with a result that tells people it failed."""
        raise NotImplementedError


def back_off(failures: int) -> dt.timedelta:
    """The pause after this many failures in a row: 5 s, 10 s, 20 s … 15 minutes. It is partly random, so that workers
    do not all retry at once."""
    doublings = min(max(failures, 1), 20) - 1
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)


def take(session: Session, kind: type[T], *where: ColumnElement[bool], after: int = _FIRST) -> T | None:
    """The next job that is due, leased to this worker alone; None if nothing is due. Jobs that expired or were tried
    too often are given up.

    `after`: the mailbox served last. The next mailbox has its turn, so many jobs of one mailbox do not delay the
    others. Within a mailbox the job that has been due longest comes first."""
    while (job := session.scalar(_next(kind, after).where(*where))) is not None:
        expired = job.expires_at is not None and job.expires_at <= now()
        if not expired and job.tries < job.MOST_TRIES:
            job.due_at, job.tries, job.lease = now() + job.LEASE, job.tries + 1, uuid.uuid4()
            return job
        log.warning("%s: given up, %s", _name(job), "expired" if expired else f"tried {job.tries} times")
        job.give_up()
    return None


def leased(session: Session, job: T) -> T | None:
    """The job that was taken, locked, to record its result. None if it was enqueued again or removed, or if the lease
    ended and another worker has it."""
    kind = type(job)
    same = [column == getattr(job, column.key) for column in _key(kind)]
    found = select(kind).where(*same, kind.lease == job.lease)
    return session.scalar(found.with_for_update(of=kind).execution_options(populate_existing=True))


def jobs(kind: type[T], *where: ColumnElement[bool]) -> Iterator[T]:
    """Every job that is due, one at a time, mailboxes in turn. Each is taken in its own transaction."""
    after = _FIRST
    while True:
        with transaction() as session:
            job = take(session, kind, *where, after=after)
        if job is None:
            return
        after = job.mailbox_id or 0
        yield job


def _next(kind: type[T], after: int) -> Select[T]:
    mailbox = func.coalesce(kind.mailbox_id, 0)
    wrong = (kind.tries > 0) & (kind.due_at > now() + _FARTHEST)
    return (
        select(kind)
        .where((kind.due_at <= now()) | wrong)
        .order_by(mailbox <= after, mailbox, kind.due_at, *_key(kind))
        .limit(1)
        .with_for_update(of=kind, skip_locked=True)
    )


def _key(kind: type[Queued]) -> list[InstrumentedAttribute[Any]]:
    return [getattr(kind, column.key) for column in inspect(kind, raiseerr=True).primary_key]


def _name(job: Queued) -> str:
    return f"{type(job).__name__} {[getattr(job, column.key) for column in _key(type(job))]}"
