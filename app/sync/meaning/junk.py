"""Junk: what lies there is spam. A client's move into or out of it is an act, and so is its filter's."""

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
    """What lies in Junk is spam, whoever put it there and whether or not it has the keyword."""
    return Status.SPAM if copy is not None and copy.folder.role == "junk" else Status.OPEN


def follow_junk(conversation: Conversation, went: Copy, copy: Copy, kin: Sequence[Copy], *, by: Actor) -> None:
    """A move into Junk sets spam, one out of it clears it. A mail that still lies elsewhere was copied into Junk, one
    that still lies in Junk was copied out of it."""
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
    """A move is seen in two steps if it happens while we look: first the copy in Junk beside the other, then that the
    other `left`. One that has been beside it for longer was copied, and this is no move."""
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
