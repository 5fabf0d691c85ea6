"""What the domain refuses, as pages: mapped once, here. Views let errors pass.

To htmx an error is a line at the foot of the page (`#snacks`); without it, a page of its own. What may have gone
stale on the page is loaded again (`stale`).
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
    match error:
        case errors.NotAllowed():
            return _("Your role does not allow this. A manager of the mailbox can do it or change your role.")
        case errors.NotFound():
            return _("There is nothing here, or it is not yours to see.")
        case errors.AlreadyClaimed():
            return _("%(name)s has it.", name=error.name)
        case errors.Changed():
            return _("The conversation has changed since you loaded it. Look again, then repeat.")
        case errors.Gone():
            return _("No copy of this conversation is left on the mail server; it can be read, not worked on.")
        case errors.UnknownTag():
            return _("There is no tag “%(name)s”. A manager can make it.", name=error.name)
        case errors.SignInRefused():
            return _("Name or password is wrong. Check both, then try again.")
        case errors.TooMany() | errors.Busy():
            return _wait(error)
        case errors.Invalid():
            return _INVALID().get(error.reason, str(error))
    return str(error)


def refused_form(page: str, error: InboxError) -> Response:
    """A form again with what is wrong in it: the status of the refusal, and how long to wait where it says so."""
    return _with_wait(make_response(page, status_of(error)), error)


def _with_wait(response: Response, error: InboxError) -> Response:
    if isinstance(error, errors.TooMany | errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Busy):
        expect_refusal()
    return response


def _wait(error: errors.TooMany | errors.Busy) -> str:
    if isinstance(error, errors.Busy):
        return _("Signalbox is busy at the moment. Wait a few seconds, then try again.")
    seconds = error.retry_after
    if seconds < 100:
        said = ngettext(
            "Too many tries. Wait %(num)d second, then try again.",
            "Too many tries. Wait %(num)d seconds, then try again.",
            seconds,
        )
        return said % {"num": seconds}
    minutes = -(-seconds // 60)
    said = ngettext(
        "Too many tries. Wait %(num)d minute, then try again.",
        "Too many tries. Wait %(num)d minutes, then try again.",
        minutes,
    )
    return said % {"num": minutes}


def _INVALID() -> dict[str, str]:  # noqa: N802  a table, made in the reader's language
    return {
        "not_watched": _("That folder is not watched in this mailbox."),
        "choice": _("That value is not offered."),
        "cursor": _("This address is no longer good. Open the list again."),
        "assignee": _("That person cannot own conversations of this mailbox."),
        "time": _("That is not a time."),
        "past": _("The time to wake up is in the past."),
        "far": _("The time to wake up is more than ten years away."),
        "length": _("A note needs 1 to 20,000 characters."),
        "tag": _("That cannot be a tag: use a-z, 0-9 and -, at most 50 characters."),
        "reserved": _("That name already means something else in this mailbox."),
        "merge": _("Only two different conversations of one mailbox can be merged."),
        "only": _("It is the only message of its conversation."),
        "merge_tags": _("Only two different tags of one mailbox can be merged."),
        "tag_taken": _("There is a tag of that name already."),
        "label": _("A tag needs a label of 1 to 50 characters."),
        "keyword": _("That cannot be a keyword: at most 50 plain letters, figures and signs, without a space."),
        "meaning": _("A keyword can mean an owner, or pending, snoozed, closed or spam."),
        "day": _("Choose a day of the past."),
        "email": _("That is not an email address."),
        "many_addresses": _("At most 100 addresses."),
        "authserv_ids": _("Give up to 10 names of mail servers, such as mx.example.com."),
        "email_taken": _("Somebody else has that address already."),
        "member_name": _("A name has 1 to 100 characters."),
        "handle": _("Use a-z, 0-9 and -, at most 24 characters."),
        "handle_taken": _("That name is taken, and names are never given to another person."),
        "again": _("The two passwords differ."),
        "wrong_password": _("That is not your current password."),
        "short": _("The password needs at least 12 characters."),
        "long": _("The password is too long. At most 256 characters are possible."),
        "personal": _("The password is mostly a name or an address that others know. Choose another one."),
        "pattern": _(
            "The password repeats characters or follows a row, such as “aaa” or “1234”. Choose several unrelated words."
        ),
        "common": _("The password is easy to guess: many people use it. Choose several unrelated words."),
        "last_admin": _("Nobody else administers Signalbox: make somebody else an administrator first."),
        "mailbox_name": _("A mailbox needs a name of 1 to 60 characters."),
        "mailbox_taken": _("Another mailbox has that name."),
        "no_folder": _("That folder is not on the server."),
        "inbox": _("The inbox has to be watched: mail arrives there."),
        "host": _("That is not the name of a server."),
        "other_mode": _(
            "This server keeps no keywords. First have the mailbox keep its state in Signalbox only (Settings)."
        ),
        "returning": _("A worker has to look at every mail first. Compare when it has."),
        "port": _("A port is a number from 1 to 65535."),
        "clear": _("Without encryption the password could be read on its way. It is allowed to this machine only."),
        "user": _("That cannot be a user’s name at a mail server."),
        "password_missing": _("Type the password: for another server or user it is needed again."),
        "pem": _("That is no certificate: it begins with -----BEGIN CERTIFICATE-----."),
        "no_such_number": _("There is no conversation with that number in this mailbox."),
    }


def _refused(error: InboxError) -> Response:
    return _with_wait(_answer(status_of(error), sentence(error)), error)


def _forged(error: CSRFError) -> Response:
    return _answer(400, _("This page was open too long or came from elsewhere. Load it again, then repeat."))


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    if request.path.startswith("/api/"):  # no call of that name: what the calls refuse is mapped in api/errors.py
        return api_errors.http(error)
    response = _answer(code, _words(code))
    if code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _no_room(error: NoRoom) -> Response:
    return Response(status=503, headers={"Retry-After": "15"})


def _database_away(error: Exception) -> Response:
    log.error("The database does not answer: %s", type(error).__name__)
    g._login_user = AnonymousUserMixin()  # who asks is in the database: do not ask it again for this page
    response = _answer(503, _words(503))
    response.headers["Retry-After"] = "5"
    return response


def _impossible(error: DataError) -> Response:
    """A number or a text that Postgres cannot hold: nothing of ours is called so."""
    return _answer(404, _words(404))


def _broken(error: Exception) -> Response:
    log.error("A request failed", exc_info=error)
    g._login_user = AnonymousUserMixin()
    return _answer(500, _words(500))


def _words(code: int) -> str:
    return {
        400: _("The request could not be read."),
        403: _("Your role does not allow this. A manager of the mailbox can do it or change your role."),
        404: _("There is nothing here, or it is not yours to see."),
        405: _("That cannot be done here."),
        413: _("That is too large. At most 2 MB can be sent."),
        429: _("Too many tries. Wait a moment, then try again."),
        503: _("The database does not answer. Nothing is lost: this page tries again by itself."),
    }.get(code, _("Something went wrong on our side. It is in the log under the number below."))


def _answer(code: int, words: str) -> Response:
    if request.headers.get("HX-Request"):
        response = make_response(render_template("_snack.html", words=words, failed=True), code)
        response.headers["HX-Retarget"] = "#snacks"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
        response.headers["HX-Trigger"] = json.dumps({"signalbox:stale": {}})
        return response
    return make_response(render_template("error.html", code=code, words=words), code)
