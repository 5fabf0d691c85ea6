"""The cookie by which a browser is recognised at the next sign-in. It gives no access, see
`inbox/people/known_browser.py`."""

from __future__ import annotations

from flask import Response, current_app, request

from app.inbox.people.known_browser import LASTS
from config import Config


def browser_key() -> str:
    """The key of this browser; empty for a new one."""
    return request.cookies.get(_config().cookie("signalbox-browser"), "")


def keep_browser_key(response: Response, key: str) -> Response:
    response.set_cookie(
        _config().cookie("signalbox-browser"),
        key,
        max_age=LASTS,
        httponly=True,
        secure=_config().is_https,
        samesite="Lax",
    )
    return response


def _config() -> Config:
    config: Config = current_app.config["SIGNALBOX"]
    return config
