"""gunicorn's settings for Signalbox: `gunicorn wsgi:app` finds this file automatically.

It uses threads, because an open page occupies one for its live stream. Half of them are reserved for everything else.
"""

from __future__ import annotations

import os
from typing import Any

bind = os.environ.get("SIGNALBOX_BIND", "127.0.0.1:8000")
worker_class = "app.web.serving.WebWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 128
# Load once and then fork: a start takes half the time, and the processes share memory. Loading opens no connection and
# no thread.
preload_app = True
graceful_timeout = 5
# The longest address that gunicorn allows, because a Cyrillic letter of a search takes six bytes. Without a limit,
# anyone could fill the memory.
limit_request_line = 8190
# Only its supervisor controls it, and the socket would be in the home folder of the user who starts it.
control_socket_disable = True
# Behind a proxy the application itself reads the forwarded headers (SIGNALBOX_TRUSTED_PROXIES).
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """Log lines as `SIGNALBOX_LOG` says. A stopping worker ends its open streams within a second. gunicorn has no hook
    for that, so the streams check the worker themselves."""
    from app import log
    from app.web.live import hub

    log.configure(worker.wsgi.config["SIGNALBOX"].log)
    hub.configure(limit=worker.cfg.threads // 2, ending=lambda: not worker.alive)
