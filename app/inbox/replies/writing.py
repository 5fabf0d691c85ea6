"""Writing: a reply comes to be and is saved while its author writes. Callers hold its conversation.

A draft keeps whatever its author gives, unfinished addresses and all. What can be sent is checked when it is sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.clock import now
from app.db import session_of
from app.inbox.actor import Actor
from app.inbox.arriving.own import own_addresses
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.errors import N_, Invalid, NewerMessages, NotAllowed
from app.inbox.people.address import check_address
from app.inbox.people.member import Member
from app.inbox.permission import Action, require
from app.inbox.replies import upload
from app.inbox.replies.quote import quote_of
from app.inbox.replies.recipients import Person, recipients, sender
from app.inbox.replies.reply import Reply
from app.inbox.replies.rich_text import cleaned, html_of_text, text_of_html
from app.inbox.status import Status
from app.marks import ANSWERS

_LONGEST = 1_000_000
_LONGEST_SUBJECT = 990
_LONGEST_NAME, _LONGEST_ADDRESS = 200, 330
_LONGEST_KEY = 100
_MOST_RECIPIENTS = 100
_LONGEST_WAIT = dt.timedelta(days=366)


@dataclass(frozen=True)
class ReplyContent:
    """What an author gives: `html`, or `text`; `quote`: HTML of what is quoted below. Without `to` the recipients are
    those of the message answered, its sender alone unless `everybody`. None of the others: as it was."""

    text: str = ""
    html: str = ""
    quote: str | None = None
    to: Sequence[Person] | None = None
    cc: Sequence[Person] | None = None
    bcc: Sequence[Person] | None = None
    everybody: bool = False
    subject: str | None = None
    status_after: str | None = None
    files: Sequence[int] | None = None  # ids of uploads


@dataclass(frozen=True)
class SendOrder:
    """How a draft goes out. `undo`: the time in which it can be called back. `at`: a later time that its author chose.
    `last_message_id`: the newest message that the author has seen; None asks for nothing."""

    undo: dt.timedelta
    at: dt.datetime | None = None
    last_message_id: int | None = None


def send_reply(
    conversation: Conversation, written: ReplyContent, order: SendOrder, *, by: Actor, key: str | None = None
) -> Reply:
    """Write a reply and send it, once for each `key` of its author. Raises what `begin_draft` and `send` raise."""
    key = key[:_LONGEST_KEY] if key else None
    if key and by.member and (known := _known(conversation, by.member.id, key)):
        require(by, Action.REPLY, conversation.mailbox)
        if known.conversation_id != conversation.id:
            raise Invalid("key", N_("This key was already used for a reply in another conversation. Use a new one."))
        return known
    reply = begin_draft(conversation, written, by=by)
    reply.key = key
    send(reply, order, by=by)
    return reply


def begin_draft(conversation: Conversation, written: ReplyContent, *, by: Actor) -> Reply:
    """A draft in this conversation. Raises what `proposed` raises, and Invalid for a text that is too long."""
    reply = proposed(conversation, written, by=by)
    session_of(conversation).add(reply)
    assert by.member is not None
    _take(reply, written, by.member)
    session_of(conversation).flush()
    return reply


def proposed(conversation: Conversation, written: ReplyContent, *, by: Actor) -> Reply:
    """An empty reply that is not stored: to the recipients of the newest mail from outside, which it quotes."""
    require(by, Action.REPLY, conversation.mailbox)
    if by.member is None:
        raise NotAllowed(Action.REPLY)
    mailbox, session = conversation.mailbox, session_of(conversation)
    answered = _answered(conversation)
    reply = Reply(
        mailbox=mailbox,
        mailbox_id=mailbox.id,
        conversation=conversation,
        conversation_id=conversation.id,
        author=by.member,
        author_id=by.member.id,
        answered=answered,
        answered_id=answered.id if answered else None,
        seen_message_id=max((message.id for message in conversation.messages), default=0),
        sender=sender(answered, mailbox.address, mailbox.other_addresses),
        subject=_answer_subject(answered.subject if answered else conversation.subject),
        to=[],
        cc=[],
        bcc=[],
        text="",
        html="",
        quote=quote_of(answered) if answered is not None and answered.direction == "in" else "",
    )
    if written.to is None and answered is not None:
        chosen = recipients(answered, own_addresses(session, mailbox), everybody=written.everybody)
        reply.to, reply.cc = chosen.to, chosen.cc
    return reply


def save_draft(reply: Reply, written: ReplyContent, *, revision: int, by: Actor, take_over: bool = False) -> None:
    """Raises what `Reply.write` raises, and Invalid for a text that is too long."""
    reply.write(revision=revision, by=by, take_over=take_over)
    assert by.member is not None
    _take(reply, written, by.member)


def send(reply: Reply, order: SendOrder, *, by: Actor) -> None:
    """Let a draft go out. Raises Invalid for what cannot be sent, and NewerMessages when messages came that its author
    has not seen."""
    _check_content(reply)
    seen_id = order.last_message_id if order.last_message_id is not None else None
    if seen_id is not None and (newer := newer_messages(reply.conversation, seen_id, reply.author_id)):
        raise NewerMessages(newer)
    reply.seen_message_id = max((message.id for message in reply.conversation.messages), default=0)
    at = _checked_time(order.at)
    reply.send(at or now() + order.undo, by=by, later=at is not None)


def newer_messages(conversation: Conversation, seen_id: int, author_id: int) -> list[int]:
    """The messages that came after the author last looked, without those that the author sent, oldest first."""
    newer = [message.id for message in conversation.messages if message.id > seen_id]
    if not newer:
        return []
    own = select(Reply.sent_message_id).where(Reply.sent_message_id.in_(newer), Reply.author_id == author_id)
    sent = set(session_of(conversation).scalars(own))
    return [id_ for id_ in newer if id_ not in sent]


def _known(conversation: Conversation, author_id: int, key: str) -> Reply | None:
    return session_of(conversation).scalar(select(Reply).filter_by(author_id=author_id, key=key))


def _answered(conversation: Conversation) -> Message | None:
    """The newest mail from outside; without one, our own newest."""
    people = [message for message in conversation.messages if not message.is_automatic_answer]
    inbound = [message for message in people if message.direction == "in"]
    return (inbound or people)[-1] if people else None


def _take(reply: Reply, written: ReplyContent, member: Member) -> None:
    """The content as the author gave it."""
    reply.text, reply.html = _body(written)
    for field in ("to", "cc", "bcc"):
        people = getattr(written, field)
        if people is not None:
            setattr(reply, field, [_pair(person) for person in people[: 2 * _MOST_RECIPIENTS]])
    if written.quote is not None:
        reply.quote = cleaned(written.quote[:_LONGEST])
    if written.subject is not None:
        reply.subject = " ".join(written.subject.split())[:_LONGEST_SUBJECT]
    reply.status_after = _checked_status(written.status_after)
    if written.files is not None:
        session = session_of(reply)
        session.flush()
        upload.attach(session, reply.id, member, written.files)


def _body(written: ReplyContent) -> tuple[str, str]:
    if max(len(written.text), len(written.html), len(written.quote or "")) > _LONGEST:
        raise Invalid("text", N_("A reply can have at most 1,000,000 characters."))
    if written.html.strip():
        html = cleaned(written.html)
        return text_of_html(html), html
    text = written.text.replace("\0", "").replace("\r\n", "\n").rstrip("\n") + "\n"
    return (text, html_of_text(text)) if text.strip() else ("", "")


def _pair(person: Person) -> list[str]:
    name, address = person
    return [" ".join(name.split())[:_LONGEST_NAME], address.strip()[:_LONGEST_ADDRESS]]


def _check_content(reply: Reply) -> None:
    if not reply.text.strip() and "<img" not in reply.html and not upload.files_of(session_of(reply), reply.id):
        raise Invalid("text", N_("Write something first: the reply is empty."))
    for field in ("to", "cc", "bcc"):
        for _, address in getattr(reply, field):
            check_address(address, field)
    count = len(reply.addresses)
    if not count:
        raise Invalid("to", N_("Enter at least one recipient."))
    if count > _MOST_RECIPIENTS:
        raise Invalid("to", N_("A reply can have at most %(most)d recipients."), most=_MOST_RECIPIENTS)


def _answer_subject(subject: str) -> str:
    subject = " ".join(subject.split())
    mark, colon, _ = subject.partition(":")
    return (subject if colon and mark.strip().lower() in ANSWERS else f"Re: {subject}".strip())[:_LONGEST_SUBJECT]


def _checked_status(value: str | None) -> str | None:
    if value is None or (value in set(Status) and value != Status.SNOOZED):
        return value
    raise Invalid("status_after", N_("“%(value)s” is not one of the choices."), value=value)


def _checked_time(at: dt.datetime | None) -> dt.datetime | None:
    if at is None:
        return None
    if at <= now():
        raise Invalid("send_at", N_("The time to send it is in the past. Choose a later time."))
    if at - now() > _LONGEST_WAIT:
        raise Invalid("send_at", N_("The time to send it is more than a year away. Choose an earlier time."))
    return at
