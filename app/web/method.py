"""PUT and DELETE for forms without JavaScript: `<form method="post" action="…?_method=DELETE">`.

Only a POST can become another method, so a link never can. CSRF is checked for all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

_OFFERED = {"PUT", "DELETE"}


def init_app(app: Flask) -> None:
    app.wsgi_app = _Override(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way to wrap


class _Override:
    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and "_method=" in environ.get("QUERY_STRING", ""):
            method = parse_qs(environ["QUERY_STRING"]).get("_method", [""])[0]
            if method in _OFFERED:
                environ["REQUEST_METHOD"] = method
        return self._inner(environ, start_response)
