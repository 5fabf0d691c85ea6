"""On the server: where the messages of a conversation lie, what is shown there and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from app.inbox.goal import conversation_copies, goals
from app.inbox.tag import vocabulary


@dataclass(frozen=True)
class ServerCopy:
    """Where a message lies, what is shown there, and what is on its way. Names of ours are in `ours`."""

    message_id: int
    folder: str
    role: str | None
    uid: int
    keywords: tuple[str, ...]
    ours: tuple[str, ...]
    adding: tuple[str, ...]
    leaving: tuple[str, ...]
    moving_to: str | None

    @property
    def waiting(self) -> bool:
        return bool(self.adding or self.leaving or self.moving_to)


def server_copies(session: Session, conversation: Conversation) -> list[ServerCopy]:
    """The live copies of a conversation, newest message first."""
    words = vocabulary(session, conversation.mailbox)
    copies = [c for c in conversation_copies(conversation) if c.live]
    wanted = goals(copies, conversation.state, words, mirrored=conversation.mirrored)
    names = {folder.id: folder.name for folder in conversation.mailbox.folders}
    copies.sort(key=lambda c: (c.message.received_at, c.id), reverse=True)
    return [_server_copy(copy, wanted[copy.id], names) for copy in copies]


def _server_copy(copy: Copy, goal: frozenset[str], names: dict[int, str]) -> ServerCopy:
    shown = frozenset(copy.shown)
    return ServerCopy(
        message_id=copy.message_id,
        folder=copy.folder.name,
        role=copy.folder.role,
        uid=copy.uid,
        keywords=tuple(copy.keywords),
        ours=tuple(k for k in copy.keywords if k.casefold() in shown),
        adding=tuple(sorted(goal - shown)),
        leaving=tuple(k for k in copy.keywords if k.casefold() in shown - goal),
        moving_to=names.get(copy.wanted_folder_id) if copy.wanted_folder_id else None,
    )
