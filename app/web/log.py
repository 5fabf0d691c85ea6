"""One line for every request: what, how it ended, how long it took, for whom (of a call the member's id). No query
values, no forms, no cookies: an address bar may hold words someone searched for. No key of a link that works once."""

from __future__ import annotations

import logging
import time
import uuid
from urllib.parse import quote

from flask import Flask, Response, g, request
from flask_login import current_user

log = logging.getLogger("signalbox.web")

_QUIET = {"static", "probe.healthz", "probe.readyz", "probe.metrics"}


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def expect_refusal() -> None:
    """What this request is answered with is no fault of ours, whatever its status says: a warning is enough."""
    g.refusal_expected = True


def _begin() -> None:
    g.request_id = uuid.uuid4().hex[:12]
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if request.endpoint not in _QUIET:
        took = (time.perf_counter() - g.began) * 1000
        line = "%s %s %d %.0f ms %s %s"
        log.log(
            _level(response.status_code),
            line,
            request.method,
            _path(),
            response.status_code,
            took,
            _for_whom(),
            g.request_id,
        )
    return response


def _level(status: int) -> int:
    if status < 500:
        return logging.INFO
    return logging.WARNING if g.get("refusal_expected") else logging.ERROR


def _path() -> str:
    key = (request.view_args or {}).get("key")
    path = quote(request.path)
    return path.replace(quote(key), "…") if key else path


def _for_whom() -> str:
    if "caller" in g:
        return str(g.caller.id)
    return str(current_user.member.handle) if current_user.is_authenticated else "-"
