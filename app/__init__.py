"""Signalbox: the team inbox that lives in your mailbox. `create_app` puts the web room together; no logic here."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import db
from config import Config

#: Forms are short; nothing larger is ever uploaded.
_LARGEST_REQUEST = 2 * 1024 * 1024


def create_app(config: Config) -> Flask:
    app = Flask(__name__, template_folder="../templates", static_folder="static/dist", static_url_path="/static")
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="signalbox",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.base_url.startswith("https://"),
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MAX_FORM_PARTS=200,
        SEND_FILE_MAX_AGE_DEFAULT=365 * 86_400,  # built files carry the hash of their content in their address
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        SIGNALBOX=config,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    if config.trusted_proxies:
        n = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]  # Flask's way
    if config.database_url:
        db.connect(config.database_url, pool_size=16)

    _add_rooms(app, config)
    return app


def _add_rooms(app: Flask, config: Config) -> None:
    """Imported here, so that the other rooms, which live in this package as well, load without Flask and pages."""
    from app import web

    web.init_app(app, config)
    if config.seal_key is not None:  # this process runs a command; one that serves pages is never given the key
        from app import commands

        commands.init_app(app, config)
