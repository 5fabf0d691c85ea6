"""How gunicorn serves Signalbox: `gunicorn wsgi:app` finds this file by itself.

Threads, because an open page holds one for its live stream; half of them are left for everything else.
"""

from __future__ import annotations

import os
from typing import Any

bind = os.environ.get("SIGNALBOX_BIND", "127.0.0.1:8000")
worker_class = "app.web.serving.WebWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 128
# Loaded once and then forked: a start takes half the time, and the processes share what they have in memory. Nothing
# is opened while loading, no connection and no thread.
preload_app = True
graceful_timeout = 5
# The longest address that gunicorn allows, for a Cyrillic letter of a search has six bytes in it. Without any limit
# anybody could fill the memory.
limit_request_line = 8190
# Nobody controls it but its supervisor; the socket would lie in the home of whoever starts it.
control_socket_disable = True
# Behind a proxy the application itself reads the forwarded headers (SIGNALBOX_TRUSTED_PROXIES).
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """Lines as `SIGNALBOX_LOG` says. A stopping worker ends its open streams within a second: gunicorn has no hook
    for that, so the streams look at the worker themselves."""
    from app import log
    from app.web.live import hub

    log.configure(worker.wsgi.config["SIGNALBOX"].log)
    hub.configure(limit=worker.cfg.threads // 2, ending=lambda: not worker.alive)
