"""Live updates: one LISTEN per process, distributed to any number of open streams.

A stream holds a thread and a queue, never a database connection. A change is encoded once and sent to every subscriber
who may see its mailbox. Changed counts are counted once for all of them. At every heartbeat we check again who the
member is and what they may see. So signing out, a revoked token or a removed role ends the stream within 15 s. If
events may have been lost because the database was away or a reader too slow, the stream sends `resync`. The page then
reloads what it shows. The number of streams is limited below the number of threads. Beyond it a page must poll (503).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from queue import Empty, Full, Queue
from typing import Any

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.announcements import CHANNEL, Announcement, ConversationChanged, HealthChanged, decoded
from app.db import read_only, transaction
from app.inbox.lists import counts
from app.inbox.people.member import Member

log = logging.getLogger(__name__)


class StreamEvent(StrEnum):
    """Every event that a stream may send. All except `resync`, which has no data, concern one mailbox and are sent only
    to members who may see it. tests/web/test_news.py has each for each role."""

    CONVERSATION = "conversation"
    COUNTS = "counts"
    HEALTH = "health"
    RESYNC = "resync"


HEARTBEAT_SECONDS = 15
#: A process counts at most this often, however many changes and open pages there are.
COUNTS_SECONDS = 1.0

Still = Callable[[Session], bool]


def _always(_session: Session) -> bool:
    return True


class NoRoom(Exception):
    """The process has reached its maximum number of streams."""


@dataclass(frozen=True)
class StreamFrame:
    mailbox: int
    data: bytes
    changes_counts: bool = False


@dataclass(eq=False)
class _Subscriber:
    member_id: int
    mailboxes: frozenset[int]
    fresh: bool
    queue: Queue[StreamFrame] = field(default_factory=lambda: Queue(maxsize=500))
    lost: bool = False

    def offer(self, frame: StreamFrame) -> None:
        try:
            self.queue.put_nowait(frame)
        except Full:
            self.lost = True


class Hub:
    """The streams of one process. Call `configure` before the first one. The first one starts two threads, one that
    listens and one that counts."""

    def __init__(self) -> None:
        self.limit = 64
        self.limit_per_member = 8
        self._url: str | None = None
        self._told_to_end: Callable[[], bool] = lambda: False
        self._closing = threading.Event()
        self._subscribers: set[_Subscriber] = set()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._listening = threading.Event()
        self._stale: set[int] = set()  # mailboxes whose counts have changed
        self._counts_changed = threading.Event()

    def configure(
        self, *, url: str | None = None, limit: int | None = None, ending: Callable[[], bool] | None = None
    ) -> None:
        """`ending`: whether the process is being stopped; open streams then end within a second."""
        self._url = url or self._url
        self.limit = limit or self.limit
        self._told_to_end = ending or self._told_to_end

    def subscribe(
        self, member: Member, mailbox_ids: Collection[int], still: Still = _always, *, fresh: bool = True
    ) -> Iterator[bytes]:
        """Frames of server-sent events for these mailboxes, until the reader leaves. Raises NoRoom at once.

        `still`: whether the sign-in or token that opened it is still valid, checked at every heartbeat. `fresh`: the
        reader has the present state, as a page that was just loaded; otherwise it is told to load it."""
        subscriber = _Subscriber(member.id, frozenset(mailbox_ids), fresh, lost=not fresh)
        with self._lock:
            if len(self._subscribers) >= self.limit or self._count_of(member.id) >= self.limit_per_member:
                raise NoRoom
            self._subscribers.add(subscriber)
            self._start()
        frames = self._frames(subscriber, still)
        next(frames)  # started, so that it also ends properly if its reader never comes
        return frames

    def publish(self, announcement: Announcement | None) -> None:
        """Send it to those who may see it."""
        frame = frame_of(announcement)
        if frame is None:
            return
        for subscriber in self._readers(frame.mailbox):
            subscriber.offer(frame)
        if frame.changes_counts:
            self._count_again([frame.mailbox])

    def close(self) -> None:
        """End the listener and every stream, and wait for them. New ones may begin afterwards."""
        self._closing.set()
        for thread in self._threads.values():
            thread.join()
        while self._subscribers:
            time.sleep(0.05)
        self._closing.clear()

    def _count_of(self, member_id: int) -> int:
        return sum(subscriber.member_id == member_id for subscriber in self._subscribers)

    def _ending(self) -> bool:
        return self._closing.is_set() or self._told_to_end()

    def _readers(self, mailbox: int) -> list[_Subscriber]:
        with self._lock:
            return [subscriber for subscriber in self._subscribers if mailbox in subscriber.mailboxes]

    def _frames(self, subscriber: _Subscriber, still: Still) -> Iterator[bytes]:
        try:
            yield b""
            if self._listening.wait(timeout=5):
                subscriber.lost = not subscriber.fresh
            yield b"retry: 3000\n\n"
            yield from _Reading(subscriber, still, self._ending).frames()
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)

    def _start(self) -> None:
        for name, work in (("listen", self._listen_for_ever), ("count", self._count_for_ever)):
            if name not in self._threads or not self._threads[name].is_alive():
                self._threads[name] = threading.Thread(target=work, name=name, daemon=True)
                self._threads[name].start()

    def _listen_for_ever(self) -> None:
        while not self._ending():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("Live updates pause: the database does not answer (%s)", type(error).__name__)
                time.sleep(1)
            self._listening.clear()

    def _listen(self) -> None:
        url = make_url(self._url or "").set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            self._listening.set()
            self._all_lost()  # existing readers may have missed something
            while not self._ending():
                for notification in connection.notifies(timeout=1):
                    self.publish(decoded(notification.payload))

    def _count_for_ever(self) -> None:
        while not self._ending():
            if not self._counts_changed.wait(timeout=1):
                continue
            self._counts_changed.clear()
            with self._lock:
                stale, self._stale = self._stale, set()
            try:
                for mailbox in sorted(stale):
                    self._count(mailbox)
            except SQLAlchemyError as error:
                log.warning("Counts pause: the database does not answer (%s)", type(error).__name__)
                self._count_again(stale)
            self._closing.wait(COUNTS_SECONDS)

    def _count_again(self, mailboxes: Iterable[int]) -> None:
        with self._lock:
            self._stale.update(mailboxes)
        self._counts_changed.set()

    def _count(self, mailbox: int) -> None:
        """Send all readers the number of conversations in each view of a mailbox."""
        readers = self._readers(mailbox)
        if not readers:
            return
        with read_only() as session:
            counted = counts.counts_for(session, {reader.member_id for reader in readers}, mailbox)
        frames = {
            member: StreamFrame(mailbox, _frame(StreamEvent.COUNTS, {"mailbox": mailbox, **views}))
            for member, views in counted.items()
        }
        for reader in readers:
            if reader.member_id in frames:
                reader.offer(frames[reader.member_id])

    def _all_lost(self) -> None:
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.lost = True


class _Reading:
    """One open stream: waits on its queue and turns announcements into frames."""

    def __init__(self, subscriber: _Subscriber, still: Still, ending: Callable[[], bool]) -> None:
        self._subscriber = subscriber
        self._still = still
        self._ending = ending
        self._beat_at = time.monotonic()

    def frames(self) -> Iterator[bytes]:
        while not self._ending():
            if self._subscriber.lost:
                self._subscriber.lost = False
                yield _frame(StreamEvent.RESYNC, {})
            frame = self._next()
            if frame is not None:
                yield frame.data
            if time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
                if not self._still_here():
                    return
                yield b": still here\n\n"

    def _next(self) -> StreamFrame | None:
        try:
            return self._subscriber.queue.get(timeout=1)
        except Empty:
            return None

    def _still_here(self) -> bool:
        """Check again who the member is and what they see; False ends the stream."""
        self._beat_at = time.monotonic()
        with transaction() as session:
            member = session.get(Member, self._subscriber.member_id)
            if member is None or member.disabled_at is not None or not self._still(session):
                return False
            seen = frozenset(grant.mailbox_id for grant in member.grants)
        self._subscriber.mailboxes &= seen
        return bool(self._subscriber.mailboxes)


#: The streams of this process; `create_app` and gunicorn.conf.py configure it.
hub = Hub()


def frame_of(announcement: Announcement | None) -> StreamFrame | None:
    """None for an announcement that concerns no page."""
    match announcement:
        case ConversationChanged(mailbox_id, id_, revision):
            data = {"id": id_, "mailbox": mailbox_id, "revision": revision}
            return StreamFrame(mailbox_id, _frame(StreamEvent.CONVERSATION, data), changes_counts=True)
        case HealthChanged(mailbox_id, state):
            return StreamFrame(mailbox_id, _frame(StreamEvent.HEALTH, {"mailbox": mailbox_id, "state": state}))
    return None


def _frame(event: StreamEvent, data: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
