"""gunicorn's worker with time limits: a client that neither sends nor reads does not hold a thread.

Each open connection holds one of the threads. gunicorn's own timeout watches processes, not clients, so a few hundred
half-sent requests would stop the web. A proxy that reads a whole request before passing it on (docs/administrators.md)
also stops slow clients.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

#: From the first byte of a request to the end of its header.
_HEADER_SECONDS = 20
#: Without receiving a byte of the body, or sending a byte of the response.
_IDLE_SECONDS = 30
#: A client's connection stays with the process that accepted it, and one process may get all busy ones. Closing them
#: after some requests distributes them again.
REQUESTS_EACH = 50


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """`gthread` with these limits; named in gunicorn.conf.py."""

    def init_process(self) -> None:
        self._deadlines: dict[TConn, float] = {}
        threading.Thread(target=self._end_late, name="deadlines", daemon=True).start()
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        self._deadlines[conn] = time.monotonic() + _HEADER_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        self._deadlines.pop(conn, None)
        conn.sock.settimeout(_IDLE_SECONDS)
        conn.requests = getattr(conn, "requests", 0) + 1
        if conn.requests >= REQUESTS_EACH:
            req.force_close()
        return super().handle_request(req, conn)

    def _end_late(self) -> None:
        """Shutting down the socket ends the waiting read; gunicorn then treats the client as gone."""
        while True:
            time.sleep(1)
            at = time.monotonic()
            for conn, deadline in list(self._deadlines.items()):
                if at > deadline:
                    with contextlib.suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RDWR)
