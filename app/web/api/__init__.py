"""The API for programs: `/api/v1`, JSON on the same verbs as the pages, one file per resource. It uses a token instead
of cookies."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect

from app.web.api import (  # noqa: F401  importing a resource registers its calls
    assignment,
    claims,
    conversations,
    drafts,
    events,
    files,
    mailboxes,
    notes,
    place,
    replies,
    status,
    stream,
    tags,
    uploads,
)
from app.web.api.blueprint import bp, description


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    csrf.exempt(bp)  # there is no cookie that another site could use
    app.register_blueprint(bp)


@bp.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """The description of every call; needs no token."""
    return description()
