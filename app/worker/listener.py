"""The listener: a thread that receives announcements of other processes (LISTEN)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg

from app import db
from app.announcements import CHANNEL, Announcement, decoded

log = logging.getLogger(__name__)

_PAUSE = 2.0


class Listener(threading.Thread):
    """Calls `heard` with each announcement. Calls `missed` whenever it begins to listen, because nobody listened
    before."""

    def __init__(self, *, heard: Callable[[Announcement | None], None], missed: Callable[[], None]) -> None:
        super().__init__(name="listener", daemon=True)
        self._heard = heard
        self._missed = missed
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("the listener lost the database: %s", str(error).strip())
                self._stopping.wait(_PAUSE)

    def _listen(self) -> None:
        url = db.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._missed()
            while not self._stopping.is_set():
                for notice in connection.notifies(timeout=1):
                    self._heard(decoded(notice.payload))
