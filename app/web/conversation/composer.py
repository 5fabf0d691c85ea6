"""The composer: the form in which a member writes a reply, as the page shows it and as it comes back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe

from flask import current_app, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.inbox.actor import web
from app.inbox.errors import BeingWritten, InboxError, Invalid
from app.inbox.lists import find
from app.inbox.people.member import Member
from app.inbox.replies import find_reply, upload
from app.inbox.replies.address_list import people_of, written
from app.inbox.replies.reply import Reply, ReplyState
from app.inbox.replies.rich_text import cleaned
from app.inbox.replies.upload import Upload
from app.inbox.replies.writing import ReplyContent, SendOrder, proposed
from app.web.language import zone


@dataclass(frozen=True)
class ComposerMessage:
    """A message that arrived while its reader was writing."""

    sender: str
    at: dt.datetime
    preview: str


@dataclass(frozen=True)
class Composer:
    """`reply_id`: None as long as nothing was saved. `newer`: messages that stopped the sending. `error`: what is
    wrong, in the field that `error_field` names."""

    conversation_id: int
    reply_id: int | None
    revision: int
    key: str
    sender: str
    to: str
    cc: str
    bcc: str
    subject: str
    text: str
    html: str
    quote: str
    last_message_id: int
    files: list[Upload] = field(default_factory=list)
    newer: list[ComposerMessage] = field(default_factory=list)
    take_over: bool = False
    error: InboxError | None = None

    @property
    def quoted(self) -> Markup:
        """The quote as it is shown. It may come from a form, so it is cleaned here."""
        return Markup(cleaned(self.quote))  # noqa: S704  nh3 has cleaned it

    @property
    def error_field(self) -> str:
        return self.error.field if isinstance(self.error, Invalid) else ""


def composer(
    session: Session, member: Member, conversation_id: int, *, everybody: bool = True, draft_id: int | None = None
) -> Composer:
    """The draft of that id, to take over. Without it the member's own draft in this conversation, else an empty reply
    to everybody. Raises what `proposed` raises, and NotFound."""
    conversation = find.conversation(session, member, conversation_id)
    if draft_id is not None:
        return replace(of_reply(session, find_reply.reply(session, member, draft_id)), take_over=True)
    draft = find_reply.own_draft(session, member, conversation.id)
    with session.no_autoflush:
        return of_reply(session, draft or proposed(conversation, ReplyContent(everybody=everybody), by=web(member)))


def of_reply(session: Session, reply: Reply) -> Composer:
    messages = reply.conversation.messages
    return Composer(
        conversation_id=reply.conversation.id,
        reply_id=reply.id,
        revision=reply.revision or 0,
        key=reply.key or token_urlsafe(12),
        sender=reply.sender,
        to=written(reply.to),
        cc=written(reply.cc),
        bcc=written(reply.bcc),
        subject=reply.subject,
        text=reply.text or "",
        html=reply.html or "",
        quote=reply.quote or "",
        last_message_id=max((message.id for message in messages), default=0),
        files=upload.files_of(session, reply.id) if reply.id else [],
    )


def stopped(session: Session, reply: Reply, error: InboxError, newer_ids: list[int]) -> Composer:
    """The composer again, with what stopped the sending."""
    newer = [
        ComposerMessage(message.from_name or message.from_address, message.received_at, message.preview)
        for message in reply.conversation.messages
        if message.id in newer_ids
    ]
    return replace(of_reply(session, reply), error=error, newer=newer)


def kept(session: Session, reply: Reply, error: InboxError) -> Composer:
    """The composer with the text of the form, which was not saved: the reply is another's, newer, or on its way."""
    form, is_draft = content_of_form(), reply.state == ReplyState.DRAFT
    again = of_reply(session, reply)
    return replace(
        again,
        reply_id=again.reply_id if is_draft else None,
        key=again.key if is_draft else token_urlsafe(12),
        text=form.text,
        html=form.html,
        quote=form.quote or "",
        to=written(list(form.to or [])),
        cc=written(list(form.cc or [])),
        bcc=written(list(form.bcc or [])),
        subject=form.subject or "",
        take_over=isinstance(error, BeingWritten),
        error=error,
    )


def content_of_form() -> ReplyContent:
    form = request.form
    return ReplyContent(
        text=form.get("text", ""),
        html=form.get("html", ""),
        quote=form.get("quote", ""),
        to=people_of(form.get("to", "")),
        cc=people_of(form.get("cc", "")),
        bcc=people_of(form.get("bcc", "")),
        subject=form.get("subject"),
        status_after=form.get("then") or None,
        files=[int(id_) for id_ in form.getlist("file") if id_.isdecimal() and len(id_) < 10],
    )


def order_of_form() -> SendOrder:
    last = request.form.get("last_message_id", "")
    return send_order(_time(request.form.get("at", "")), int(last) if last.isdecimal() else None)


def send_order(at: dt.datetime | None, last_message_id: int | None) -> SendOrder:
    """With the time to undo it that this installation gives."""
    undo = dt.timedelta(seconds=current_app.config["SIGNALBOX"].undo_seconds)
    return SendOrder(undo, at, last_message_id)


def _time(value: str) -> dt.datetime | None:
    """A time from a form, as the member's clock shows it; None for what is none."""
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone())
