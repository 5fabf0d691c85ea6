"""Signalbox: the team inbox that lives in your mailbox. `create_app` puts a process together; it has no logic.

A process that serves pages gets the web room, one that runs a command the commands. It imports inside functions,
because the rooms and the local parts are in this package too, and load without Flask and database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Config

#: Forms are short, and nothing larger is ever uploaded.
_LARGEST_REQUEST = 2 * 1024 * 1024


def create_app(config: Config) -> Flask:
    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import db

    app = Flask(__name__, template_folder="../templates", static_folder="static/dist", static_url_path="/static")
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME=config.cookie("signalbox"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.is_https,
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MAX_FORM_PARTS=200,
        SEND_FILE_MAX_AGE_DEFAULT=365 * 86_400,  # addresses of built files contain the hash of their content
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        SIGNALBOX=config,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    if config.trusted_proxies:
        n = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]  # Flask's way
    if config.database_url:
        db.connect(config.database_url, pool_size=6)

    _add_room(app, config)
    return app


def _add_room(app: Flask, config: Config) -> None:
    """Only a process that runs a command gets the key that opens passwords; it needs no pages."""
    if config.seal_key is not None:
        from app import commands

        commands.init_app(app, config)
    else:
        from app import web

        web.init_app(app, config)
