"""Rights: what a server lets us write in a folder, as SELECT tells it (READ-ONLY, PERMANENTFLAGS: RFC 3501 7.1)."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.folder import Folder
from app.mail.values import Selected


def note_rights(session: Session, folder: Folder, selected: Selected) -> None:
    """Where more may be written than before, its copies get what they missed."""
    if not folder.allow(read_only=selected.read_only, permanent=selected.lasting):
        return
    here = select(Message.conversation_id).join(Copy).where(Copy.folder_id == folder.id, Copy.gone_at.is_(None))
    session.execute(
        update(Conversation)
        .where(Conversation.id.in_(here), Conversation.mirrored)
        .values(push_needed=True)
        .execution_options(synchronize_session=False)
    )
