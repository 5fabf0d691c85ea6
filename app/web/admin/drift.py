"""Differences between the mail server and the database: a worker compares on request, and an administrator decides line
by line."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import transaction
from app.inbox.actor import web
from app.inbox.errors import Invalid, NotFound
from app.inbox.server import comparison
from app.inbox.server.comparison import KEPT, Difference, Outcome
from app.web.access import myself
from app.web.admin.frame import find_box, for_admins, page
from app.web.admin.report import trouble
from app.web.errors import sentence
from app.web.language import gettext as _
from app.web.words import status_names

bp = for_admins(Blueprint("drift", __name__, url_prefix="/admin/mailboxes/<int:mailbox_id>/drift"))

#: An older comparison is out of date, because mail has arrived and people have worked since.
_FRESH = dt.timedelta(minutes=15)


@bp.get("")
def show(mailbox_id: int) -> str:
    """Polls while a worker is comparing."""
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        latest = comparison.find(session, mailbox)
        lines = comparison.differences(session, mailbox)
    compared_at = latest.compared_at if latest else None
    context = {
        "comparison": latest,
        "comparing": latest is not None and latest.waits,
        "lines": lines,
        "working": any(line.waits for line in lines),
        "old": compared_at is not None and now() - compared_at > _FRESH,
        "trouble": _trouble(latest.error_code) if latest else None,
    }
    return page(
        "admin/drift.html", mailbox=mailbox, what_in=_what, value_of=_value, became=_became, kept=KEPT, **context
    )


@bp.post("")
def ask(mailbox_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            comparison.ask(session, find_box(session, mailbox_id), by=web(myself(session)))
    except Invalid as error:
        flash(sentence(error))
    return redirect(url_for("drift.show", mailbox_id=mailbox_id))


@bp.post("/<int:difference_id>")
def choose(mailbox_id: int, difference_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            mailbox = find_box(session, mailbox_id)
            comparison.choose(session, mailbox, difference_id, request.form.get("use", ""), by=web(myself(session)))
    except NotFound:
        flash(_("This line changed in the meantime, so nothing was done. It now shows the current state."))
    return redirect(url_for("drift.show", mailbox_id=mailbox_id))


def _what(line: Difference) -> str:
    return {
        "owner": _("Owner"),
        "status": _("Status"),
        "star": _("With a star"),
        "tag": _("Tag"),
        "seen": _("Read"),
        "answered": _("Answered"),
        "forwarded": _("Forwarded"),
        "deleted": _("Marked as deleted"),
        "missing": _("Mail missing here"),
        "unmatched": _("Mail missing on the server"),
        "folder": _("Folder") if line.uid else _("Folder cannot be opened"),
        "numbering": _("Folder renumbered by the server"),
    }[line.what]


def _value(line: Difference, side: str) -> str:
    """One side's value, in words."""
    value = line.values[side]
    if line.what in ("missing", "unmatched"):
        return _("present") if value else _("absent")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if line.what == "status":
        return ", ".join(status_names().get(one, one) for one in str(value).split(", "))
    if value is None:
        return {"owner": _("nobody"), "tag": _("absent")}.get(line.what, "–")
    return str(value)


def _became(line: Difference) -> str:
    """The result of a choice, as a sentence; empty while there is none."""
    by_server = line.chosen == "server"
    done = (
        _("The server’s value now counts.")
        if by_server
        else _("Signalbox’s value counts and is written to the server.")
    )
    if line.what in ("missing", "unmatched"):
        done = _("It is read again at the next sync.")
    if line.outcome is None:
        return ""
    return {
        Outcome.DONE: done,
        Outcome.SAME: _("Both sides are already the same. Nothing was done."),
        Outcome.GONE: _("The folder has changed, so nothing was done. Compare again."),
        Outcome.CHANGED: _(
            "This has changed in the meantime, so nothing was done. Check the new values and choose again."
        ),
        Outcome.REFUSED: _(
            "Nothing was done, because the person who chose is no longer an administrator. Choose again."
        ),
        Outcome.AWAY: _("Nothing was done, because the mail server could not be reached. Choose again."),
    }[Outcome(line.outcome)]


def _trouble(code: str | None) -> tuple[str, str] | None:
    """Errors of a comparison, which is not repeated automatically."""
    if code is None:
        return None
    title, advice = trouble(code)
    return title, _("Compare again once it answers.") if code in ("unreachable", "unavailable", "broken") else advice
