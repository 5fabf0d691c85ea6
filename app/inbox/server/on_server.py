"""On the server: where the messages of a conversation lie, what is shown there and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import conversation_copies, goals, message_flags_missing, wishes, without_room
from app.inbox.conversations.tag import vocabulary
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.vocabulary import State, Vocabulary


@dataclass(frozen=True)
class ServerCopy:
    """Where a message lies, what is shown there, and what is on its way. Names of ours are in `ours`.

    What other mail clients will not see there: `no_room`, names beyond the keywords that the server is thought to keep
    in a folder; `refused`, those it refuses to write or take off and shows otherwise than we want; `held`, those it
    lost with many others."""

    message_id: int
    folder: str
    role: str | None
    uid: int
    keywords: tuple[str, ...]
    ours: tuple[str, ...]
    adding: tuple[str, ...]
    leaving: tuple[str, ...]
    no_room: tuple[str, ...]
    refused: tuple[str, ...]
    held: tuple[str, ...]
    moving_to: str | None

    @property
    def waiting(self) -> bool:
        return bool(self.adding or self.leaving or self.moving_to)

    @property
    def lacking(self) -> bool:
        return bool(self.no_room or self.refused or self.held)


def server_copies(session: Session, conversation: Conversation) -> list[ServerCopy]:
    """The live copies of a conversation, newest message first."""
    words = conversation.in_words(vocabulary(session, conversation.mailbox))
    copies = [c for c in conversation_copies(conversation) if c.live]
    wanted = goals(copies, conversation.state, words, mirrored=conversation.mirrored)
    no_room = without_room(copies, conversation.state, words, mirrored=conversation.mirrored)
    wished = wishes(copies, conversation.state, replace(words, limit=None), mirrored=conversation.mirrored)
    moving = any(copy.wanted_folder_id for copy in copies)
    names = {folder.id: folder.name for folder in conversation.mailbox.folders} if moving else {}
    copies.sort(key=lambda c: (c.message.received_at, c.id), reverse=True)
    return [
        _server_copy(copy, wanted[copy.id], no_room[copy.id], _refused(copy, wished[copy.id]), names) for copy in copies
    ]


def full_folders(mailbox: Mailbox) -> list[Folder]:
    """Watched folders that have no room for another tag. The vocabulary is asked whether one would be wanted there."""
    if mailbox.mode == Mode.DATABASE:
        return []
    another = "another-tag"
    words, tagged = Vocabulary(tags={another: another}, limit=mailbox.keyword_limit), State(tags=frozenset({another}))
    return [folder for folder in mailbox.folders if folder.watched and not words.goal(tagged, folder.keywords)]


def overfull_folders(mailbox: Mailbox) -> list[Folder]:
    """Watched folders that show more keywords than they are thought to keep: the limit is too low for this server.
    Dovecot's Maildir aside, which forgets what is beyond 26 with its index."""
    limit = mailbox.keyword_limit
    if limit is None or mailbox.mode == Mode.DATABASE:
        return []
    return [folder for folder in mailbox.folders if folder.watched and len(folder.keywords) > limit]


def _refused(copy: Copy, wished: frozenset[str]) -> tuple[str, ...]:
    """Of the names given up on this copy those that still make a difference."""
    differs = wished.symmetric_difference(copy.shown).union(flag.casefold() for flag in message_flags_missing(copy))
    return tuple(name for name in copy.refuses if name in differs)


def _server_copy(
    copy: Copy, goal: frozenset[str], no_room: frozenset[str], refused: tuple[str, ...], names: dict[int, str]
) -> ServerCopy:
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
        no_room=tuple(sorted(no_room)),
        refused=refused,
        held=tuple(copy.held),
        moving_to=names.get(copy.wanted_folder_id) if copy.wanted_folder_id else None,
    )
