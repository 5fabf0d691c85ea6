"""Confirm it is you: access and servers can be changed only if the password was entered within the last 15 minutes.

A browser that stays open, or a stolen cookie, is not enough. The page asks for the password and sends it to the same
address, with the original form in one sealed field. Nothing typed is lost, and no JavaScript is needed.
"""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import ImmutableMultiDict

from app.db import read_only, transaction
from app.inbox.errors import Busy, Invalid, TooMany
from app.inbox.people.session import is_proved, prove
from app.web.access import came_from, me, myself, page_of
from app.web.errors import refused_form, sentence
from app.web.sign_in.waiting_form import FormExpired, open_form, seal_form

#: Acts of administrators that give access to mail, or choose the server it comes from.
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
#: The same for every member.
OWN = {"account.add_token"}
_FIELD, _WAITING, _BACK = "confirm_password", "waiting_form", "came_from"
_NOT_WAITING = (_FIELD, _WAITING, _BACK, "csrf_token")


def init_app(app: Flask) -> None:
    app.before_request(_require_proof)


def _require_proof() -> Response | None:
    if request.method == "GET" or not current_user.is_authenticated:
        return None
    if not (request.endpoint in OWN or (request.endpoint in ADMINISTERING and me().is_admin)):
        return None
    password = request.form.get(_FIELD)
    _restore_form()
    if _is_proved():
        return None
    if password is None:
        return _around_htmx(make_response(_page(), 403))
    try:
        with transaction() as session:
            prove(session, myself(session), current_user.key, password, address=request.remote_addr or "")
    except (Invalid, TooMany, Busy) as error:
        return _around_htmx(refused_form(_page(error), error))
    return None


def _restore_form() -> None:
    """Make the waiting form the form of this request. Raises CSRFError if it waited too long."""
    if _WAITING not in request.form:
        return
    try:
        fields = open_form(request.form[_WAITING], session_key=current_user.key, address=_address())
    except FormExpired as error:
        raise CSRFError from error
    request.form = ImmutableMultiDict(
        [*fields, *((name, request.form.get(name, "")) for name in ("csrf_token", _BACK))]
    )


def _is_proved() -> bool:
    with read_only() as session:
        return is_proved(session, current_user.key)


def _page(error: Invalid | TooMany | Busy | None = None) -> str:
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _NOT_WAITING]
    return render_template(
        "account/confirm.html",
        action=_address(),
        back=page_of(request.form.get(_BACK, "")) or came_from() or "/",
        waiting=seal_form(fields, session_key=current_user.key, address=_address()),
        errors={_FIELD: sentence(error)} if error else {},
    )


def _address() -> str:
    return request.full_path.rstrip("?")


def _around_htmx(response: Response) -> Response:
    """If a part of a page was requested, the question replaces the whole page."""
    if request.headers.get("HX-Request"):
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
    return response
