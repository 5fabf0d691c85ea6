"""Confirm it is you: access and servers change only after the password was typed within the last 15 minutes.

A browser that stays open, or a stolen cookie, is not enough. The page asks for the password, carries the form that was
sent as hidden fields, and sends all of it to the same address. Nothing typed is lost, and no JavaScript is needed.
"""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request
from flask_login import current_user

from app.db import read_only, transaction
from app.inbox.errors import Busy, Invalid, TooMany
from app.inbox.people.session import is_proved, prove
from app.web.access import me, myself
from app.web.errors import refused_form, sentence

#: Acts of administrators that open mail to somebody, or say where mail is fetched.
ADMINISTERING = {
    "people.add",
    "people.change",
    "people.invite_again",
    "people.end_access",
    "people.disable",
    "people.enable",
    "connect.sign_in_submit",
    "connect.correct_submit",
    "connect.begin",
    "connect.keep",
    "mailboxes.try_servers",
}
#: The same of every member.
OWN = {"account.add_token"}
_FIELD = "confirm_password"


def init_app(app: Flask) -> None:
    app.before_request(_require_proof)


def _require_proof() -> Response | None:
    if request.method == "GET" or not current_user.is_authenticated:
        return None
    is_asked = request.endpoint in OWN or (request.endpoint in ADMINISTERING and me().is_admin)
    if not is_asked or _is_proved():
        return None
    if _FIELD not in request.form:
        return _around_htmx(make_response(_page(), 403))
    try:
        with transaction() as session:
            password = request.form[_FIELD]
            prove(session, myself(session), current_user.key, password, address=request.remote_addr or "")
    except (Invalid, TooMany, Busy) as error:
        return _around_htmx(refused_form(_page(error), error))
    return None


def _is_proved() -> bool:
    with read_only() as session:
        return is_proved(session, current_user.key)


def _page(error: Invalid | TooMany | Busy | None = None) -> str:
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", _FIELD)]
    errors = {_FIELD: sentence(error)} if error else {}
    return render_template("account/confirm.html", action=request.full_path.rstrip("?"), typed=typed, errors=errors)


def _around_htmx(response: Response) -> Response:
    """A part of a page was asked for: the whole page becomes the question."""
    if request.headers.get("HX-Request"):
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
    return response
