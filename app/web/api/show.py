"""Converts the domain's objects to the shapes of the contract."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.inbox.conversations.rows import MessageRow, NoteRow, WholeConversation
from app.inbox.history.event import event_shape
from app.inbox.lists.items import Item
from app.inbox.lists.whole_conversation import html_of, whole_conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.server.health import health
from app.inbox.server.keywords_on_server import ServerCopy, server_copies
from app.web.pictures import with_pictures

Shape = dict[str, Any]


def mailbox(session: Session, member: Member, box: Mailbox) -> Shape:
    return {
        "id": box.id,
        "name": box.name,
        "address": box.address,
        "role": member.role_on(box.id),
        "mode": box.mode,
        "health": health(session, box).shape(),
    }


def item(line: Item | WholeConversation, assignee: str | None) -> Shape:
    """A conversation as a list shows it."""
    return {
        "id": line.id,
        "number": line.number,
        "mailbox": line.mailbox_id,
        "subject": line.subject,
        "preview": line.preview,
        "from": {"name": line.from_name, "address": line.from_address},
        "status": line.status,
        "assignee": assignee,
        "assigned_name": line.assigned_name,
        "tags": [tag.name for tag in line.tags],
        "starred": line.starred,
        "message_count": line.message_count,
        "last_message_at": rfc3339(line.last_at),
        "waiting_since": _time(line.waiting_since),
        "has_attachments": line.has_attachments,
        "last_machine": line.last_machine,
        "revision": line.revision,
    }


def conversation(session: Session, member: Member, conversation_id: int) -> Shape:
    """A whole conversation. Raises NotFound."""
    whole = whole_conversation(session, member, conversation_id)
    html = html_of(session, whole.messages)
    deliveries = {reply.sent_message_id: reply.state for reply in whole.replies}
    copies: dict[int, list[ServerCopy]] = {}
    for copy in server_copies(session, whole):
        copies.setdefault(copy.message_id, []).append(copy)
    return item(whole, whole.assignee_handle) | {
        "snoozed_until": _time(whole.snoozed_until),
        "messages": [message(m, html.get(m.id), copies.get(m.id, []), deliveries.get(m.id)) for m in whole.messages],
        "notes": [note(n) for n in whole.notes],
        "events": [event_shape(event) for event in whole.events],
    }


def message(mail: MessageRow, html: str | None, copies: list[ServerCopy], delivery: str | None) -> Shape:
    return {
        "id": mail.id,
        "message_id": mail.message_id,
        "direction": mail.direction,
        "from": {"name": mail.from_name, "address": mail.from_address},
        "reply_to": _people(mail.reply_to),
        "to": _people(mail.to),
        "cc": _people(mail.cc),
        "subject": mail.subject,
        "date": rfc3339(mail.date or mail.received_at),
        "text": _text(mail),
        "html": _with_own_pictures(mail, html) if html is not None else None,
        "has_remote_images": mail.has_remote_images,
        "truncated": mail.truncated,
        "appointments": mail.appointments,
        "attachments": [{"id": a.id, "filename": a.filename, "type": a.type, "size": a.size} for a in mail.attachments],
        "copies": [
            {"folder": c.folder, "uid": c.uid, "keywords": list(c.keywords), "waiting": c.waiting} for c in copies
        ],
        "authentication": mail.authentication,
        "machine": mail.machine,
        "machine_sign": mail.machine_sign or None,
        "undelivered": mail.undelivered,
        "delivery": delivery,
    }


def note(written: NoteRow) -> Shape:
    return {
        "id": written.id,
        "author": written.author_handle,
        "text": written.text,
        "created_at": rfc3339(written.created_at),
        "edited_at": _time(written.edited_at),
    }


def _text(mail: MessageRow) -> str:
    """If a mail has only an invitation, the text in that."""
    if mail.text.strip():
        return mail.text
    return "\n\n".join(map(_words, mail.appointments))


def _words(event: dict[str, Any]) -> str:
    when = "–".join(filter(None, [event["begins"], event["ends"]]))
    lines = [event["title"], when, event["place"], event["organiser"], "; ".join(event["people"]), event["words"]]
    return "\n".join(filter(None, lines))


def _with_own_pictures(mail: MessageRow, html: str) -> str:
    """Pictures of the mail itself link to their attachments; pictures on other servers are left out."""
    parts = {a.part: url_for("api.attachment", id=a.id) for a in mail.attachments}
    return with_pictures(html, parts, remote=False)


def _people(pairs: list[Any]) -> list[Shape]:
    return [{"name": name, "address": address} for name, address in pairs]


def _time(at: dt.datetime | None) -> str | None:
    return rfc3339(at) if at is not None else None
