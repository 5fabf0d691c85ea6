"""Drafts: replies while they are written. The team sees them; one member writes at a time."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.db import read_only, retried, transaction
from app.inbox.actor import api
from app.inbox.lists import find
from app.inbox.people.member import Member
from app.inbox.replies import find_reply, upload
from app.inbox.replies.reply import Reply
from app.inbox.replies.writing import begin_draft, save_draft, send
from app.web.api.access import acting, caller
from app.web.api.blueprint import ID, bp, described
from app.web.api.replies import ContentFields, Order, ReplyProgress, state_shape
from app.web.api.shapes import Attachment, Id, Person, QueryString, Time
from app.web.api.uploads import upload_shape


class DraftsOf(QueryString):
    mailbox: Id | None = None


class DraftContent(ContentFields):
    """`revision`: the one that the caller last saw; 409 `changed` if there is a newer one. `take_over`: although
    another member is writing."""

    revision: int
    take_over: bool = False


class Draft(BaseModel):
    """`writer`: who is writing it at this moment."""

    id: int
    conversation: int
    mailbox: int
    author: str
    writer: str | None
    revision: int
    saved_at: Time
    sender: str
    to: list[Person]
    cc: list[Person]
    bcc: list[Person]
    subject: str
    text: str
    html: str
    status_after: str | None
    attachments: list[Attachment]


class Drafts(BaseModel):
    items: list[Draft]
    next: str | None


@bp.get("/drafts")
@described("drafts", Drafts)
def drafts(query: DraftsOf) -> dict[str, Any]:
    """The newest 200 drafts of the team."""
    with read_only() as session:
        items = find_reply.drafts(session, caller(), query.mailbox)
        return {"items": [_shape(session, one) for one in items], "next": None}


@bp.post(f"/conversations/{ID}/drafts")
@described("drafts", Draft, 201, also=(403,))
def new_draft(id: int, json: ContentFields) -> tuple[dict[str, Any], int]:
    """Begin a reply."""
    with transaction() as session:
        member = acting(session)
        conversation = find.conversation(session, member, id, lock=True)
        return _shape(session, begin_draft(conversation, json.written(), by=api(member))), 201


@bp.put(f"/drafts/{ID}")
@described("drafts", Draft, also=(403, 409))
def change_draft(id: int, json: DraftContent) -> dict[str, Any]:
    """Save it as it is now. 409 `changed` if it was saved since, 409 `being_written` while another member writes."""
    with transaction() as session:
        member, draft = _held(session, id)
        save_draft(draft, json.written(), revision=json.revision, by=api(member), take_over=json.take_over)
        session.flush()
        return _shape(session, draft)


@bp.delete(f"/drafts/{ID}")
@described("drafts", None, 204, also=(403, 409))
def discard_draft(id: int) -> tuple[str, int]:
    """Delete it. A reply that was sent is never deleted."""
    with transaction() as session:
        member, draft = _held(session, id)
        draft.discard(by=api(member))
    return "", 204


@bp.post(f"/drafts/{ID}/send")
@described("drafts", ReplyProgress, 202, also=(403, 409))
def send_draft(id: int, json: Order) -> tuple[dict[str, Any], int]:
    """Send it. Sending it twice sends one mail: the second call gets 409 `already_sent`."""
    return _sent(id, json), 202


@retried
def _sent(id: int, json: Order) -> dict[str, Any]:
    with transaction() as session:
        member, draft = _held(session, id)
        send(draft, json.order(), by=api(member))
        session.flush()
        return state_shape(draft)


def _held(session: Session, id: int) -> tuple[Member, Reply]:
    member = acting(session)
    return member, find_reply.reply(session, member, id, lock=True)


def _shape(session: Session, draft: Reply) -> dict[str, Any]:
    writer = draft.writer_now
    return {
        "id": draft.id,
        "conversation": draft.conversation_id,
        "mailbox": draft.mailbox_id,
        "author": draft.author.handle,
        "writer": writer.handle if writer else None,
        "revision": draft.revision,
        "saved_at": rfc3339(draft.saved_at),
        "sender": draft.sender,
        "to": _people(draft.to),
        "cc": _people(draft.cc),
        "bcc": _people(draft.bcc),
        "subject": draft.subject,
        "text": draft.text,
        "html": draft.html,
        "status_after": draft.status_after,
        "attachments": [upload_shape(one) for one in upload.files_of(session, draft.id)],
    }


def _people(pairs: list[Any]) -> list[dict[str, str]]:
    return [{"name": name, "address": address} for name, address in pairs]
