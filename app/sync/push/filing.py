"""The copies of our replies in Sent: found there, where the server files them itself, or put there."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import lock_rows
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.replies.reply import Filing, Reply
from app.mail.addresses import Address
from app.mail.compose.message import with_bcc
from app.mail.errors import FolderGone, OverQuota, Refused
from app.sync.link import Link

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _SentMail:
    reply_id: int
    message_id: str
    raw: bytes
    sent_at: dt.datetime | None
    keywords: list[str]


def file_sent(link: Link) -> bool:
    """File every sent reply that has no copy in Sent yet. Whether something was put there. An error here never sends
    a mail again: the next round looks once more before it files."""
    folder, waiting = _waiting(link.mailbox_id)
    if not waiting or folder is None:
        return False
    appended = False
    try:
        link.imap.select(folder)
        for mail in waiting:
            if not link.imap.has_message(mail.message_id):
                link.imap.append(folder, mail.raw, ["\\Seen", *mail.keywords], mail.sent_at)
                appended = True
            _note_filed(link, mail.reply_id)
    except (FolderGone, OverQuota, Refused) as error:
        link.note_refusal(error)
        log.warning("mailbox %s: a reply could not be filed: %s", link.mailbox_id, error)
    return appended


def _waiting(mailbox_id: int) -> tuple[str | None, list[_SentMail]]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        folder = mailbox.folder("sent")
        wanted = select(Reply).where(Reply.mailbox_id == mailbox_id, Reply.filing == Filing.WAITING).order_by(Reply.id)
        replies = list(session.scalars(wanted)) if folder is not None else []
        if folder is None or not replies:
            return None, []
        vocabulary = vocabulary_of(session, mailbox)
        mails = []
        for reply in replies:
            assert reply.message_id is not None
            assert reply.raw is not None
            conversation = session.get_one(Conversation, reply.conversation_id)
            writes = conversation.mirrored and mailbox.mode == Mode.KEYWORDS
            names = vocabulary.goal(conversation.state, folder.keywords) if writes else frozenset()
            raw = with_bcc(reply.raw, [Address(name, address) for name, address in reply.bcc])
            mails.append(_SentMail(reply.id, reply.message_id, raw, reply.sent_at, sorted(names)))
        return folder.name, mails


def _note_filed(link: Link, reply_id: int) -> None:
    with transaction() as session:
        link.check()
        conversation_id = session.scalar(select(Reply.conversation_id).where(Reply.id == reply_id))
        lock_rows(session, [conversation_id] if conversation_id else [])
        reply = session.get(Reply, reply_id)
        if reply is not None:
            reply.filing = Filing.DONE
