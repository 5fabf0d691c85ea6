"""One conversation and its resources: assignment, status, tags, star, notes, place. Each act is a small resource. The
verb decides whether the member may do it, and the response is the conversation after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import read_only, retried, transaction
from app.inbox.actor import Actor, web
from app.inbox.arriving import thread as threads
from app.inbox.conversations import reading
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.note import count_note
from app.inbox.conversations.rows import WholeConversation
from app.inbox.errors import N_, CannotOwn, Invalid, NotFound
from app.inbox.lists import find
from app.inbox.lists.whole_conversation import whole_conversation
from app.inbox.mailboxes.rows import FolderRow
from app.inbox.permission import Action, may
from app.inbox.status import Status
from app.web.access import me, myself
from app.web.conversation.composer import Composer
from app.web.conversation.composer import composer as new_composer
from app.web.conversation.open_conversation import NEWEST, open_context
from app.web.language import zone
from app.web.lists.pages import list_context
from app.web.pictures import permitted
from app.web.render import render, wants_fragment
from app.web.where import from_request

bp = Blueprint("conversation", __name__)

Act = Callable[[Session, Conversation, Actor], object]


@bp.get("/conversations/<int:conversation_id>")
def show(conversation_id: int) -> ResponseReturnValue:
    with read_only() as session:
        conversation = whole_conversation(session, me(), conversation_id, newest=_newest())
        if conversation.id != conversation_id:  # merged: redirect to the other one
            return redirect(url_for("conversation.show", conversation_id=conversation.id, **_where_args()))
        return page(session, conversation, composer=_composer(session, conversation))


@bp.post("/conversations/<int:conversation_id>/assignment")
def assign(conversation_id: int) -> ResponseReturnValue:
    """Claim it, or assign it to the member in `to`."""

    def act(session: Session, conversation: Conversation, by: Actor) -> None:
        assert by.member is not None
        handle = request.form.get("to") or by.member.handle
        to = by.member if handle == by.member.handle else find.member_by_handle(session, handle)
        if to is None:
            raise CannotOwn(handle)
        conversation.assign(to, by=by, take_over="take_over" in request.form)

    return _do(conversation_id, act)


@bp.delete("/conversations/<int:conversation_id>/assignment")
def release(conversation_id: int) -> ResponseReturnValue:
    return _do(
        conversation_id, lambda s, conversation, by: conversation.release(by=by, take_over="take_over" in request.form)
    )


@bp.post("/conversations/<int:conversation_id>/status")
def set_status(conversation_id: int) -> ResponseReturnValue:
    value = request.form.get("status", "")
    try:
        status = Status(value)
    except ValueError as error:
        raise Invalid("status", N_("“%(value)s” is not one of the choices."), value=value) from error
    until = _moment(request.form["until"]) if request.form.get("until") else None
    return _do(conversation_id, lambda s, conversation, by: conversation.change_status(status, by=by, until=until))


@bp.post("/conversations/<int:conversation_id>/tags")
def add_tag(conversation_id: int) -> ResponseReturnValue:
    name = request.form.get("name", "")
    return _do(conversation_id, lambda s, conversation, by: conversation.tag(name, by=by))


@bp.put("/conversations/<int:conversation_id>/tags/<name>")
def tag(conversation_id: int, name: str) -> ResponseReturnValue:
    return _do(conversation_id, lambda s, conversation, by: conversation.tag(name, by=by))


@bp.delete("/conversations/<int:conversation_id>/tags/<name>")
def untag(conversation_id: int, name: str) -> ResponseReturnValue:
    return _do(conversation_id, lambda s, conversation, by: conversation.untag(name, by=by))


@bp.post("/conversations/<int:conversation_id>/star")
def star(conversation_id: int) -> ResponseReturnValue:
    return _do(conversation_id, lambda s, conversation, by: conversation.star(by=by))


@bp.delete("/conversations/<int:conversation_id>/star")
def unstar(conversation_id: int) -> ResponseReturnValue:
    return _do(conversation_id, lambda s, conversation, by: conversation.unstar(by=by))


@bp.post("/conversations/<int:conversation_id>/notes")
def add_note(conversation_id: int) -> ResponseReturnValue:
    count_note(me().id)
    text, key = request.form.get("text", ""), request.form.get("key")
    return _do(conversation_id, lambda s, conversation, by: conversation.add_note(text, by=by, key=key))


@bp.post("/conversations/<int:conversation_id>/move")
def move(conversation_id: int) -> ResponseReturnValue:
    folder_id = request.form.get("folder", 0, type=int)
    return _do(
        conversation_id,
        lambda s, conversation, by: conversation.move(conversation.mailbox.folder_by_id(folder_id), by=by),
    )


@bp.post("/conversations/<int:conversation_id>/merge")
def merge(conversation_id: int) -> ResponseReturnValue:
    """Move its messages to the conversation with the number in `into`."""

    with transaction() as session:
        member = myself(session)
        target_id = _numbered(session, find.conversation(session, member, conversation_id).mailbox_id)
        source, target = find.two_conversations(session, member, conversation_id, target_id)
        threads.merge(source, target, by=web(member))
    return done(conversation_id)


@bp.post("/conversations/<int:conversation_id>/conflict")
def settle(conversation_id: int) -> ResponseReturnValue:
    """Settle a conflict: keep our value, or take theirs. Both are normal acts."""
    theirs = request.form.get("keep") == "theirs"
    return _do(conversation_id, lambda s, conversation, by: conversation.decide_conflict(take_theirs=theirs, by=by))


@bp.post("/conversations/<int:conversation_id>/seen")
def seen(conversation_id: int) -> ResponseReturnValue:
    """The page was open for two seconds: the member has read it, and for agents and higher also the team."""
    with transaction() as session:
        member = myself(session)
        conversation = find.conversation(session, member, conversation_id, lock=True)
        reading.mark_read(session, member.id, conversation.id)
        if may(web(member), Action.MARK_SEEN, conversation.mailbox):
            conversation.mark_seen(by=web(member))
    return Response(status=204)


@retried
def _do(conversation_id: int, act: Act) -> ResponseReturnValue:
    """One act on a locked conversation, committed; then the conversation after it."""
    with transaction() as session:
        member = myself(session)
        act(session, find.conversation(session, member, conversation_id, lock=True), web(member))
    return done(conversation_id)


def done(conversation_id: int) -> ResponseReturnValue:
    if not wants_fragment():
        return redirect(url_for("conversation.show", conversation_id=conversation_id, **_where_args()), 303)
    if "quick" in request.form:  # done from a row, so the open conversation stays
        response = Response(status=204)
    else:
        with read_only() as session:
            conversation = whole_conversation(session, me(), conversation_id, newest=_newest())
            response = make_response(page(session, conversation))
    response.headers["HX-Trigger"] = "signalbox:changed"
    return response


def page(session: Session, conversation: WholeConversation, *, composer: Composer | None = None) -> str:
    """The open conversation, alone or with its list beside it. `composer`: a reply is being written at its foot."""
    images = permitted(request.args.get("images"))
    where = from_request(conversation.mailbox_id, _folder(conversation))
    where = replace(where, images=images, earlier=_newest() is None)
    context: dict[str, Any] = open_context(session, me(), conversation, images=images) | {"composer": composer}
    if wants_fragment():
        context["where"] = where
    else:
        context |= list_context(session, me(), conversation.mailbox, where, selected=conversation.id)
    return render("conversation/_open.html", "conversation/show.html", **context)


def _composer(session: Session, conversation: WholeConversation) -> Composer | None:
    """Where no script opens it, its address does."""
    if "compose" not in request.args or not may(web(me()), Action.REPLY, conversation.mailbox):
        return None
    drafts = {draft.id for draft in conversation.replies if draft.state == "draft"}
    draft_id = request.args.get("compose", 0, type=int)
    return new_composer(session, me(), conversation.id, draft_id=draft_id if draft_id in drafts else None)


def _folder(conversation: WholeConversation) -> FolderRow | None:
    """The folder whose list is shown beside it. Raises NotFound for a folder of another mailbox."""
    folder_id = request.args.get("folder", type=int)
    if folder_id and folder_id not in conversation.folders:
        raise NotFound
    return conversation.folders[folder_id] if folder_id else None


def _numbered(session: Session, mailbox_id: int) -> int:
    """The id of the conversation with the number in `into`."""
    number = request.form.get("into", "").strip().removeprefix("#")
    known = int(number) if number.isdecimal() and len(number) < 10 else 0
    id_ = session.scalar(select(Conversation.id).filter_by(mailbox_id=mailbox_id, number=known))
    if id_ is None:
        raise Invalid("into", N_("There is no conversation with that number in this mailbox."))
    return id_


def _moment(value: str) -> dt.datetime:
    """A time from a form: with an offset, or on the member's clock."""
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise Invalid("until", N_("This is not a valid time.")) from error
    return at if at.tzinfo else at.replace(tzinfo=zone())


def _newest() -> int | None:
    """The number of messages to show; None for all."""
    return None if request.args.get("earlier") else NEWEST


def _where_args() -> dict[str, Any]:
    names = ("view", "tag", "folder", "q", "images", "earlier")
    return {name: request.args[name] for name in names if request.args.get(name)}
