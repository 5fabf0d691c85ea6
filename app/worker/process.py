"""The worker process: a service per mailbox, one ear for what the web announces, and the timetable.

APScheduler holds the only timetable, in memory: what is to be done is in the database, so a worker that dies loses no
plan. Any number of workers may run; each mailbox is served by one of them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app import db
from app.announcements import (
    CHANNEL,
    Announcement,
    AttemptWaits,
    ComparisonWaits,
    ConversationChanged,
    PullWanted,
    PushWanted,
    decoded,
)
from app.clock import now
from app.db import transaction
from app.inbox.admin import attempt, invitation
from app.inbox.arriving import slow_mail
from app.inbox.arriving.thread import settle_gone
from app.inbox.conversations.snooze import wake_due
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people import known_browser, session, throttle
from app.inbox.server import download
from app.mail.child import MailParser
from app.sync import connect
from app.sync.pull.reset import settle_unmatched
from app.worker.jobs.comparing import answer_administrators
from app.worker.jobs.recleaning import clean_stored
from app.worker.service import Service
from config import Config

log = logging.getLogger(__name__)

_ONCE_PATIENCE = 60.0
#: Parsing takes the most of an import's time; storing and the database need the other processors.
PARSERS = min(os.cpu_count() or 1, 2)
_LOOK_AT_CLOCK = 5.0


def run(config: Config, *, once: bool) -> int:
    """The exit code: 0, or 1 when `once` could not finish a mailbox."""
    with MailParser(processes=PARSERS) as parser:
        if once:
            return _once(config, parser)
        Worker(config, parser).run()
        return 0


def read_once(config: Config, mailbox_id: int, patience: float) -> str | None:
    """All of a mailbox is read, an import brought to its end, and nothing is written to the server. Returns what went
    wrong, in one line, or None."""
    with MailParser(processes=PARSERS) as parser:
        service = Service(mailbox_id, config, parser)
        with _beating([service]):
            return service.once(patience, writing=False)


class Worker:
    """Runs until SIGTERM or SIGINT."""

    def __init__(self, config: Config, parser: MailParser) -> None:
        self._config = config
        self._parser = parser
        self._services: dict[int, Service] = {}
        self._stopping = threading.Event()
        self._jobs = _new_timetable()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        ear = threading.Thread(target=self._listen, name="ear", daemon=True)
        self._plan()
        ear.start()
        self._jobs.start()
        log.info("the worker runs")
        while not self._stopping.wait(_LOOK_AT_CLOCK):
            self._follow_clock()
        self._jobs.shutdown(wait=False)
        for service in self._services.values():
            service.stop()
        for service in self._services.values():
            service.join(5)
        log.info("the worker has stopped")

    def _plan(self) -> None:
        for job, seconds in (
            (self._match_mailboxes, 3),
            (self._try_attempts, 3),
            (self._compare, 3),
            (self._beat, 10),
            (self._clean_stored, 3),
            (wake_snoozed, 5),
            (settle, 60),
            (clean_up, 3600),
        ):
            self._jobs.add_job(_guarded(job), "interval", seconds=seconds, id=job.__name__)
        self._jobs.add_job(_guarded(self._match_mailboxes), id="at once")

    def _follow_clock(self) -> None:
        """The timetable goes by the machine's clock. Where that was set back, all of it, the sign of life too, would
        come to a stop until then: what is farther away than its interval is done now."""
        for job in self._jobs.get_jobs():
            if isinstance(job.trigger, IntervalTrigger) and job.next_run_time - now() > job.trigger.interval:
                self._jobs.modify_job(job.id, next_run_time=now())

    def _match_mailboxes(self) -> None:
        """A service for every mailbox there is, and none for one that is no more."""
        with transaction() as db_session:
            ids = set(db_session.scalars(select(Mailbox.id)))
        for id_ in {*ids} - {id_ for id_, service in self._services.items() if service.is_alive()}:
            self._services[id_] = Service(id_, self._config, self._parser)
            self._services[id_].start()
        for id_ in self._services.keys() - ids:
            self._services.pop(id_).stop()

    def _try_attempts(self) -> None:
        connect.try_attempts(self._config.seal_key)

    def _compare(self) -> None:
        answer_administrators(self._config.seal_key)

    def _clean_stored(self) -> None:
        clean_stored(self._parser)

    def _beat(self) -> None:
        _beat_all(list(self._services.values()))

    def _listen(self) -> None:
        """What the web announces; when the ear was deaf for a while, every service looks."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(_plain_url(), autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._ring_all("push")
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=1):
                            self._heard(decoded(notice.payload))
            except psycopg.Error as error:
                log.warning("the ear lost the database: %s", str(error).strip())
                self._stopping.wait(2)

    def _heard(self, announcement: Announcement | None) -> None:
        match announcement:
            case AttemptWaits():
                self._jobs.modify_job(self._try_attempts.__name__, next_run_time=now())
            case ComparisonWaits():
                self._jobs.modify_job(self._compare.__name__, next_run_time=now())
            case PushWanted(mailbox_id) | ConversationChanged(mailbox_id, push=True):
                self._ring(mailbox_id, "push")
            case PullWanted(mailbox_id):
                self._ring(mailbox_id, "pull")

    def _ring(self, mailbox_id: int, reason: str) -> None:
        if (service := self._services.get(mailbox_id)) is not None:
            service.bell.ring(reason)

    def _ring_all(self, reason: str) -> None:
        for service in list(self._services.values()):
            service.bell.ring(reason)


