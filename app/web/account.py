"""A member's own account: the password, the signed-in browsers, and the tokens of programs."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from sqlalchemy.orm import Session

from app.db import read_only, transaction
from app.inbox.actor import web
from app.inbox.admin import team
from app.inbox.errors import N_, Busy, Invalid, NotFound, TooMany
from app.inbox.history.event import Event, EventKind
from app.inbox.people.session import SignedIn, end_sessions, is_own, open_session, sessions_of
from app.inbox.people.sign_in_history import recent_sign_ins
from app.inbox.people.token import LASTS_DAYS, make_token, revoke_tokens, tokens_of
from app.web.access import Visitor, me, myself
from app.web.errors import refused_form, sentence
from app.web.language import gettext as _
from app.web.language import ngettext

bp = Blueprint("account", __name__, url_prefix="/account")

#: Words in a User-Agent. The first match counts: browsers that pretend to be others come first.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@bp.get("")
def show() -> str:
    return _form()


@bp.post("/password")
def change_password() -> ResponseReturnValue:
    """A new password ends every other session and all tokens; this browser stays signed in."""
    form = request.form
    try:
        if form.get("password", "") != form.get("again", ""):
            raise Invalid("again", N_("The two passwords differ."))
        with transaction() as session:
            member = myself(session)
            team.change_own_password(session, member, form.get("present", ""), form.get("password", ""), by=web(member))
            key = open_session(session, member, user_agent=request.user_agent.string)
    except (Invalid, TooMany, Busy) as error:
        return refused_form(_form(error), error)
    login_user(Visitor(member, key))
    flash(_("Your password is changed. Your other browsers are signed out and your tokens no longer work."))
    return redirect(url_for("account.show"))


@bp.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    with transaction() as session:
        member = myself(session)
        if not end_sessions(session, member, by=web(member), only=session_id):
            raise NotFound
    return redirect(url_for("account.show"))


@bp.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    with transaction() as session:
        member = myself(session)
        ended = end_sessions(session, member, by=web(member), but=current_user.key)
    flash(ngettext("Signed out of %(num)d browser.", "Signed out of %(num)d browsers.", ended) % {"num": ended})
    return redirect(url_for("account.show"))


@bp.post("/tokens")
def add_token() -> ResponseReturnValue:
    """The response shows the new token, once."""
    form = request.form
    try:
        with transaction() as session:
            member = myself(session)
            days, reads_only = form.get("days", -1, type=int), form.get("access") == "read"
            name = form.get("name", "")
            key = make_token(session, member, by=web(member), name=name, days=days, reads_only=reads_only)
    except Invalid as error:
        return _form(error), 422
    return _form(new_token=key)


@bp.post("/tokens/<int:token_id>/end")
def end_token(token_id: int) -> ResponseReturnValue:
    with transaction() as session:
        member = myself(session)
        if not revoke_tokens(session, member, by=web(member), only=token_id):
            raise NotFound
    return redirect(url_for("account.show"))


def browser_words(user_agent: str) -> str:
    """“Firefox, Linux” from a User-Agent; empty for an unknown program."""
    names = [next((name for mark, name in table if mark in user_agent), None) for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in names if name)


def sign_in_words(event: Event) -> str:
    if event.kind == EventKind.SIGNED_IN:
        return _("Signed in")
    tries = (event.after or {}).get("tries", 1)
    if event.kind == EventKind.SIGN_IN_THROTTLED:
        return _("Too many tries: sign-in blocked for some minutes")
    return ngettext("%(num)d wrong password", "%(num)d wrong passwords", tries) % {"num": tries}


def _form(error: Invalid | TooMany | Busy | None = None, new_token: str = "") -> str:
    field = getattr(error, "field", "present")
    errors = {field: sentence(error)} if error else {}
    with read_only() as session:
        context = {"browsers": _browsers(session), "tokens": tokens_of(session, me())}
        context |= {"sign_ins": recent_sign_ins(session, me())}
    return render_template(
        "account/show.html",
        errors=errors,
        new_token=new_token,
        spans=_spans(),
        browser_words=browser_words,
        sign_in_words=sign_in_words,
        **context,
    )


def _browsers(session: Session) -> list[tuple[SignedIn, bool]]:
    """(session, whether it is the one of this page), this one first."""
    pairs = [(signed_in, is_own(signed_in, current_user.key)) for signed_in in sessions_of(session, me())]
    return sorted(pairs, key=lambda pair: not pair[1])


def _spans() -> list[tuple[int, str]]:
    return [(days, _span(days)) for days in LASTS_DAYS]


def _span(days: int) -> str:
    return ngettext("%(num)d day", "%(num)d days", days) % {"num": days} if days else _("No expiry")
