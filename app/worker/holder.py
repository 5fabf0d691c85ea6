"""Holder: which worker serves a mailbox. Postgres decides with an advisory lock on a dedicated connection.

Any number of workers may run. If one dies, its connection closes, and another worker has the lock within seconds. The
holder writes a heartbeat every few seconds. If it is silent for a minute (because it was suspended, for example), the
next worker ends its connections, including any row locks they hold. The old holder notices before its next command to
the mail server, because `check` is called before every IMAP command.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time

import psycopg
from sqlalchemy import Engine

from app.db import PROCESS
from app.locks import SERVE_MAILBOX

#: The holder's own limit is lower, so that it stops before another worker begins.
_SILENT_SECONDS = 60
_OWN_LIMIT_SECONDS = 50


#: Ends the connection with the lock. If no mailbox of that process has a fresh heartbeat, ends all its connections. A
#: heartbeat in the future was written before its clock was set back, and does not count.
_END_SILENT = """
  WITH beating AS (
    SELECT id, holder_pid FROM mailbox WHERE holder_beat_at BETWEEN
      clock_timestamp() - make_interval(secs => %(silent)s) AND clock_timestamp() + make_interval(secs => %(silent)s))
  SELECT pg_terminate_backend(one.pid) FROM mailbox
    JOIN pg_locks ON pg_locks.pid = holder_pid AND locktype = 'advisory' AND classid = %(class)s AND objid = mailbox.id
    JOIN pg_stat_activity AS holder ON holder.pid = holder_pid
    JOIN pg_stat_activity AS one ON one.pid = holder.pid OR (
      one.application_name = holder.application_name AND one.application_name LIKE 'signalbox %%'
      AND one.application_name <> %(own)s AND NOT EXISTS (
        SELECT FROM beating JOIN pg_stat_activity AS other ON other.pid = beating.holder_pid
        WHERE other.application_name = holder.application_name))
  WHERE mailbox.id = %(mailbox)s AND mailbox.id NOT IN (SELECT id FROM beating)
"""


class LockLost(Exception):
    """Another worker may serve this mailbox now, so this one must send nothing more to its mail server."""


class Holder:
    """The lock of one mailbox; `beat` may be called from a different thread."""

    def __init__(self, engine: Engine, mailbox_id: int) -> None:
        self._engine = engine
        self._mailbox_id = mailbox_id
        self._connection: psycopg.Connection[tuple[int]] | None = None
        self._guard = threading.Lock()
        self._last_beat = 0.0

    @property
    def has_lock(self) -> bool:
        return self._connection is not None

    def take(self) -> bool:
        """Whether this worker serves the mailbox now. Ends the connections of a silent holder."""
        if self.has_lock:
            return True
        connection = _connect(self._engine)
        try:
            if not self._locked(connection):
                self._end_silent_holder(connection)
                connection.close()
                return False
            self._connection, self._last_beat = connection, time.monotonic()
            self._beat(connection)
        except psycopg.Error:
            connection.close()
            raise
        return True

    def check(self) -> None:
        """Check that this worker still serves the mailbox. Raises LockLost if the lock's connection is gone, or if our
        last heartbeat is too old.

        It does not release the lock, because it is called inside transactions. Releasing would wait for a heartbeat
        that waits for a row of that transaction. Code that catches LockLost releases it."""
        connection = self._connection
        silent = time.monotonic() - self._last_beat > _OWN_LIMIT_SECONDS
        if connection is None or silent or self._was_closed(connection):
            raise LockLost

    def beat(self) -> None:
        """Write the heartbeat, every ten seconds or so."""
        connection = self._connection
        if connection is None:
            return
        try:
            self._beat(connection)
        except psycopg.Error:
            self.release()

    def release(self) -> None:
        with self._guard:
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _was_closed(self, connection: psycopg.Connection[tuple[int]]) -> bool:
        """Postgres sends nothing on its own except the end of the connection. During a heartbeat the data is its
        answer, and the heartbeat itself notices an error."""
        if connection.closed:
            return True
        if not self._guard.acquire(blocking=False):
            return False
        try:
            readable, _, _ = select.select([connection.fileno()], [], [], 0)
        except (OSError, ValueError, psycopg.Error):
            return True
        finally:
            self._guard.release()
        return bool(readable)

    def _locked(self, connection: psycopg.Connection[tuple[int]]) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (SERVE_MAILBOX, self._mailbox_id)).fetchone()
        return bool(row and row[0])

    def _beat(self, connection: psycopg.Connection[tuple[int]]) -> None:
        with self._guard:
            connection.execute(
                "UPDATE mailbox SET holder_pid = pg_backend_pid(), holder_beat_at = clock_timestamp() WHERE id = %s",
                (self._mailbox_id,),
            )
            self._last_beat = time.monotonic()

    def _end_silent_holder(self, connection: psycopg.Connection[tuple[int]]) -> None:
        connection.execute(
            _END_SILENT,
            {"class": SERVE_MAILBOX, "mailbox": self._mailbox_id, "silent": _SILENT_SECONDS, "own": PROCESS},
        )


def _connect(engine: Engine) -> psycopg.Connection[tuple[int]]:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(
        url,
        application_name=PROCESS,
        autocommit=True,
        connect_timeout=10,
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=25_000,  # milliseconds that sent data may stay unacknowledged
    )
