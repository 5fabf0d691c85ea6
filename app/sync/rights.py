"""Rights: what a server lets us write in a folder, from SELECT (READ-ONLY, PERMANENTFLAGS: RFC 3501 7.1)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.inbox.conversations.bulk import want_push_of_folder
from app.inbox.mailboxes.folder import Folder
from app.mail.values import Selected


def note_rights(session: Session, folder: Folder, selected: Selected) -> None:
    """If we may write more than before, the folder's copies get the keywords they missed."""
    if folder.allow(read_only=selected.read_only, permanent=selected.lasting):
        want_push_of_folder(session, folder.id)
