"""Administration: mailboxes, how they are connected and where they differ from their servers; people and roles; the
tags of a mailbox. One file per noun.

Only an administrator gets into all of it but the tags, which are a manager's: that is decided by the verbs, and here
once more before anything is read.
"""

from __future__ import annotations

from flask import Flask

from app.web.admin import connect, drift, mailboxes, people, tags


def init_app(app: Flask) -> None:
    for page in (connect, drift, mailboxes, people, tags):
        app.register_blueprint(page.bp)
