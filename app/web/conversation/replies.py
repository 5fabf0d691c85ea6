"""Replies: written in the composer, saved while they are written, sent, called back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.db import read_only, retried, transaction
from app.inbox.actor import Actor, web
from app.inbox.errors import N_, AlreadySent, BeingWritten, DraftChanged, InboxError, Invalid, NewerMessages
from app.inbox.lists import find
from app.inbox.lists.whole_conversation import whole_conversation
from app.inbox.replies import find_reply, upload
from app.inbox.replies.reply import Reply, ReplyState
from app.inbox.replies.rich_text import cleaned, html_of_text
from app.inbox.replies.upload import LARGEST_FORM
from app.inbox.replies.writing import begin_draft, save_draft, send
from app.web.access import me, myself
from app.web.conversation.composer import Composer, composer, content_of_form, kept, order_of_form, stopped
from app.web.conversation.pages import done, page
from app.web.errors import sentence
from app.web.render import wants_fragment
from app.web.statuses import status_of

bp = Blueprint("reply", __name__)


@bp.get("/conversations/<int:conversation_id>/composer")
def compose(conversation_id: int) -> ResponseReturnValue:
    """The composer, with the member's draft if there is one."""
    with read_only() as session:
        conversation_id = find.conversation(session, me(), conversation_id).id
        if not wants_fragment():
            return redirect(url_for("conversation.show", conversation_id=conversation_id, compose="new"))
        draft_id = request.args.get("draft", type=int)
        shown = composer(
            session, me(), conversation_id, everybody=request.args.get("to") != "sender", draft_id=draft_id
        )
    return render_template("reply/_composer.html", composer=shown)


@bp.post("/conversations/<int:conversation_id>/replies")
def send_reply(conversation_id: int) -> ResponseReturnValue:
    """Save what the form has, and send it. What stops it is said in the composer, with the text kept."""
    is_stopped = _saved_and_sent(conversation_id)
    if is_stopped is not None:
        return _composer_again(conversation_id, is_stopped)
    response = make_response(done(conversation_id))
    response.headers["HX-Trigger-After-Swap"] = "signalbox:sent"  # before it the form is still needed
    return response


@bp.post("/conversations/<int:conversation_id>/drafts")
def save(conversation_id: int) -> ResponseReturnValue:
    """Save what is written so far; a script calls it. 409 if somebody else writes the draft, or saved it since."""
    try:
        with transaction() as session:
            draft = _saved(session, conversation_id)
            session.flush()
            return jsonify(id=draft.id, revision=draft.revision, saved_at=rfc3339(draft.saved_at))
    except (BeingWritten, DraftChanged, AlreadySent, Invalid) as error:
        return jsonify(error=sentence(error)), status_of(error)


@bp.delete("/drafts/<int:draft_id>")
def discard(draft_id: int) -> ResponseReturnValue:
    return _act(draft_id, lambda reply, by: reply.discard(by=by))


@bp.post("/replies/<int:reply_id>/retry")
def retry(reply_id: int) -> ResponseReturnValue:
    return _act(reply_id, lambda reply, by: reply.retry_now(by=by))


@bp.post("/replies/<int:reply_id>/cancel")
def cancel(reply_id: int) -> ResponseReturnValue:
    """Call it back; it is a draft again, and the composer opens with it."""
    return _act(reply_id, lambda reply, by: reply.cancel(by=by))


@bp.post("/uploads")
def add_file() -> ResponseReturnValue:
    """A file for a reply; a script calls it."""
    request.max_content_length = LARGEST_FORM
    file = request.files.get("file")
    try:
        if file is None:
            raise Invalid("file", N_("Send the file as the field “file” of a form (multipart/form-data)."))
        with transaction() as session:
            inline = "inline" in request.form
            kept = upload.store(
                session, myself(session), file.filename or "", file.mimetype, file.stream, inline=inline
            )
            return jsonify(id=kept.id, filename=kept.filename, size=kept.size, content_id=kept.content_id), 201
    except Invalid as error:
        return jsonify(error=sentence(error)), status_of(error)


@bp.get("/uploads/<int:upload_id>")
def file(upload_id: int) -> ResponseReturnValue:
    """A picture in a reply that is being written, for its writer and the team."""
    with read_only() as session:
        kept = find_reply.visible_upload(session, me(), upload_id)
        response = Response(upload.content(session, kept.id), mimetype=kept.type)
    response.headers["Content-Disposition"] = "inline" if kept.type.startswith("image/") else "attachment"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@retried
def _saved_and_sent(conversation_id: int) -> Composer | None:
    """None if it is on its way; else the composer with what stopped it. The text is kept either way."""
    with transaction() as session:
        try:
            draft = _saved(session, conversation_id)
        except (BeingWritten, DraftChanged, AlreadySent) as error:
            known = _known(session, conversation_id)
            assert known is not None
            if known.state != ReplyState.DRAFT and _is_as_sent(known):  # the same form, sent twice
                return None
            return kept(session, known, error)
        try:
            with session.begin_nested():
                send(draft, order_of_form(), by=web(myself(session)))
        except InboxError as error:
            newer = error.message_ids if isinstance(error, NewerMessages) else []
            return stopped(session, draft, error, newer)
    return None


def _saved(session: Session, conversation_id: int) -> Reply:
    """The draft of the form, saved; begun with the first save. The form's key keeps two first saves one draft."""
    member = myself(session)
    conversation = find.conversation(session, member, conversation_id, lock=True)
    key = request.form.get("key", "")[:100]
    draft = _known(session, conversation.id)
    if draft is None:
        draft = begin_draft(conversation, content_of_form(), by=web(member))
        draft.key = key or None
        draft.write(revision=draft.revision, by=web(member))
    else:
        revision = request.form.get("revision", 0, type=int) or draft.revision
        take_over = "take_over" in request.form
        save_draft(draft, content_of_form(), revision=revision, by=web(member), take_over=take_over)
    return draft


def _known(session: Session, conversation_id: int) -> Reply | None:
    """The reply that the form was begun with or saved as, locked."""
    member = myself(session)
    id_, key = request.form.get("draft", type=int), request.form.get("key", "")[:100]
    if id_ is None:
        found = find_reply.by_key(session, find.conversation(session, member, conversation_id), member, key)
        id_ = found.id if found is not None else None
    return find_reply.reply(session, member, id_, lock=True) if id_ is not None else None


def _is_as_sent(reply: Reply) -> bool:
    """Whether the form has the words that were sent."""
    content = content_of_form()
    return reply.html == (cleaned(content.html) if content.html.strip() else html_of_text(content.text))


def _composer_again(conversation_id: int, shown: Composer) -> ResponseReturnValue:
    status = status_of(shown.error) if shown.error else 422
    if wants_fragment():
        response = make_response(render_template("reply/_composer.html", composer=shown), status)
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#composer-open", "innerHTML"
        return response
    with read_only() as session:
        conversation = whole_conversation(session, me(), conversation_id)
        return make_response(page(session, conversation, composer=shown), status)


@retried
def _act(reply_id: int, do: Callable[[Reply, Actor], Any]) -> ResponseReturnValue:
    with transaction() as session:
        member = myself(session)
        reply = find_reply.reply(session, member, reply_id, lock=True)
        conversation_id = reply.conversation_id
        do(reply, web(member))
    return done(conversation_id)
