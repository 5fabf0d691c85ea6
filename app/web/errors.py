"""Errors of the domain as pages: mapped once, here. Views do not catch errors.

With htmx an error is a line at the foot of the page (`#snacks`); without it, a page of its own. Parts of the page that
may be out of date are reloaded (`stale`).
"""

from __future__ import annotations

import json
import logging

from flask import Flask, Response, g, make_response, render_template, request
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.inbox import errors
from app.inbox.errors import InboxError
from app.web.api import errors as api_errors
from app.web.language import gettext as _
from app.web.language import ngettext
from app.web.live import NoRoom
from app.web.log import expect_refusal
from app.web.statuses import status_of

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    app.register_error_handler(InboxError, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NoRoom, _no_room)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(away, _database_away)
    app.register_error_handler(DataError, _impossible)
    app.register_error_handler(Exception, _broken)


def sentence(error: InboxError) -> str:
    """What happened and what to do, in the reader's language."""
    if isinstance(error.sentence, str):
        return _(error.sentence, **error.values)
    one, many = error.sentence
    return ngettext(one, many, int(str(error.values["num"]))) % error.values


def refused_form(page: str, error: InboxError) -> Response:
    """The form again with its error, the status of the refusal, and the time to wait if there is one."""
    return _with_wait(make_response(page, status_of(error)), error)


def _with_wait(response: Response, error: InboxError) -> Response:
    if isinstance(error, errors.TooMany | errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Busy):
        expect_refusal()
    return response


def _refused(error: InboxError) -> Response:
    return _with_wait(_answer(status_of(error), sentence(error)), error)


def _forged(error: CSRFError) -> Response:
    return _answer(400, _("This page was open too long or came from elsewhere. Reload it and try again."))


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    if request.path.startswith("/api/"):  # no such call: api/errors.py maps the errors of calls
        return api_errors.http(error)
    response = _answer(code, _words(code))
    if code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _no_room(error: NoRoom) -> Response:
    return Response(status=503, headers={"Retry-After": "15"})


def _database_away(error: Exception) -> Response:
    log.error("The database does not answer: %s", type(error).__name__)
    g._login_user = AnonymousUserMixin()  # the member is in the database, so do not read it again for this page
    response = _answer(503, _words(503))
    response.headers["Retry-After"] = "5"
    return response


def _impossible(error: DataError) -> Response:
    """A number or a text that Postgres cannot store: nothing of ours has that name."""
    return _answer(404, _words(404))


def _broken(error: Exception) -> Response:
    log.error("A request failed", exc_info=error)
    g._login_user = AnonymousUserMixin()
    return _answer(500, _words(500))


def _words(code: int) -> str:
    return {
        400: _("The request could not be read. Go back and try again."),
        403: _(
            "Your role does not allow this. Ask a manager of the mailbox to do it, or an administrator to change your "
            "role."
        ),
        404: _("Not found, or you don’t have access."),
        405: _("This page does not support that action."),
        413: _("This is too large. You can send at most 2 MB."),
        429: _("Too many tries. Wait a moment, then try again."),
        503: _("The database does not answer. Nothing is lost, and this page retries automatically."),
    }.get(
        code, _("Signalbox failed unexpectedly. An administrator can find the error in the log under the number below.")
    )


def _answer(code: int, words: str) -> Response:
    if request.headers.get("HX-Request"):
        response = make_response(render_template("_snack.html", words=words, failed=True), code)
        response.headers["HX-Retarget"] = "#snacks"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
        response.headers["HX-Trigger"] = json.dumps({"signalbox:stale": {}})
        return response
    return make_response(render_template("error.html", code=code, words=words), code)
