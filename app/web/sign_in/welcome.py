"""One-time links: the first administrator, and a member who sets a password."""

from __future__ import annotations

import flask
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.admin import team
from app.inbox.admin.invitation import Invitation, find_invitation
from app.inbox.admin.joining import accept, accept_first
from app.inbox.errors import N_, Busy, Invalid
from app.inbox.people.known_browser import remember_browser
from app.inbox.people.member import Member
from app.inbox.people.session import open_session
from app.web.access import Visitor
from app.web.errors import refused_form, sentence
from app.web.sign_in.known_browser import browser_key, keep_browser_key

bp = Blueprint("welcome", __name__)


@bp.get("/welcome/<key>")
def show(key: str) -> str:
    with transaction() as session:
        return _form(find_invitation(session, key))


@bp.post("/welcome/<key>")
def enter(key: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            member, first = _entered(session, key)
            opened = open_session(session, member, user_agent=request.user_agent.string)
            new_browser_key = remember_browser(session, browser_key(), member)
    except (Invalid, Busy) as error:
        with transaction() as session:
            return refused_form(_form(find_invitation(session, key), error), error)
    flask.session.clear()  # nothing from before the sign-in is kept
    login_user(Visitor(member, opened))
    home = url_for("connect.address") if first else url_for("lists.home")
    return keep_browser_key(make_response(redirect(home)), new_browser_key)


def _entered(session: Session, key: str) -> tuple[Member, bool]:
    form, invitation = request.form, find_invitation(session, key)
    password = form.get("password", "")
    if password != form.get("again", ""):
        raise Invalid("again", N_("The two passwords differ."))
    if invitation.member is not None:
        return accept(session, key, password), False
    name = form.get("name", "")
    handle = form.get("handle", "").strip().lower() or team.handle_of(name)
    email = form.get("email", "")
    return accept_first(session, key, handle=handle, name=name, email=email, password=password), True


def _form(invitation: Invitation, error: Invalid | Busy | None = None) -> str:
    errors = {getattr(error, "field", "password"): sentence(error)} if error else {}
    return render_template("welcome/show.html", member=invitation.member, form=request.form, errors=errors)
