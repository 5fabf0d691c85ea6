"""The timetable: which job runs how often.

APScheduler holds it in memory. All work is in the database, so a worker that dies loses no plan.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from app.clock import now

log = logging.getLogger(__name__)

Job = Callable[[], None]


class Timetable:
    """Each job runs in a thread, and never twice at the same time."""

    def __init__(self) -> None:
        # A late job still runs, however busy the machine is; most important is the heartbeat.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults=defaults)

    def add(self, job: Job, *, seconds: int, at_once: bool = False) -> None:
        """`at_once`: first run when the timetable starts, otherwise after the first interval."""
        first = {"next_run_time": now()} if at_once else {}
        self._scheduler.add_job(_guarded(job), "interval", seconds=seconds, id=job.__name__, **first)

    def run_now(self, job: Job) -> None:
        """Run a job of the timetable now."""
        self._scheduler.modify_job(job.__name__, next_run_time=now())

    def follow_clock(self) -> None:
        """Jobs are due by the machine's clock. If the clock was set back, every job, including the heartbeat, would
        pause until then. So a job that is due later than its interval runs now."""
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, IntervalTrigger) and job.next_run_time - now() > job.trigger.interval:
                self._scheduler.modify_job(job.id, next_run_time=now())

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)


def _guarded(job: Job) -> Job:
    """A job that finds the database unavailable runs again at its next time."""

    def run_job() -> None:
        try:
            job()
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("%s: the database does not answer: %s", job.__name__, str(error).splitlines()[0])

    return run_job
