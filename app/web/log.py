"""One line for every request: what, its result, its duration, for whom (for an API call the member's id). No query
values, forms or cookies, because an address may hold words that someone searched for. No key of a one-time link."""

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
    """The status of this response is not our fault, so a warning is enough."""
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
