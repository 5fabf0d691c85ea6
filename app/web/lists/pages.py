"""The lists: one page for a view, a tag, a folder or a search, and further pages by cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.db import read_only, transaction
from app.inbox.actor import web
from app.inbox.conversations.locking import claim_next as take_next
from app.inbox.errors import NotFound
from app.inbox.lists import find, lists
from app.inbox.lists.lists import Page
from app.inbox.lists.views import VIEWS
from app.inbox.mailboxes.rows import MailboxRow
from app.inbox.people.member import Member
from app.inbox.permission import Action, may
from app.web.access import me, myself
from app.web.frame import ViewItem, count_text, frame
from app.web.language import gettext as _
from app.web.lists.lines import lines
from app.web.where import DEFAULT_VIEW, Where, from_request

bp = Blueprint("lists", __name__)

PAGE = 50
#: A live update brings as many rows as an open page shows, up to this number. Readers who scrolled further must scroll
#: again.
AS_SHOWN = 1000


@bp.get("/")
def home() -> ResponseReturnValue:
    """The first mailbox that the member may see, or a page that says whom to ask."""
    with read_only() as session:
        mailboxes = find.mailbox_names(session, me())
    if not mailboxes:
        return render_template("lists/no_mailbox.html")
    return redirect(url_for("lists.show", mailbox_id=mailboxes[0].id, view=DEFAULT_VIEW))


@bp.get("/m/<int:mailbox_id>/<view>")
def show(mailbox_id: int, view: str) -> ResponseReturnValue:
    if view not in VIEWS:
        raise NotFound
    with read_only() as session:
        mailbox = find.mailbox_to_read(session, me(), mailbox_id)
        where = from_request(mailbox_id)
        return _page(session, mailbox, Where(mailbox_id, view, where.tag, None, where.q))


@bp.get("/m/<int:mailbox_id>/folder/<int:folder_id>")
def folder(mailbox_id: int, folder_id: int) -> ResponseReturnValue:
    with read_only() as session:
        mailbox = find.mailbox_to_read(session, me(), mailbox_id)
        return _page(session, mailbox, from_request(mailbox_id, mailbox.folder_by_id(folder_id)))


@bp.post("/m/<int:mailbox_id>/claims")
def claim_next(mailbox_id: int) -> ResponseReturnValue:
    """Claim the unowned conversation that has waited longest, and open it."""
    with transaction() as session:
        member = myself(session)
        mailbox = find.mailbox(session, member, mailbox_id)
        conversation = take_next(session, mailbox, by=web(member))
        claimed = conversation.id if conversation else None
    if claimed is None:
        flash(_("Every open conversation has an owner."))
        return redirect(url_for("lists.show", mailbox_id=mailbox_id, view=DEFAULT_VIEW))
    return redirect(url_for("conversation.show", conversation_id=claimed, view="mine"))


def list_context(
    session: Session, member: Member, mailbox: MailboxRow, where: Where, *, selected: int | None = None
) -> dict[str, Any]:
    """The variables for the frame and the list pane."""
    rows = rows_context(session, member, mailbox, where, selected=selected)
    around = frame(session, member, mailbox)
    where = replace(where, count=_count(where, rows["rows"], around.views), tag_label=around.label_of(where.tag))
    return rows | {"frame": around, "where": where}


def rows_context(
    session: Session, member: Member, mailbox: MailboxRow, where: Where, *, selected: int | None = None
) -> dict[str, Any]:
    """The variables for the rows of a list. `rows` in the address: the number of rows that an open page shows."""
    rows = request.args.get("rows", PAGE, type=int)
    page = _pages(session, member, where, max(PAGE, min(rows, AS_SHOWN)))
    return {
        "rows": page,
        "lines": lines(page.items, where, mailbox),
        "where": where,
        "selected": selected,
        "mailbox": mailbox,
        "may_act": may(web(member), Action.CLAIM, mailbox),
    }


def _page(session: Session, mailbox: MailboxRow, where: Where) -> str:
    selected = request.args.get("selected", type=int)
    part = request.args.get("part")
    if part == "rows":
        return render_template("lists/_rows.html", **rows_context(session, me(), mailbox, where, selected=selected))
    template = "lists/_list_part.html" if part == "list" else "lists/show.html"
    return render_template(template, **list_context(session, me(), mailbox, where, selected=selected))


def _pages(session: Session, member: Member, where: Where, limit: int) -> Page:
    """The rows from the cursor on; one query returns at most 200."""
    page = lists.conversations(session, member, where.criteria, cursor=request.args.get("cursor"), limit=limit)
    items = page.items
    while page.next and len(items) < limit:
        page = lists.conversations(session, member, where.criteria, cursor=page.next, limit=limit - len(items))
        items = items + page.items
    return Page(items, page.next)


def _count(where: Where, page: Page, views: list[ViewItem]) -> str:
    """The number beside the title: the view's count, or the length of a short list. A long narrowed list shows none."""
    if where.narrowed:
        return "" if page.next else count_text(len(page.items))
    return next((view.count_text for view in views if view.name == where.view and view.count), "")
