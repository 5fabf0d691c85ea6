"""People: blueprints, one file per page. Talks to inbox only: a request never waits for a mail server.

A view finds, tells, renders. Whether a member may is decided by the verbs (app/inbox/permission.py), never here.
"""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from app.web import access, api, assets, errors, headers, language, log, method, render
from app.web.conversation import bp as conversation
from app.web.live import hub
from app.web.live_page import bp as live
from app.web.lists import bp as lists
from app.web.message import bp as message
from app.web.preferences import bp as preferences
from app.web.probe import bp as probe
from app.web.session import bp as session
from config import Config

csrf = CSRFProtect()


def init_app(app: Flask, config: Config) -> None:
    hub.configure(url=config.database_url)
    for part in (method, log, headers, assets, csrf, access, language, render, errors):
        part.init_app(app)
    for blueprint in (probe, session, lists, conversation, message, live, preferences):
        app.register_blueprint(blueprint)
    api.init_app(app, config, csrf)
