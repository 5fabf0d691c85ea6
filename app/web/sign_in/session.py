"""Signing in and out."""

from __future__ import annotations

import flask
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from app.db import transaction
from app.inbox.errors import Busy, SignInRefused, TooMany
from app.inbox.people.known_browser import remember_browser
from app.inbox.people.session import member_signed_in
from app.inbox.people.session import sign_in as open_session
from app.inbox.people.session import sign_out as close_session
from app.web.access import Visitor
from app.web.errors import refused_form
from app.web.sign_in.known_browser import browser_key, keep_browser_key

bp = Blueprint("session", __name__)


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_wanted())
    return _form()


@bp.post("/sign-in")
def sign_in_submit() -> ResponseReturnValue:
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    try:
        with transaction() as session:
            key = open_session(
                session,
                name,
                password,
                address=request.remote_addr or "",
                user_agent=request.user_agent.string,
                browser_key=browser_key(),
            )
            member = member_signed_in(session, key)
            assert member is not None
            new_browser_key = remember_browser(session, browser_key(), member)
    except (SignInRefused, TooMany, Busy) as error:
        return refused_form(_form(name=name, error=error), error)
    flask.session.clear()  # nothing from before the sign-in is kept
    login_user(Visitor(member, key))
    return keep_browser_key(make_response(redirect(_wanted())), new_browser_key)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    with transaction() as session:
        close_session(session, current_user.key)
    logout_user()
    flask.session.clear()
    return redirect(url_for("session.sign_in"))


def _form(name: str = "", error: Exception | None = None) -> str:
    return render_template("session/sign_in.html", name=name, error=error, next=request.args.get("next", ""))


def _wanted() -> str:
    """The page that the visitor wanted: a path of ours, never another site."""
    target = request.args.get("next", "")
    ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if ours and target.isprintable() else url_for("lists.home")
