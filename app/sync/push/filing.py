"""The copies of our replies in Sent: found there, where the server files them itself, or put there."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.replies.find_reply import lock_conversation
from app.inbox.replies.reply import Filing, Reply, ReplyState
from app.mail.addresses import Address
from app.mail.compose.message import with_bcc
from app.mail.errors import FolderGone, Refused
from app.sync.link import Link

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _SentMail:
    reply_id: int
    folder: str
    message_id: str
    raw: bytes
    sent_at: dt.datetime | None
    keywords: list[str]


def file_sent(link: Link) -> bool:
    """File every sent reply that has no copy in Sent yet. Whether something was put there. An error here never sends
    a mail again: the next round looks once more before it files."""
    _note_found(link.mailbox_id)
    appended = False
    mail = _next(link.mailbox_id, 0)
    while mail is not None:
        try:
            link.imap.select(mail.folder)
            if not link.imap.has_message(mail.message_id):
                link.imap.append(mail.folder, mail.raw, ["\\Seen", *mail.keywords], mail.sent_at)
                appended = True
            _note_filed(link, mail.reply_id)
        except (FolderGone, Refused) as error:  # the others may fit
            link.note_refusal(error)
            log.warning("mailbox %s: reply %s could not be filed: %s", link.mailbox_id, mail.reply_id, error)
        mail = _next(link.mailbox_id, mail.reply_id)
    return appended


def _next(mailbox_id: int, after: int) -> _SentMail | None:
    """The next reply to file, one at a time: each may be as large as a mail can be."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        folder = mailbox.folder("sent")
        waiting = select(Reply).where(Reply.mailbox_id == mailbox_id, Reply.filing == Filing.WAITING, Reply.id > after)
        reply = session.scalar(waiting.order_by(Reply.id).limit(1)) if folder is not None else None
        if folder is None or reply is None or reply.raw is None or reply.message_id is None:
            return None
        conversation = session.get_one(Conversation, reply.conversation_id)
        writes = conversation.mirrored and mailbox.mode == Mode.KEYWORDS
        vocabulary = vocabulary_of(session, mailbox)
        names = vocabulary.goal(conversation.state, folder.keywords) if writes else frozenset()
        raw = with_bcc(reply.raw, [Address(name, address) for name, address in reply.bcc])
        return _SentMail(reply.id, folder.name, reply.message_id, raw, reply.sent_at, sorted(names))


def _note_found(mailbox_id: int) -> None:
    """A reply that may have been sent was sent if the server filed it: its copy has been read from Sent.

    With a message of its own, an earlier try has reached some recipients: the copy says nothing about the others."""
    in_doubt = select(Reply.id).where(
        Reply.mailbox_id == mailbox_id, Reply.state == ReplyState.UNKNOWN, Reply.sent_message_id.is_(None)
    )
    with transaction() as session:
        reply_ids = list(session.scalars(in_doubt))
    for reply_id in reply_ids:
        with transaction() as session:
            reply = _locked(session, reply_id)
            if reply.state == ReplyState.UNKNOWN and (message_id := _in_sent(session, reply)) is not None:
                reply.note_found(message_id)


def _in_sent(session: Session, reply: Reply) -> int | None:
    """The message of its conversation that is this reply, if a copy lies in Sent."""
    same = Message.conversation_id == reply.conversation_id, Message.message_id == reply.message_id
    there = Folder.role == "sent", Copy.gone_at.is_(None)
    return session.scalar(select(Message.id).join(Copy).join(Copy.folder).where(*same, *there).limit(1))


def _note_filed(link: Link, reply_id: int) -> None:
    with transaction() as session:
        link.check()
        _locked(session, reply_id).filing = Filing.DONE


def _locked(session: Session, reply_id: int) -> Reply:
    """The reply, its conversation first."""
    lock_conversation(session, reply_id)
    return session.get_one(Reply, reply_id, with_for_update={"of": Reply}, populate_existing=True)
