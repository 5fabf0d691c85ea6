"""A member's own choices: language, time zone, theme, density; and settings for their mail client."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.db import transaction
from app.inbox.errors import Invalid
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mode
from app.web.access import me, myself
from app.web.language import LANGUAGES, forget
from app.web.language import gettext as _
from app.web.when import zones

bp = Blueprint("preferences", __name__)


@bp.get("/preferences")
def show() -> str:
    return _form()


@bp.post("/preferences")
def change() -> ResponseReturnValue:
    form = request.form
    try:
        with transaction() as session:
            member = myself(session)
            member.set_preferences(
                language=form.get("language", ""),
                time_zone=form.get("time_zone", ""),
                theme=form.get("theme", ""),
                density=form.get("density", ""),
            )
    except Invalid as error:
        return _form(error), 422
    current_user.member = member
    forget()
    flash(_("Your preferences are saved."))
    return redirect(url_for("preferences.show"))


def _form(error: Invalid | None = None) -> str:
    with transaction() as session:
        boxes = [box for box in find.mailboxes(session, me()) if box.mode == Mode.KEYWORDS]
    return render_template("preferences/show.html", error=error, languages=LANGUAGES, zones=zones(), boxes=boxes)
