"""The rows of one conversation that pages and API read: small frozen dataclasses, filled by `whole_conversation.py`.

A row is named after the class it is read from and has the same attributes, so that rules accept both. Only verbs change
things, and verbs use the ORM.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.inbox.conversations.message import AUTOMATIC_ANSWERS
from app.inbox.history.event import EventRow
from app.inbox.mailboxes.mailbox import Mode
from app.inbox.mailboxes.rows import FolderRow, MailboxRow
from app.inbox.mailboxes.vocabulary import State, Vocabulary
from app.inbox.people.member import MemberRow
from app.inbox.status import Status


@dataclass(frozen=True)
class TagRow:
    name: str
    label: str
    hue: int
    adopted: bool


@dataclass(frozen=True)
class MailboxTagRow(TagRow):
    """A tag beside a conversation. `is_alias`: it is another name of a tag; `carried`: the conversation has it."""

    is_alias: bool
    carried: bool


@dataclass(frozen=True)
class NoteRow:
    id: int
    author_id: int
    author_handle: str
    author_name: str
    text: str
    created_at: dt.datetime
    edited_at: dt.datetime | None


@dataclass(frozen=True)
class ReplyRow:
    """A reply in any state. `writer_name`: the member who is writing it now. `refused`: [[address, the server's words],
    …]. `sent_message_id`: the message that it became."""

    id: int
    state: str
    author_id: int
    author_name: str
    writer_id: int | None
    writer_name: str | None
    to: list[Any]
    cc: list[Any]
    bcc: list[Any]
    text: str
    saved_at: dt.datetime
    due_at: dt.datetime | None
    code: int | None
    error: str | None
    sent_message_id: int | None
    refused: list[Any]


@dataclass(frozen=True)
class AttachmentRow:
    id: int
    message_id: int
    part: str
    filename: str
    type: str
    size: int
    inline: bool


@dataclass(frozen=True)
class MessageRow:
    """A mail with its text. `has_html`: it is shown by its HTML, which is read separately. `tangled`: its HTML takes
    too long to clean."""

    id: int
    message_id: str | None
    direction: str
    from_name: str
    from_address: str
    reply_to: list[Any]
    to: list[Any]
    cc: list[Any]
    subject: str
    preview: str
    date: dt.datetime | None
    received_at: dt.datetime
    machine: str | None
    machine_sign: str
    undelivered: dict[str, Any] | None
    newcomer: bool
    own_address: bool
    authentication: str | None
    unreadable: bool
    seen: bool
    answered: bool
    forwarded: bool
    text: str
    quote_at: int | None
    has_html: bool
    tangled: bool
    has_remote_images: bool
    truncated: bool
    appointments: list[Any]
    attachments: list[AttachmentRow] = field(default_factory=list)

    @property
    def is_automatic_answer(self) -> bool:
        return self.machine in AUTOMATIC_ANSWERS


@dataclass(frozen=True)
class CopyColumns:
    id: int
    message_id: int
    folder_id: int
    uid: int
    keywords: list[str]
    shown: list[str]
    refuses: list[str]
    held: list[str]
    unmatched_since: dt.datetime | None
    wanted_folder_id: int | None


@dataclass(frozen=True)
class CopyRow(CopyColumns):
    """A live copy."""

    message: MessageRow
    folder: FolderRow

    @property
    def live(self) -> bool:
        return True


@dataclass(frozen=True)
class ConversationRow:
    """The columns of a conversation and its owner."""

    id: int
    mailbox_id: int
    number: int
    subject: str
    preview: str
    from_name: str
    from_address: str
    status: str
    snoozed_until: dt.datetime | None
    assignee_id: int | None
    assignee_handle: str | None
    assignee_name: str | None
    assigned_name: str | None
    starred: bool
    message_count: int
    last_at: dt.datetime
    last_machine: str | None
    waiting_since: dt.datetime | None
    has_attachments: bool
    place: str
    revision: int
    mirrored: bool
    frozen: list[str]
    conflict: dict[str, Any] | None
    merged_into_id: int | None


@dataclass(frozen=True)
class WholeConversation(ConversationRow):
    """Everything that an open conversation shows. `messages`: oldest first; `folders`: all of its mailbox, by id;
    `mailbox_tags`: our tags and those it carries, by label."""

    mailbox: MailboxRow
    mailbox_tags: list[MailboxTagRow]
    messages: list[MessageRow]
    copies: list[CopyRow]
    folders: dict[int, FolderRow]
    notes: list[NoteRow]
    events: list[EventRow]
    replies: list[ReplyRow]

    @cached_property
    def tags(self) -> list[TagRow]:
        """The tags it carries, by name."""
        return sorted((tag for tag in self.mailbox_tags if tag.carried), key=lambda tag: tag.name)

    @cached_property
    def assignee(self) -> MemberRow | None:
        if self.assignee_id is None:
            return None
        assert self.assignee_handle is not None
        assert self.assignee_name is not None
        return MemberRow(self.assignee_id, self.assignee_handle, self.assignee_name)

    # The same rules as for a conversation that a verb has locked (registers.py); a test compares them.

    @property
    def owner(self) -> str | None:
        return self.assignee_handle or self.assigned_name

    @property
    def state(self) -> State:
        names = frozenset(tag.name.casefold() for tag in self.tags if tag.adopted)
        return State(self.owner, Status(self.status), self.starred, names)

    @property
    def has_frozen(self) -> bool:
        return bool(self.frozen) and self.mailbox.mode == Mode.KEYWORDS

    def unfrozen(self, vocabulary: Vocabulary) -> Vocabulary:
        return vocabulary.without(self.frozen) if self.has_frozen else vocabulary
