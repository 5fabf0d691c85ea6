"""Junk: mail in the Junk folder is spam. A move into or out of it counts as an act, whether by a person in a client or
by the client's filter."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.inbox.actor import Actor
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.status import Status
from app.sync.meaning.kin import away, came_beside_just_now


def status_of_place(copy: Copy | None) -> Status:
    """Mail in Junk is spam, whoever moved it there, with or without the keyword."""
    return Status.SPAM if copy is not None and copy.folder.role == "junk" else Status.OPEN


def follow_junk(conversation: Conversation, went: Copy, copy: Copy, kin: Sequence[Copy], *, by: Actor) -> None:
    """A move into Junk sets spam; a move out of it clears spam. A mail that is also elsewhere was copied into Junk; one
    that is still in Junk was copied out of it."""
    if copy.message.direction != "in":
        return
    stays = {k.folder.role for k in kin if not away(k)}
    into = copy.folder.role == "junk" and went.folder.role != "junk" and not stays
    out_of = went.folder.role == "junk" and copy.folder.role not in ("junk", "trash") and "junk" not in stays
    if into and conversation.status != Status.SPAM:
        copy.remember_origin(went.folder_id)
        conversation.mark_spam(by=by)
    elif out_of and conversation.status == Status.SPAM:
        conversation.reopen(by=by)


def follow_into_junk(session: Session, left: Sequence[Copy], pulls: int, *, by: Actor) -> None:
    """Detect a move into Junk that happened while we looked at the folders. First we see the copy in Junk beside the
    other. Later we see that the other has `left`. If both existed for longer, the mail was copied, not moved."""
    there = session.scalars(
        select(Copy)
        .options(joinedload(Copy.message), joinedload(Copy.folder))
        .where(Copy.message_id.in_([copy.message_id for copy in left]), Copy.gone_at.is_(None))
    ).all()
    for one in left:
        beside = [copy for copy in there if copy.message_id == one.message_id and copy is not one]
        in_junk = next((copy for copy in beside if copy.folder.role == "junk"), None)
        if in_junk is not None and came_beside_just_now(in_junk, pulls) and one.moving_folder_id is None:
            others = [copy for copy in beside if copy is not in_junk]
            follow_junk(one.message.conversation, one, in_junk, others, by=by)
