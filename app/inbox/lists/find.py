"""Finds one thing that a member may see. Anything else raises NotFound, as if it did not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from app.db import rows
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import for_verbs, locked
from app.inbox.conversations.message import Attachment, Message
from app.inbox.errors import NotFound
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.rows import MailboxRow, read_mailbox
from app.inbox.people.member import Grant, Member

T = TypeVar("T")


def visible_to(member: Member) -> Select[int]:
    """The ids of the mailboxes a member may see, for lists, search, counts, live updates, export and API."""
    return select(Grant.mailbox_id).where(Grant.member_id == member.id)


#: The same inside a statement, for the member with the id `member_id`.
VISIBLE = '(SELECT mailbox_id FROM "grant" WHERE member_id = %(member_id)s)'
_MAILBOX_NAMES = f"SELECT id, name, address FROM mailbox WHERE id IN {VISIBLE} ORDER BY name"  # noqa: S608  words of ours


@dataclass(frozen=True)
class MailboxName:
    id: int
    name: str
    address: str


def seen_by(member: Member) -> list[int]:
    """The same ids, for a member whose roles are already loaded."""
    return [grant.mailbox_id for grant in member.grants]


def mailboxes(session: Session, member: Member) -> list[Mailbox]:
    return list(session.scalars(select(Mailbox).where(Mailbox.id.in_(visible_to(member))).order_by(Mailbox.name)))


def mailbox_names(session: Session, member: Member) -> list[MailboxName]:
    """The mailboxes a member may see, by name."""
    return rows(session, _MAILBOX_NAMES, MailboxName, member_id=member.id)


def mailbox(session: Session, member: Member, mailbox_id: int) -> Mailbox:
    if mailbox_id not in seen_by(member):
        raise NotFound
    return session.get_one(Mailbox, mailbox_id)


def mailbox_to_read(session: Session, member: Member, mailbox_id: int) -> MailboxRow:
    """For a page: the parts of a mailbox and its folders that it shows. Raises NotFound."""
    if mailbox_id not in seen_by(member):
        raise NotFound
    return read_mailbox(session, mailbox_id)


def conversation(session: Session, member: Member, conversation_id: int, *, lock: bool = False) -> Conversation:
    """Find a conversation. If it was merged, even while we waited, this returns the one that has its messages. `lock`
    locks it for a verb."""
    wanted = _visible(member, Conversation).where(Conversation.id == conversation_id)
    wanted = wanted.where(Conversation.merged_into_id.is_(None))
    found = _locked(session, wanted) if lock else session.scalar(wanted)
    if found is not None:
        return found
    merged_into = _visible(member, Conversation.merged_into_id).where(Conversation.id == conversation_id)
    target = session.scalar(merged_into)
    if target is None:
        raise NotFound
    return conversation(session, member, target, lock=lock)


def two_conversations(
    session: Session, member: Member, first_id: int, second_id: int
) -> tuple[Conversation, Conversation]:
    """Both locked for a verb, in an order that prevents deadlocks. If both lead to the same conversation, it is
    returned twice. If one was merged while we waited, the locks are released, as in `_locked`, and both are found
    again.
    """
    while True:
        pair = [conversation(session, member, id_).id for id_ in (first_id, second_id)]
        waiting = session.begin_nested()
        held = {c.id: c for c in locked(session, pair)}
        if all(c.merged_into_id is None for c in held.values()):
            waiting.commit()
            return held[pair[0]], held[pair[1]]
        waiting.rollback()


def message(session: Session, member: Member, message_id: int) -> Message:
    visible = session.scalar(
        select(Message).where(Message.id == message_id, Message.mailbox_id.in_(visible_to(member)))
    )
    if visible is None:
        raise NotFound
    return visible


def message_to_split(session: Session, member: Member, message_id: int) -> Message:
    """With its conversation locked for a verb. The previous holder of the lock may have split it off, so read it
    again."""
    found = message(session, member, message_id)
    locked_conversation = None
    while locked_conversation is None or locked_conversation.id != found.conversation_id:
        locked_conversation = conversation(session, member, found.conversation_id, lock=True)
        session.refresh(found)
    return found


def attachment(session: Session, member: Member, attachment_id: int) -> Attachment:
    attached = session.scalar(
        select(Attachment)
        .join(Message)
        .where(Attachment.id == attachment_id, Message.mailbox_id.in_(visible_to(member)))
    )
    if attached is None:
        raise NotFound
    return attached


def everybody() -> Select[Member]:
    """With their roles, in one more query for all of them."""
    return select(Member).options(selectinload(Member.grants))


def member_by_handle(session: Session, handle: str) -> Member | None:
    return session.scalar(select(Member).where(Member.handle == handle))


def _locked(session: Session, query: Select[Conversation]) -> Conversation | None:
    """Lock it for a verb, at once if nobody else has the lock. If it was merged while we waited, Postgres would keep
    the lock on it. We release it, because the holder of the merge target may want it."""
    conversation = session.scalar(for_verbs(query, skip_locked=True))
    if conversation is None:
        waiting = session.begin_nested()
        conversation = session.scalar(for_verbs(query))
        if conversation is None:
            waiting.rollback()
        else:
            waiting.commit()
    return conversation


def _visible(member: Member, what: type[T] | InstrumentedAttribute[T]) -> Select[T]:
    """Conversations, or a column of them."""
    return select(what).where(Conversation.mailbox_id.in_(visible_to(member)))
