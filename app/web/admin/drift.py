"""Where the mail server and we differ: a worker compares when asked, and an administrator decides line by line."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import transaction
from app.inbox.actor import web
from app.inbox.errors import Invalid, NotFound
from app.inbox.server import comparison
from app.inbox.server.comparison import KEPT, Difference, Outcome, Stage
from app.web.access import myself
from app.web.admin.frame import find_box, for_admins, page
from app.web.admin.report import trouble
from app.web.errors import sentence
from app.web.language import gettext as _
from app.web.words import status_names

bp = for_admins(Blueprint("drift", __name__, url_prefix="/admin/mailboxes/<int:mailbox_id>/drift"))

#: What is older is not how it is any more: mail has arrived since, and people have worked.
_FRESH = dt.timedelta(minutes=15)


@bp.get("")
def show(mailbox_id: int) -> str:
    """Asks again by itself while a worker is at work."""
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        found = comparison.find(session, mailbox)
        lines = comparison.differences(session, mailbox)
    compared_at = found.compared_at if found else None
    told = {
        "comparison": found,
        "comparing": found is not None and found.stage in (Stage.ASKED, Stage.COMPARING),
        "lines": lines,
        "working": any(line.waits for line in lines),
        "old": compared_at is not None and now() - compared_at > _FRESH,
        "trouble": _trouble(found.error_code) if found else None,
    }
    return page("admin/drift.html", mailbox=mailbox, what_in=_what, value_of=_value, became=_became, kept=KEPT, **told)


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
        flash(_("That line was decided or compared anew meanwhile: this is how it is now. Nothing was done."))
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
        "missing": _("Mail that is not here"),
        "unmatched": _("Mail that is only here"),
        "folder": _("Folder") if line.uid else _("Folder does not open"),
        "numbering": _("Folder was renumbered"),
    }[line.what]


def _value(line: Difference, side: str) -> str:
    """What one side says, in words."""
    value = line.values[side]
    if line.what in ("missing", "unmatched"):
        return _("there") if value else _("not there")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if line.what == "status":
        return ", ".join(status_names().get(one, one) for one in str(value).split(", "))
    if value is None:
        return {"owner": _("nobody"), "tag": _("not there")}.get(line.what, "–")
    return str(value)


def _became(line: Difference) -> str:
    """What came of a choice, as a sentence; nothing while none was made."""
    by_server = line.chosen == "server"
    done = _("The server’s counts now.") if by_server else _("Ours counts and is written there.")
    if line.what in ("missing", "unmatched"):
        done = _("It is read again in the next round.")
    if line.outcome is None:
        return ""
    return {
        Outcome.DONE: done,
        Outcome.SAME: _("Nothing differs there any more; nothing was done."),
        Outcome.GONE: _("The folder is not as it was; nothing was done. Compare again."),
        Outcome.CHANGED: _("It changed meanwhile, so nothing was done. Choose again by what stands here now."),
        Outcome.REFUSED: _("Nothing was done: whoever chose does not administer any more."),
        Outcome.AWAY: _("Nothing was done: the mail server could not be asked. Choose again."),
    }[Outcome(line.outcome)]


def _trouble(code: str | None) -> tuple[str, str] | None:
    """Nobody compares again by itself."""
    if code is None:
        return None
    title, told = trouble(code)
    return title, _("Compare again when it answers.") if code in ("unreachable", "unavailable", "broken") else told
