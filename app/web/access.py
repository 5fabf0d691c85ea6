"""The member who is signed in. Wraps Flask-Login, whose user is a Visitor: a member with the key of a server-side
session.

Everything needs a sign-in except the endpoints listed here. The domain decides what a member may see and do.
"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from sqlalchemy.orm import Session

from app.db import read_only, transaction
from app.inbox.errors import TooMany
from app.inbox.people.member import Member, taken_into
from app.inbox.people.session import find_visit, note_use, use_is_news
from app.web.bucket import take

#: Endpoints for anyone; calls of the API use their own token.
OPEN = {
    "static",
    "probe.healthz",
    "probe.readyz",
    "probe.metrics",
    "session.sign_in",
    "session.sign_in_submit",
    "welcome.show",
    "welcome.enter",
}
OPEN_BLUEPRINTS = {"api"}

manager = LoginManager()


class Visitor:
    """The attributes that Flask-Login needs of a user."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, member: Member, key: str) -> None:
        self.member = member
        self.key = key

    def get_id(self) -> str:
        return self.key


def init_app(app: Flask) -> None:
    manager.init_app(app)
    manager.session_protection = None  # the table of sessions decides, not the browser's address
    app.before_request(_require_sign_in)


def me() -> Member:
    """The member of this request; only after sign-in."""
    member: Member = current_user.member
    return member


def myself(session: Session) -> Member:
    """The same member as an object of the act's session."""
    return taken_into(session, me())


def page_of(address: str) -> str | None:
    """The address in a header without its host, so that it never leads to another site. None if it is not an
    address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    page = parts._replace(scheme="", netloc="", fragment="").geturl()
    return page if page.startswith("/") and not page.startswith(("//", "/\\")) else None


def came_from() -> str | None:
    """The page of ours that sent this request, from its Referer; None if unknown."""
    referer = request.headers.get("Referer", "")
    is_ours = referer.partition("://")[2].startswith(f"{request.host}/")
    return page_of(referer) if is_ours else None


@manager.user_loader  # type: ignore[untyped-decorator]  # Flask-Login has no types
def _load(key: str) -> Visitor | None:
    with read_only() as session:
        visit = find_visit(session, key)
    if visit is None:
        return None
    if use_is_news(visit):
        with transaction() as session:
            note_use(session, key)
    return Visitor(visit.member, key)


def _require_sign_in() -> ResponseReturnValue | None:
    """Send visitors to the sign-in, except for open endpoints. Raises TooMany if a signed-in browser sends more
    requests than any of our pages does."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in OPEN or request.blueprint in OPEN_BLUEPRINTS:
        return None
    if current_user.is_authenticated:
        if wait := take(current_user.key):
            raise TooMany(retry_after=math.ceil(wait))
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    address = url_for("session.sign_in", next=wanted)
    if request.headers.get("HX-Request"):
        page = page_of(request.headers.get("HX-Current-URL", ""))
        return Response(status=401, headers={"HX-Redirect": url_for("session.sign_in", next=page)})
    if request.accept_mimetypes.best == "text/event-stream":
        return Response(status=401)
    return redirect(address)
