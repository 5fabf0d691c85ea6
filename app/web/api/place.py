"""Folders and conversations of messages: move, merge, split."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import Actor, api
from app.inbox.arriving import thread
from app.inbox.conversations.conversation import Conversation as Found
from app.inbox.errors import N_, Invalid, NotWatched
from app.inbox.lists import find
from app.inbox.mailboxes.folder import Folder
from app.web.api.access import acting
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act, shape_of
from app.web.api.shapes import Body, Conversation, Id, Text


class Move(Body):
    """A folder by its name or role."""

    folder: Text | None = None
    role: Literal["inbox", "archive", "trash", "junk"] | None = None


class Merge(Body):
    into: Id


@bp.post(f"/conversations/{ID}/move")
@described("place", Conversation, also=(403, 409))
def move(id: int, json: Move) -> dict[str, Any]:
    """Move its inbound messages to another watched folder; 422 `not_watched` for any other."""
    if (json.folder is None) == (json.role is None):
        raise Invalid("folder", N_("Enter either a folder or a role, not both."))

    def do(_session: Session, conversation: Found, by: Actor) -> None:
        conversation.move(_folder(conversation, json), by=by)

    return act(id, do)


@bp.post(f"/conversations/{ID}/merge")
@described("place", Conversation, also=(403, 409))
def merge(id: int, json: Merge) -> dict[str, Any]:
    """Move its messages and notes to the conversation `into`, which is the response."""
    with transaction() as session:
        member = acting(session)
        source, target = find.two_conversations(session, member, id, json.into)
        thread.merge(source, target, by=api(member))
    return shape_of(target.id)


@bp.post(f"/messages/{ID}/split")
@described("place", Conversation, 201, also=(403,))
def split(id: int) -> tuple[dict[str, Any], int]:
    """Make the message its own conversation, which is the response."""
    with transaction() as session:
        member = acting(session)
        new = thread.split(find.message_to_split(session, member, id), by=api(member))
    return shape_of(new.id), 201


def _folder(conversation: Found, wanted: Move) -> Folder:
    mailbox = conversation.mailbox
    folder = (
        mailbox.folder(wanted.role)
        if wanted.role is not None
        else next((f for f in mailbox.folders if f.name == wanted.folder), None)
    )
    if folder is None:
        raise NotWatched(wanted.folder or wanted.role or "")
    return folder