def wake_snoozed() -> None:
    with transaction() as db_session:
        wake_due(db_session)


def settle() -> None:
    """What only time decides: conversations without a copy, copies not found again."""
    more = True
    while more:
        with transaction() as db_session:
            more = bool(settle_gone(db_session))
    settle_unmatched()
    with transaction() as db_session:
        attempt.forget_old(db_session)


def clean_up() -> None:
    with transaction() as db_session:
        session.forget_ended(db_session)
        known_browser.forget_old(db_session)
        throttle.forget_old(db_session)
        slow_mail.forget_old(db_session)
        invitation.forget_old(db_session)
        download.trim(db_session)


def _once(config: Config, parser: MailParser) -> int:
    wake_snoozed()
    with transaction() as db_session:
        mailboxes = list(
            db_session.execute(select(Mailbox.id, Mailbox.name).where(Mailbox.paused_at.is_(None)).order_by(Mailbox.id))
        )
    services = [(name, Service(id_, config, parser)) for id_, name in mailboxes]
    with _beating([service for _, service in services]):
        errors = [(name, error) for name, service in services if (error := service.once(_ONCE_PATIENCE)) is not None]
    for name, error in errors:
        print(f"{name}: {error}", file=sys.stderr)  # noqa: T201  the command's answer
    settle()
    return int(bool(errors))


@contextlib.contextmanager
def _beating(services: Sequence[Service]) -> Iterator[None]:
    timetable = _new_timetable()
    timetable.add_job(_guarded(lambda: _beat_all(services)), "interval", seconds=10)
    timetable.start()
    try:
        yield
    finally:
        timetable.shutdown(wait=False)


def _new_timetable() -> BackgroundScheduler:
    # A job that is late is done late, however busy the machine is: the sign of life above all.
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    return BackgroundScheduler(timezone="UTC", job_defaults=defaults)


def _beat_all(services: Iterable[Service]) -> None:
    for service in services:
        service.holder.beat()


def _guarded(job: Callable[[], None]) -> Callable[[], None]:
    """A job that meets a database that is away is done at its next time."""

    def run_job() -> None:
        try:
            job()
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("%s: the database does not answer: %s", job.__name__, str(error).splitlines()[0])

    return run_job


def _plain_url() -> str:
    return db.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
