"""Finds replies: for members what they may see, and for the worker."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import lock_rows
from app.inbox.errors import NotFound
from app.inbox.lists import find
from app.inbox.people.member import Member
from app.inbox.replies.reply import Reply, ReplyState
from app.inbox.replies.upload import Upload


def reply(session: Session, member: Member, reply_id: int, *, lock: bool = False) -> Reply:
    """`lock` holds its conversation, and then the reply, for a verb. Raises NotFound."""
    visible = select(Reply).where(Reply.id == reply_id, Reply.mailbox_id.in_(find.visible_to(member)))
    reply = session.scalar(visible)
    if reply is None:
        raise NotFound
    if lock:
        find.conversation(session, member, reply.conversation_id, lock=True)
        held = visible.with_for_update(of=Reply).execution_options(populate_existing=True)
        reply = session.scalars(held).one()
    return reply


def lock_conversation(session: Session, reply_id: int) -> int:
    """Lock the conversation of a reply; its id. A merge may take the reply elsewhere while we wait."""
    current = select(Reply.conversation_id).where(Reply.id == reply_id)
    locked = None
    while locked != (conversation_id := session.scalars(current).one()):
        lock_rows(session, [conversation_id])
        locked = conversation_id
    return locked


def drafts(session: Session, member: Member, mailbox_id: int | None = None, *, most: int = 200) -> list[Reply]:
    """The team's drafts that a member may see, the newest first. Raises NotFound for a mailbox that they may not."""
    query = select(Reply).where(Reply.state == ReplyState.DRAFT, Reply.mailbox_id.in_(find.visible_to(member)))
    if mailbox_id is not None:
        query = query.where(Reply.mailbox_id == find.mailbox(session, member, mailbox_id).id)
    return list(session.scalars(query.order_by(Reply.saved_at.desc(), Reply.id.desc()).limit(most)))


def own_draft(session: Session, member: Member, conversation_id: int) -> Reply | None:
    """The draft that the member is writing in a conversation: the one saved last."""
    own = select(Reply).where(Reply.conversation_id == conversation_id, Reply.state == ReplyState.DRAFT)
    written = func.coalesce(Reply.writer_id, Reply.author_id) == member.id
    return session.scalar(own.where(written).order_by(Reply.saved_at.desc(), Reply.id.desc()).limit(1))


def by_key(session: Session, conversation: Conversation, member: Member, key: str) -> Reply | None:
    """The reply that the member began here with this key."""
    if not key:
        return None
    known = select(Reply).where(Reply.author_id == member.id, Reply.key == key)
    return session.scalar(known.where(Reply.conversation_id == conversation.id))


def visible_upload(session: Session, member: Member, upload_id: int) -> Upload:
    """A file of the member's own, or of a reply that the member may see. Raises NotFound."""
    seen = select(Reply.id).where(Reply.mailbox_id.in_(find.visible_to(member)))
    visible = or_(Upload.reply_id.in_(seen), (Upload.member_id == member.id) & Upload.reply_id.is_(None))
    kept = session.scalar(select(Upload).where(Upload.id == upload_id, visible))
    if kept is None:
        raise NotFound
    return kept
