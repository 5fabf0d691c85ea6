"""From the domain's things to the shapes of the contract."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import rfc3339
from app.inbox import find, lists
from app.inbox.errors import NotFound
from app.inbox.event import Event
from app.inbox.health import health
from app.inbox.lists import Item, ServerCopy
from app.inbox.mailbox import Mailbox
from app.inbox.member import Member
from app.inbox.message import Message
from app.inbox.note import Note
from app.web.safe_html import clean

Shape = dict[str, Any]


def mailbox(session: Session, member: Member, found: Mailbox) -> Shape:
    return {
        "id": found.id,
        "name": found.name,
        "address": found.address,
        "role": member.role_on(found.id),
        "mode": found.mode,
        "health": health(session, found).shape(),
    }


def item(line: Item) -> Shape:
    """A conversation as a list shows it."""
    return {
        "id": line.id,
        "number": line.number,
        "mailbox": line.mailbox_id,
        "subject": line.subject,
        "preview": line.preview,
        "from": {"name": line.from_name, "address": line.from_address},
        "status": line.status,
        "assignee": line.assignee,
        "assigned_name": line.assigned_name,
        "tags": [tag.name for tag in line.tags],
        "starred": line.starred,
        "message_count": line.message_count,
        "last_message_at": rfc3339(line.last_at),
        "waiting_since": _time(line.waiting_since),
        "has_attachments": line.has_attachments,
        "revision": line.revision,
    }


def conversation(session: Session, member: Member, conversation_id: int) -> Shape:
    """A whole conversation. Raises NotFound."""
    whole = find.whole_conversation(session, member, conversation_id)
    line = lists.item(session, member, whole.id)
    if line is None:
        raise NotFound
    copies: dict[int, list[ServerCopy]] = {}
    for copy in lists.server_copies(session, whole):
        copies.setdefault(copy.message_id, []).append(copy)
    return item(line) | {
        "snoozed_until": _time(whole.snoozed_until),
        "messages": [message(m, copies.get(m.id, [])) for m in whole.messages],
        "notes": [note(n) for n in whole.notes],
        "events": [event(e) for e in lists.history(session, whole)],
    }
