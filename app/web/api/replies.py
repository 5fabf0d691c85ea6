"""Replies: written, on their way, sent. A call only queues a reply; a worker sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import request
from pydantic import BaseModel, Field

from app.db import read_only, retried, transaction
from app.inbox.actor import Actor, api
from app.inbox.lists import find
from app.inbox.replies import find_reply
from app.inbox.replies.recipient import RecipientState
from app.inbox.replies.reply import Reply
from app.inbox.replies.writing import ReplyContent, SendOrder, send_reply
from app.web.api.access import acting, caller
from app.web.api.blueprint import ID, bp, described
from app.web.api.shapes import Body, Id, Moment, Recipient, Text, pairs
from app.web.conversation.composer import send_order

#: The statuses that a conversation may get when its reply was sent.
StatusAfter = Literal["open", "pending", "closed", "spam"]


class ContentFields(Body):
    """`text` or `html`. People as `ana@example.com` or `Ana Ruiz <ana@example.com>`. Without `to` it goes to the sender
    of the newest message; with `all` to everybody who got it."""

    text: Text = ""
    html: Text = ""
    to: list[Recipient] | None = None
    cc: list[Recipient] | None = None
    bcc: list[Recipient] | None = None
    all: bool = False
    subject: Text | None = None
    status_after: StatusAfter | None = None
    attachments: list[Id] | None = None  # ids of uploads

    def written(self) -> ReplyContent:
        return ReplyContent(
            text=self.text,
            html=self.html,
            to=pairs(self.to),
            cc=pairs(self.cc),
            bcc=pairs(self.bcc),
            everybody=self.all,
            subject=self.subject,
            status_after=self.status_after,
            files=self.attachments,
        )


class Order(Body):
    """`if_last_message`: the newest message that the author has seen; refused with 409 `newer_messages` if more came.
    `send_at`: later; any message that arrives before makes the reply a draft again."""

    if_last_message: Id | None = None
    send_at: Moment | None = None

    def order(self) -> SendOrder:
        return send_order(self.send_at, self.if_last_message)


class NewReply(ContentFields, Order):
    pass


class RefusedRecipient(BaseModel):
    address: str
    code: int | None
    message: str


class ReplyProgress(BaseModel):
    """`state`: draft, scheduled, queued, connecting, handed, sent, failed or unknown. `refused`: the recipients whom
    the mail server refused."""

    id: int
    conversation: int
    message_id: str | None
    state: str
    attempts: int
    error: str | None
    refused: list[RefusedRecipient] = Field(default_factory=list)


@bp.post(f"/conversations/{ID}/replies")
@described("replies", ReplyProgress, 202, also=(403, 409))
def reply(id: int, json: NewReply) -> tuple[dict[str, Any], int]:
    """Send a reply. With a header `Idempotency-Key` the same call again gives the same reply."""
    return _queued(id, json, request.headers.get("Idempotency-Key")), 202


@bp.get(f"/replies/{ID}")
@described("replies", ReplyProgress)
def reply_state(id: int) -> dict[str, Any]:
    """How far a reply has come."""
    with read_only() as session:
        return state_shape(find_reply.reply(session, caller(), id))


@bp.post(f"/replies/{ID}/cancel")
@described("replies", ReplyProgress, also=(403, 409))
def cancel_reply(id: int) -> dict[str, Any]:
    """Make it a draft again, which is possible until a worker connects to send it; 409 `already_sent` after that."""
    return _act(id, lambda reply, by: reply.cancel(by=by))


@bp.post(f"/replies/{ID}/retry")
@described("replies", ReplyProgress, also=(403, 409))
def retry_reply(id: int) -> dict[str, Any]:
    """Send a failed or unknown reply again, to the recipients whom the server has not accepted."""
    return _act(id, lambda reply, by: reply.retry_now(by=by))


@retried
def _queued(id: int, json: NewReply, key: str | None) -> dict[str, Any]:
    with transaction() as session:
        member = acting(session)
        conversation = find.conversation(session, member, id, lock=True)
        sent = send_reply(conversation, json.written(), json.order(), by=api(member), key=key)
        session.flush()
        return state_shape(sent)


@retried
def _act(id: int, do: Callable[[Reply, Actor], None]) -> dict[str, Any]:
    with transaction() as session:
        member = acting(session)
        reply = find_reply.reply(session, member, id, lock=True)
        do(reply, api(member))
        session.flush()
        return state_shape(reply)


def state_shape(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "conversation": reply.conversation_id,
        "message_id": reply.message_id,
        "state": reply.state,
        "attempts": reply.tries,
        "error": reply.error,
        "refused": [
            {"address": one.address, "code": one.code, "message": one.words}
            for one in reply.recipients
            if one.state == RecipientState.REFUSED
        ],
    }
