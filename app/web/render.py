"""A page is a fragment with a frame: htmx gets the fragment, a browser without it the whole page.

Also sets what all templates use: times, words of errors, and the permissions of the reader's role.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, g, render_template, request
from flask_login import current_user
from markupsafe import Markup, escape

from app.inbox.actor import web
from app.inbox.people.member import Member
from app.inbox.permission import Action, GovernedMailbox, may
from app.inbox.replies.upload import LARGEST_FILES
from app.web import errors, when
from app.web.icons import STATUS_ICONS
from app.web.language import gettext as _
from app.web.language import isolated, language, number
from app.web.machines import machine_names
from app.web.notices import unread_notices
from app.web.words import composer_tools, keys_sheet, reply_states, search_help, status_names, words_for_scripts

_MENTION = re.compile(r"(^|[\s(])(@[a-z0-9][a-z0-9-]{0,23})\b")


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        when=when.when,
        when_exactly=when.when_exactly,
        at_full=when.at_full,
        clock=when.clock,
        clock_seconds=when.clock_seconds,
        moment=when.moment,
        until=when.until,
        number=number,
        first_name=first_name,
        mentions=mentions,
        initials=initials,
        filesize=filesize,
        people=people,
    )
    app.jinja_env.globals.update(
        language=language,
        sentence=errors.sentence,
        titles=_titles,
        status_icons=STATUS_ICONS,
        status_names=status_names,
        reply_states=reply_states,
        composer_tools=composer_tools,
        largest_file=LARGEST_FILES,
        machine_names=machine_names,
        keys_sheet=keys_sheet,
        search_help=search_help,
        unread_notices=unread_notices,
        words_for_scripts=words_for_scripts,
        Action=Action,
    )
    app.context_processor(_context)


def wants_fragment() -> bool:
    return "HX-Request" in request.headers


def render(fragment: str, page: str, **context: Any) -> str:
    return render_template(fragment if wants_fragment() else page, **context)


def initials(name: str) -> str:
    """One or two capitals: Carla Ruiz → CR, carla@x → C."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 and "@" not in name else "")).upper()


def first_name(name: str) -> str:
    return name.split()[0] if name.split() else name


def mentions(text: str) -> Markup:
    """A note's text with highlighted @handles; line ends stay."""
    return Markup(_MENTION.sub(r'\1<span class="mention">\2</span>', str(escape(text))))  # noqa: S704  escaped before


def people(pairs: list[list[str]]) -> str:
    """Whom a reply goes to: their names, else their addresses."""
    names = ", ".join(isolated(name or address) for name, address in pairs[:3])
    return f"{names} …" if len(pairs) > 3 else names


def filesize(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{number(round(size / 1000))} kB"
    return f"{number(round(size / 1_000_000, 1 if size < 10_000_000 else None))} MB"


def _context() -> dict[str, Any]:
    member: Member | None = current_user.member if current_user.is_authenticated else None
    preference = member or Member(theme="auto", density="comfortable")
    return {"me": member, "preference": preference, "g": g, "may": _may(member)}


def _may(member: Member | None) -> Callable[[Action, GovernedMailbox], bool]:
    """Whether to show a button. The verb itself decides again."""
    if member is None:
        return lambda action, mailbox: False
    actor = web(member)
    return lambda action, mailbox: may(actor, action, mailbox)


def _titles() -> dict[int, str]:
    return {
        400: _("Invalid request"),
        403: _("Not allowed for your role"),
        404: _("Nothing here"),
        409: _("Someone was faster"),
        413: _("Too large"),
        429: _("One moment"),
        503: _("The database is not available"),
        500: _("Something went wrong"),
    }
