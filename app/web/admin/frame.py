"""The frame of every page of the administration, and who may open it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import web
from app.inbox.errors import NotFound
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Action, may, require_admin
from app.web.access import me


def for_admins(bp: Blueprint) -> Blueprint:
    """Other members do not even learn which pages exist."""
    bp.before_request(lambda: require_admin(web(me())))
    return bp


def page(template: str, **context: Any) -> str:
    with transaction() as session:
        managed = [box for box in find.mailboxes(session, me()) if may(web(me()), Action.MAKE_TAGS, box)]
    return render_template(template, **({"managed": managed} | context))


def find_box(session: Session, mailbox_id: int) -> Mailbox:
    """Any mailbox of the installation: administrators need no role on it. Raises NotFound."""
    mailbox = session.get(Mailbox, mailbox_id)
    if mailbox is None:
        raise NotFound
    return mailbox
