"""Administration: mailboxes, connecting them and comparing them with their servers; people and roles; the tags of a
mailbox. One file per noun.

Tags are open to managers, everything else only to administrators. The verbs enforce this, and these pages check it
before they read anything.
"""

from __future__ import annotations

from flask import Flask

from app.web.admin import connect, drift, mailboxes, people, tags


def init_app(app: Flask) -> None:
    for page in (connect, drift, mailboxes, people, tags):
        app.register_blueprint(page.bp)
