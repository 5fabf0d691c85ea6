"""The worker process: a service per mailbox, a listener for announcements of other processes, and the timetable.

Any number of workers may run; each mailbox is served by one of them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from app.announcements import (
    Announcement,
    AttemptWaits,
    ComparisonWaits,
    ConversationChanged,
    PullWanted,
    PushWanted,
    SendingWanted,
)
from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.worker.jobs.attempts import try_attempts
from app.worker.jobs.comparing import answer_administrators
from app.worker.jobs.housekeeping import clean_up, mark_gone_conversations, wake_snoozed
from app.worker.jobs.recleaning import clean_stored
from app.worker.listener import Listener
from app.worker.outbox.outbox import Outbox, send_all
from app.worker.outbox.sending import send_due
from app.worker.service import Service
from app.worker.timetable import Timetable
from config import Config

log = logging.getLogger(__name__)

_ONCE_PATIENCE = 60.0
#: Parsing takes most of an import's time; storing and the database need the other processors.
PARSERS = min(os.cpu_count() or 1, 2)
_HEARTBEAT_SECONDS = 10
_LOOK_AT_CLOCK = 5.0


def run(config: Config, *, once: bool) -> int:
    """Returns the exit code: 0, or 1 if `once` could not finish a mailbox."""
    with MailParser(processes=PARSERS) as parser:
        if once:
            return _once(config, parser)
        Worker(config, parser).run()
        return 0


def read_once(config: Config, mailbox_id: int, patience: float) -> str | None:
    """Read all of a mailbox, including its import, and write nothing to the server. Returns the error in one line, or
    None."""
    with MailParser(processes=PARSERS) as parser:
        service = Service(mailbox_id, config, parser)
        with _heartbeat_of([service]):
            return service.once(patience, writing=False)


class Worker:
    """Runs until SIGTERM or SIGINT."""

    def __init__(self, config: Config, parser: MailParser) -> None:
        self._config = config
        self._parser = parser
        self._services: dict[int, Service] = {}
        self._stopping = threading.Event()
        self._timetable = Timetable()
        self._outbox = Outbox(lambda id_, go_on: send_due(id_, config.seal_key, parser, go_on=go_on))
        self._listener = Listener(heard=self._act_on, missed=self._push_all)

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self._plan()
        self._listener.start()
        self._timetable.start()
        log.info("the worker runs")
        while not self._stopping.wait(_LOOK_AT_CLOCK):
            self._timetable.follow_clock()
        self._timetable.stop()
        self._listener.stop()
        for service in self._services.values():
            service.stop()
        self._outbox.stop(5)
        for service in self._services.values():
            service.join(5)
        log.info("the worker has stopped")

    def _plan(self) -> None:
        self._timetable.add(self._match_mailboxes, seconds=3, at_once=True)
        for job, seconds in (
            (self._try_attempts, 3),
            (self._compare, 3),
            (self._clean_stored, 3),
            (self._send_due, 1),
            (self._beat, _HEARTBEAT_SECONDS),
            (wake_snoozed, 5),
            (mark_gone_conversations, 60),
            (clean_up, 3600),
        ):
            self._timetable.add(job, seconds=seconds)

    def _match_mailboxes(self) -> None:
        """Start a service for every new mailbox, and stop those of mailboxes that were removed."""
        with transaction() as session:
            ids = set(session.scalars(select(Mailbox.id)))
        for id_ in ids - {id_ for id_, service in self._services.items() if service.is_alive()}:
            self._services[id_] = Service(id_, self._config, self._parser)
            self._services[id_].start()
        for id_ in self._services.keys() - ids:
            self._services.pop(id_).stop()

    def _try_attempts(self) -> None:
        try_attempts(self._config.seal_key)

    def _compare(self) -> None:
        answer_administrators(self._config.seal_key)

    def _send_due(self) -> None:
        self._outbox.send_due()

    def _clean_stored(self) -> None:
        clean_stored(self._parser)

    def _beat(self) -> None:
        _beat(list(self._services.values()))

    def _act_on(self, announcement: Announcement | None) -> None:
        match announcement:
            case AttemptWaits():
                self._timetable.run_now(self._try_attempts)
            case ComparisonWaits():
                self._timetable.run_now(self._compare)
            case SendingWanted():
                self._timetable.run_now(self._send_due)
            case PushWanted(mailbox_id) | ConversationChanged(mailbox_id, push=True):
                self._wake(mailbox_id, "push")
            case PullWanted(mailbox_id):
                self._wake(mailbox_id, "pull")

    def _push_all(self) -> None:
        for mailbox_id in list(self._services):
            self._wake(mailbox_id, "push")

    def _wake(self, mailbox_id: int, reason: str) -> None:
        if (service := self._services.get(mailbox_id)) is not None:
            service.wakeup.set(reason)


def _once(config: Config, parser: MailParser) -> int:
    wake_snoozed()
    with transaction() as session:
        mailboxes = list(
            session.execute(select(Mailbox.id, Mailbox.name).where(Mailbox.paused_at.is_(None)).order_by(Mailbox.id))
        )
    send_all(lambda id_, go_on: send_due(id_, config.seal_key, parser, go_on=go_on), config.undo_seconds)
    services = [(name, Service(id_, config, parser)) for id_, name in mailboxes]
    with _heartbeat_of([service for _, service in services]):
        errors = [(name, error) for name, service in services if (error := service.once(_ONCE_PATIENCE)) is not None]
    for name, error in errors:
        print(f"{name}: {error}", file=sys.stderr)  # noqa: T201  the command's answer
    mark_gone_conversations()
    return int(bool(errors))


@contextlib.contextmanager
def _heartbeat_of(services: Sequence[Service]) -> Iterator[None]:
    def beat() -> None:
        _beat(services)

    timetable = Timetable()
    timetable.add(beat, seconds=_HEARTBEAT_SECONDS)
    timetable.start()
    try:
        yield
    finally:
        timetable.stop()


def _beat(services: Sequence[Service]) -> None:
    for service in services:
        service.holder.beat()
