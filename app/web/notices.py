"""Notices on a member's pages: who got access to mail, or could have. Shown until the member confirms them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.db import read_only, transaction
from app.inbox.admin import notice
from app.inbox.admin.notice import Notice
from app.inbox.history.event import EventKind
from app.web.access import came_from, me, myself
from app.web.language import gettext as _
from app.web.language import isolated
from app.web.when import moment
from app.web.words import role_names

bp = Blueprint("notices", __name__)


@dataclass(frozen=True)
class NoticeLine:
    words: str
    time: str
    role: str = ""  # its name for people


@dataclass(frozen=True)
class UnreadNotices:
    """`up_to` is the id of the last event shown; `more` is the number of further unread ones."""

    lines: list[NoticeLine]
    up_to: int
    more: int


@bp.post("/notices")
def read() -> ResponseReturnValue:
    """The member has read the notices that were shown."""
    with transaction() as session:
        notice.read_notices(session, myself(session), request.form.get("up_to", 0, type=int))
    return redirect(came_from() or url_for("lists.home"))


def unread_notices() -> UnreadNotices | None:
    """For the templates."""
    with read_only() as session:
        unread = notice.notices(session, me())
        if not unread:
            return None
        count = notice.count_notices(session, me()) if len(unread) == notice.SHOWN else len(unread)
    return UnreadNotices([_line(each) for each in unread], unread[-1].event_id, count - len(unread))


def _line(each: Notice) -> NoticeLine:
    names = {
        "who": each.member_name or _("Someone at the server’s command line"),
        "name": each.subject_name,
        "mailbox": each.mailbox_name or "",
    }
    own = each.subject_id == me().id
    templates = _own(each) if own else _others(each)
    words = " ".join(template % {key: isolated(name) for key, name in names.items()} for template in templates)
    role = role_names()[each.after["role"]] if each.kind == EventKind.GRANTED else ""
    return NoticeLine(words, moment(each.at), role)


def _own(each: Notice) -> list[str]:
    """A notice about the reader."""
    after = each.after
    if each.kind == EventKind.MEMBER_CHANGED:
        return [
            *([_("%(who)s changed your email address.")] if "email" in after["changed"] else []),
            *([_("%(who)s made you an administrator.")] if _became_admin(each) else []),
        ]
    if each.kind == EventKind.PASSWORD_SET and after.get("link"):
        return [_("Your password was set with a link. If it was not you, tell the administrators at once.")]
    return [
        {
            EventKind.MEMBER_INVITED: _("%(who)s created a link to set your password."),
            EventKind.PASSWORD_SET: _("%(who)s set your password."),
            EventKind.MEMBER_ENABLED: _("%(who)s enabled your account again."),
            EventKind.GRANTED: _("%(who)s gave you a role on %(mailbox)s."),
            EventKind.TOKEN_MADE: _("%(who)s created an API token in your name."),
        }[EventKind(each.kind)]
    ]


def _others(each: Notice) -> list[str]:
    """A notice about another member, for an administrator."""
    after = each.after
    if each.kind == EventKind.MEMBER_CHANGED:
        return [
            *([_("%(who)s changed the email address of %(name)s.")] if "email" in after["changed"] else []),
            *([_("%(who)s made %(name)s an administrator.")] if _became_admin(each) else []),
        ]
    if each.kind == EventKind.GRANTED and each.member_id == each.subject_id:
        return [_("%(name)s has taken a role on %(mailbox)s.")]
    if each.kind == EventKind.MEMBER_ADDED and after.get("admin"):
        return [_("%(who)s added %(name)s as an administrator.")]
    return [
        {
            EventKind.MEMBER_INVITED: _("%(who)s created a link to set the password of %(name)s."),
            EventKind.PASSWORD_SET: _("%(who)s set the password of %(name)s."),
            EventKind.MEMBER_ADDED: _("%(who)s added %(name)s."),
            EventKind.MEMBER_ENABLED: _("%(who)s enabled %(name)s again."),
            EventKind.GRANTED: _("%(who)s gave %(name)s a role on %(mailbox)s."),
            EventKind.TOKEN_MADE: _("%(who)s created an API token for %(name)s."),
        }[EventKind(each.kind)]
    ]


def _became_admin(each: Notice) -> bool:
    after = each.after
    return "admin" in after["changed"] and bool(after["admin"])
