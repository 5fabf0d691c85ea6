"""Reads one conversation for pages and API: a fixed number of plain statements, each into one kind of row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.clock import now
from app.db import first_row, rows
from app.inbox.conversations.rows import (
    AttachmentRow,
    ConversationRow,
    CopyColumns,
    CopyRow,
    MailboxTagRow,
    MessageRow,
    NoteRow,
    ReplyRow,
    WholeConversation,
)
from app.inbox.errors import NotFound
from app.inbox.lists.find import VISIBLE
from app.inbox.lists.history import of_conversation
from app.inbox.mailboxes.rows import FolderRow, read_mailbox
from app.inbox.people.member import Member

_CONVERSATION = f"""
    SELECT c.id, c.mailbox_id, c.number, c.subject, c.preview, c.from_name, c.from_address, c.status, c.snoozed_until,
      c.assignee_id, m.handle AS assignee_handle, m.name AS assignee_name, c.assigned_name, c.starred, c.message_count,
      c.last_at, c.last_machine, c.waiting_since, c.has_attachments, c.place, c.revision, c.mirrored, c.frozen,
      c.conflict, c.merged_into_id
    FROM conversation AS c LEFT JOIN member AS m ON m.id = c.assignee_id
    WHERE c.id = %(id)s AND c.mailbox_id IN {VISIBLE}
"""  # noqa: S608  words of ours

_TAGS = """
    SELECT t.name, t.label, t.hue, t.adopted, t.alias_of_id IS NOT NULL AS is_alias,
      ct.tag_id IS NOT NULL AS carried
    FROM tag AS t LEFT JOIN conversation_tag AS ct ON ct.tag_id = t.id AND ct.conversation_id = %(id)s
    WHERE t.mailbox_id = %(mailbox_id)s AND (t.adopted OR ct.tag_id IS NOT NULL) ORDER BY t.label
"""

_MESSAGES = """
    SELECT m.id, m.message_id, m.direction, m.from_name, m.from_address, m.reply_to, m."to", m.cc, m.subject, m.preview,
      m.date, m.received_at, m.machine, m.machine_sign, m.undelivered - 'subject' AS undelivered, m.newcomer,
      m.own_address, m.authentication, m.unreadable, m.seen, m.answered, m.forwarded,
      coalesce(b.text, '') AS text, b.quote_at,
      coalesce(b.html_form = 'shown' AND b.html IS NOT NULL, false) AS has_html,
      coalesce(b.html_form = 'tangled', false) AS tangled,
      coalesce(b.has_remote_images, false) AS has_remote_images, coalesce(b.truncated, false) AS truncated,
      coalesce(b.appointments, '[]') AS appointments
    FROM message AS m LEFT JOIN body AS b ON b.message_id = m.id
    WHERE m.conversation_id = %(id)s ORDER BY m.received_at DESC, m.id DESC LIMIT %(newest)s
"""

_ATTACHMENTS = """
    SELECT id, message_id, part, filename, type, size, inline
    FROM attachment WHERE message_id = ANY(%(ids)s) ORDER BY id
"""

_COPIES = """
    SELECT id, message_id, folder_id, uid, keywords, shown, refuses, held, unmatched_since, wanted_folder_id
    FROM copy WHERE message_id = ANY(%(ids)s) AND gone_at IS NULL ORDER BY id
"""

_NOTES = """
    SELECT n.id, n.author_id, m.handle AS author_handle, m.name AS author_name, n.text, n.created_at, n.edited_at
    FROM note AS n JOIN member AS m ON m.id = n.author_id
    WHERE n.conversation_id = %(id)s ORDER BY n.id
"""

_REPLIES = """
    SELECT r.id, r.state, r.author_id, a.name AS author_name, w.id AS writer_id, w.name AS writer_name, r."to", r.cc,
      r.bcc, left(r.text, 20000) AS text, r.saved_at, r.due_at, r.code, r.error, r.sent_message_id,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(address, words) ORDER BY position), '[]')
       FROM reply_recipient WHERE reply_id = r.id AND reply_recipient.state = 'refused') AS refused
    FROM reply AS r JOIN member AS a ON a.id = r.author_id
      LEFT JOIN member AS w ON w.id = r.writer_id AND r.writer_until > %(now)s
    WHERE r.conversation_id = %(id)s ORDER BY r.id
"""

_HTML = "SELECT message_id, html FROM body WHERE message_id = ANY(%(ids)s)"


@dataclass(frozen=True)
class _Html:
    message_id: int
    html: str


def whole_conversation(
    session: Session, member: Member, conversation_id: int, *, newest: int | None = None
) -> WholeConversation:
    """Includes its mailbox, messages, copies, notes and history; `newest`: maximum number of messages. If it was
    merged, this returns the one that has its messages. Raises NotFound."""
    row = _conversation(session, member, conversation_id)
    messages = _messages(session, row.id, newest)
    copies = rows(session, _COPIES, CopyColumns, ids=[message.id for message in messages])
    # Read after the copies, because the worker may add a folder, and a mail in it, in the meantime.
    mailbox = read_mailbox(session, row.mailbox_id)
    folders = {folder.id: folder for folder in mailbox.folders}
    return WholeConversation(
        **vars(row),
        mailbox=mailbox,
        mailbox_tags=rows(session, _TAGS, MailboxTagRow, id=row.id, mailbox_id=row.mailbox_id),
        messages=messages,
        copies=_placed(copies, messages, folders),
        folders=folders,
        notes=rows(session, _NOTES, NoteRow, id=row.id),
        events=of_conversation(session, row.id),
        replies=rows(session, _REPLIES, ReplyRow, id=row.id, now=now()),
    )


def html_of(session: Session, messages: Iterable[MessageRow]) -> dict[int, str]:
    """The safe HTML of the messages that are shown by it, by id. It may be long, so pages leave it to its frame."""
    ids = [message.id for message in messages if message.has_html]
    return {one.message_id: one.html for one in rows(session, _HTML, _Html, ids=ids)}


def _conversation(session: Session, member: Member, conversation_id: int) -> ConversationRow:
    row = first_row(session, _CONVERSATION, ConversationRow, id=conversation_id, member_id=member.id)
    if row is None:
        raise NotFound
    return row if row.merged_into_id is None else _conversation(session, member, row.merged_into_id)


def _messages(session: Session, conversation_id: int, newest: int | None) -> list[MessageRow]:
    messages = rows(session, _MESSAGES, MessageRow, id=conversation_id, newest=newest)
    attachments: dict[int, list[AttachmentRow]] = {message.id: [] for message in messages}
    for one in rows(session, _ATTACHMENTS, AttachmentRow, ids=list(attachments)):
        attachments[one.message_id].append(one)
    return [replace(message, attachments=attachments[message.id]) for message in reversed(messages)]


def _placed(
    copies: Sequence[CopyColumns], messages: Sequence[MessageRow], folders: dict[int, FolderRow]
) -> list[CopyRow]:
    by_id = {message.id: message for message in messages}
    return [CopyRow(**vars(one), message=by_id[one.message_id], folder=folders[one.folder_id]) for one in copies]
