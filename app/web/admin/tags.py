"""The tags of a mailbox, and keywords that mean an owner or a status there, for managers. Their names for Thunderbird
are for everyone with a role."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import retried, transaction
from app.inbox.actor import Actor, web
from app.inbox.conversations.tag import (
    HUES,
    ConversationTag,
    Mapping,
    Tag,
    adopt_tag,
    change_tag,
    make_tag,
    merge_tags,
)
from app.inbox.errors import Invalid, NotFound
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.people.member import possible_owners
from app.inbox.permission import Action, require
from app.inbox.server.mapping import map_name, unmap_name
from app.inbox.server.thunderbird import user_js
from app.inbox.status import Status
from app.web.access import myself
from app.web.admin.frame import page
from app.web.errors import sentence
from app.web.ids import id_of
from app.web.language import gettext as _
from app.web.words import status_names

bp = Blueprint("tags", __name__, url_prefix="/m/<int:mailbox_id>/tags")

Verb = Callable[[Session, Mailbox, Actor], object]


@bp.get("/manage")
def index(mailbox_id: int) -> str:
    with transaction() as session:
        mailbox, _by = _managed(session, mailbox_id)
        return _page(session, mailbox)


@bp.post("")
def make(mailbox_id: int) -> ResponseReturnValue:
    form = request.form

    def do(session: Session, mailbox: Mailbox, by: Actor) -> None:
        label = form.get("label", "").strip() or form.get("tag", "")
        make_tag(session, mailbox, form.get("tag", ""), label=label, by=by)

    return _done(mailbox_id, do)


@bp.post("/<int:tag_id>")
def change(mailbox_id: int, tag_id: int) -> ResponseReturnValue:
    """Change label and colour; a client's tag becomes ours."""
    form = request.form

    def do(session: Session, mailbox: Mailbox, by: Actor) -> None:
        tag = _tag(session, mailbox, tag_id)
        change_tag(session, mailbox, tag, label=form.get("label", ""), hue=form.get("hue", 0, type=int), by=by)

    return _done(mailbox_id, do)


@bp.post("/<int:tag_id>/adopt")
def adopt(mailbox_id: int, tag_id: int) -> ResponseReturnValue:
    return _done(mailbox_id, lambda s, mailbox, by: adopt_tag(s, mailbox, _tag(s, mailbox, tag_id), by=by))


@bp.post("/<int:tag_id>/merge")
def merge(mailbox_id: int, tag_id: int) -> ResponseReturnValue:
    into = request.form.get("into", 0, type=id_of)
    return _done(
        mailbox_id,
        lambda s, mailbox, by: merge_tags(s, mailbox, _tag(s, mailbox, tag_id), _tag(s, mailbox, into), by=by),
    )


@bp.post("/mappings")
def map_keyword(mailbox_id: int) -> ResponseReturnValue:
    """Give a keyword a meaning: `status:closed` or `owner:carla`."""
    meaning, _sep, value = request.form.get("means", "").partition(":")
    name = request.form.get("keyword", "")
    return _done(mailbox_id, lambda s, mailbox, by: map_name(s, mailbox, name, meaning, value, by=by))


@bp.delete("/mappings")
def unmap_keyword(mailbox_id: int) -> ResponseReturnValue:
    name = request.form.get("keyword", "")
    return _done(mailbox_id, lambda s, mailbox, by: unmap_name(s, mailbox, name, by=by))


@bp.get("/user.js")
def for_thunderbird(mailbox_id: int) -> Response:
    """A file to save. Browsers treat it as text, so no page can run it. NotFound if mail clients have nothing to
    show."""
    with transaction() as session:
        mailbox = find.mailbox(session, myself(session), mailbox_id)
        if mailbox.mode != Mode.KEYWORDS:
            raise NotFound
        response = Response(user_js(session, mailbox), mimetype="text/plain")
    response.headers["Content-Disposition"] = 'attachment; filename="user.js"'
    return response


def _managed(session: Session, mailbox_id: int) -> tuple[Mailbox, Actor]:
    """The mailbox, for its managers. Raises NotFound if the mailbox is not visible, NotAllowed below manager."""
    member = myself(session)
    mailbox = find.mailbox(session, member, mailbox_id)
    require(web(member), Action.MAKE_TAGS, mailbox)
    return mailbox, web(member)


@retried
def _do(mailbox_id: int, verb: Verb) -> None:
    """Retried, because it may change many conversations, and others may do so at the same time."""
    with transaction() as session:
        mailbox, by = _managed(session, mailbox_id)
        verb(session, mailbox, by)


def _done(mailbox_id: int, verb: Verb) -> ResponseReturnValue:
    """The page again, with an error if there is one."""
    try:
        _do(mailbox_id, verb)
    except Invalid as error:
        with transaction() as session:
            mailbox, _by = _managed(session, mailbox_id)
            return _page(session, mailbox, error), 422
    flash(_("Saved."))
    return redirect(url_for("tags.index", mailbox_id=mailbox_id))


def _tag(session: Session, mailbox: Mailbox, tag_id: int) -> Tag:
    tag = session.get(Tag, tag_id)
    if tag is None or tag.mailbox_id != mailbox.id:
        raise NotFound
    return tag


def _page(session: Session, mailbox: Mailbox, error: Invalid | None = None) -> str:
    counted = select(func.count()).where(ConversationTag.tag_id == Tag.id).correlate(Tag).scalar_subquery()
    mine = select(Tag, counted).where(Tag.mailbox_id == mailbox.id).order_by(Tag.adopted.desc(), func.lower(Tag.label))
    rows = session.execute(mine).all()
    mapped = select(Mapping).where(Mapping.mailbox_id == mailbox.id).order_by(Mapping.name)
    context = {
        "tags": [(tag, count) for tag, count in rows if tag.alias_of_id is None],
        "aliases": {tag.id: [other.name for other, _n in rows if other.alias_of_id == tag.id] for tag, _n in rows},
        "mappings": session.scalars(mapped).all(),
        "owners": possible_owners(session, mailbox.id),
        "statuses": {name: words for name, words in status_names().items() if name != Status.OPEN},
        "hues": range(1, HUES + 1),
        "boxes": [mailbox] if mailbox.mode == Mode.KEYWORDS else [],
    }
    errors = {error.field: sentence(error)} if error else {}
    return page("admin/tags.html", mailbox=mailbox, form=request.form, errors=errors, **context)
