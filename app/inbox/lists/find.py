"""Find one thing through what a member may see. What they may not see does not exist for them: NotFound."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import for_verbs, locked
from app.inbox.conversations.message import Attachment, Message
from app.inbox.errors import NotFound
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Grant, Member

T = TypeVar("T")


def visible_to(member: Member) -> Select[int]:
    """The ids of the mailboxes a member may see: behind lists, search, counts, live updates, export and API."""
    return select(Grant.mailbox_id).where(Grant.member_id == member.id)


#: The same in a statement, of the member whose id is its value `member_id`.
VISIBLE = '(SELECT mailbox_id FROM "grant" WHERE member_id = %(member_id)s)'


def seen_by(member: Member) -> list[int]:
    """The same ids, of a member whose roles are read already."""
    return [grant.mailbox_id for grant in member.grants]


def mailboxes(session: Session, member: Member) -> list[Mailbox]:
    return list(session.scalars(select(Mailbox).where(Mailbox.id.in_(visible_to(member))).order_by(Mailbox.name)))


def mailbox(session: Session, member: Member, mailbox_id: int) -> Mailbox:
    if mailbox_id not in seen_by(member):
        raise NotFound
    return session.get_one(Mailbox, mailbox_id)


def conversation(session: Session, member: Member, conversation_id: int, *, lock: bool = False) -> Conversation:
    """One that was merged, while we waited for it too, leads to where its messages are. `lock` holds it for a verb."""
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
    """Both held for a verb, in the order that keeps two who hold the same two from waiting for each other. Where both
    lead to one, it is that twice. When one was merged while we waited, they are let go, as in `_held`, and found anew.
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
    """With its conversation held for a verb. The previous holder of the lock may have split it off, so read it
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
    """With their roles: one more query for all of them."""
    return select(Member).options(selectinload(Member.grants))


def member_by_handle(session: Session, handle: str) -> Member | None:
    return session.scalar(select(Member).where(Member.handle == handle))


def _locked(session: Session, query: Select[Conversation]) -> Conversation | None:
    """Held for a verb: at once, if nobody else holds it. Else it may be merged while we wait, and Postgres would keep
    the lock on it: then it is let go, for whoever holds what it was merged into may want it."""
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
