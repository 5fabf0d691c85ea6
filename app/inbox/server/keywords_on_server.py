"""Keywords on the server: the copies of a conversation with their keywords and pending changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.inbox.conversations.goal import goals, message_flags_missing, wishes, without_room
from app.inbox.conversations.rows import CopyRow, WholeConversation
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.rows import FolderRow, MailboxRow
from app.inbox.mailboxes.vocabulary import State, Vocabulary


@dataclass(frozen=True)
class ServerCopy:
    """One copy: its place, its keywords and its pending changes. Our keywords are in `ours`.

    Three fields explain what other mail clients will not see: `no_room`, keywords beyond the folder's assumed limit;
    `refused`, changes that the server rejects; `held`, keywords it lost together with many others."""

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


def server_copies(session: Session, conversation: WholeConversation) -> list[ServerCopy]:
    """The copies of a conversation, newest message first."""
    copies, state, mirrored = conversation.copies, conversation.state, conversation.mirrored
    vocabulary = conversation.unfrozen(vocabulary_of(session, conversation.mailbox)) if mirrored else Vocabulary()
    goal_names = goals(copies, state, vocabulary, mirrored=mirrored)
    no_room = without_room(copies, state, vocabulary, mirrored=mirrored)
    wished = wishes(copies, state, replace(vocabulary, limit=None), mirrored=mirrored)
    newest_first = sorted(copies, key=lambda c: (c.message.received_at, c.id), reverse=True)
    return [
        _server_copy(c, goal_names[c.id], no_room[c.id], _refused(c, wished[c.id]), conversation.folders)
        for c in newest_first
    ]


def full_folders(mailbox: MailboxRow) -> list[FolderRow]:
    """Watched folders without room for another tag. The vocabulary decides whether a tag would fit."""
    if mailbox.mode == Mode.DATABASE:
        return []
    another = "another-tag"
    vocabulary, tagged = (
        Vocabulary(tags={another: another}, limit=mailbox.keyword_limit),
        State(tags=frozenset({another})),
    )
    return [folder for folder in mailbox.folders if folder.watched and not vocabulary.goal(tagged, folder.keywords)]


def overfull_folders(mailbox: Mailbox) -> list[Folder]:
    """Watched folders that show more keywords than their assumed limit, so the limit is too low for this server.
    Dovecot's Maildir is excluded, because it forgets keywords beyond 26 with its index."""
    limit = mailbox.keyword_limit
    if limit is None or mailbox.mode == Mode.DATABASE:
        return []
    return [folder for folder in mailbox.folders if folder.watched and len(folder.keywords) > limit]


def _refused(copy: CopyRow, wished: frozenset[str]) -> tuple[str, ...]:
    """The keywords given up on this copy that still make a difference."""
    differs = wished.symmetric_difference(copy.shown).union(flag.casefold() for flag in message_flags_missing(copy))
    return tuple(name for name in copy.refuses if name in differs)


def _server_copy(
    copy: CopyRow,
    goal: frozenset[str],
    no_room: frozenset[str],
    refused: tuple[str, ...],
    folders: Mapping[int, FolderRow],
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
        moving_to=folders[copy.wanted_folder_id].name if copy.wanted_folder_id else None,
    )
