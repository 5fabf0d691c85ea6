"""Pages: blueprints, one file per page. Uses inbox only, so a request never waits for a mail server.

A view finds an object, calls a verb and renders. The verbs decide whether the member may do it
(app/inbox/permission.py), never the view.
"""

from __future__ import annotations

import gc

from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy.orm import configure_mappers

from app.web import (
    access,
    account,
    admin,
    api,
    assets,
    bucket,
    compression,
    errors,
    headers,
    ids,
    language,
    live_page,
    log,
    method,
    notices,
    preferences,
    probe,
    render,
    templates,
)
from app.web.conversation import message, replies
from app.web.conversation import pages as conversation
from app.web.lists import pages as lists
from app.web.live import hub
from app.web.sign_in import confirm, session, welcome
from config import Config

csrf = CSRFProtect()
#: Number of new objects before Python looks for cycles; its default is 700. A page leaves a few hundred objects in
#: cycles of Jinja's macros. So every third page pauses for a millisecond, and older objects are hardly ever searched.
_COLLECTED_AFTER = 2_000


def init_app(app: Flask, config: Config) -> None:
    hub.configure(url=config.database_url)
    for part in (templates, method, log, headers, assets, csrf, access, ids, language, render, errors, confirm):
        part.init_app(app)
    compression.init_app(app, assets.DIST)
    bucket.init_app(app, config.home)
    for page in (
        probe,
        session,
        lists,
        conversation,
        message,
        replies,
        live_page,
        notices,
        preferences,
        account,
        welcome,
    ):
        app.register_blueprint(page.bp)
    admin.init_app(app)
    api.init_app(app, csrf)


def prepare(app: Flask) -> None:
    """Prepare what the first pages would prepare, before the process forks: it takes a second, and the processes share
    the memory."""
    templates.compile_all(app)
    configure_mappers()
    gc.set_threshold(_COLLECTED_AFTER)
