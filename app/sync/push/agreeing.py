"""Agreeing: once every copy is at its goal, both sides hold the value that was pushed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import goals, without_room, writes_nothing
from app.inbox.mailboxes.vocabulary import Vocabulary
from app.sync.push.planning import Plan, message_flags_to_add, with_copies


def agree(session: Session, plan: Plan, vocabulary: Vocabulary) -> None:
    """Record the pushed value as agreed if every copy is at its goal. Changes made in the meantime are pushed next."""
    for conversation, copies in with_copies(session, select(Conversation).where(Conversation.id.in_(plan.pushed))):
        pushed = plan.pushed[conversation.id]
        own = conversation.unfrozen(vocabulary)
        _note_room(conversation, copies, own)
        goal_names = goals(copies, pushed, own, mirrored=conversation.mirrored)
        if not all(_at_goal(copy, goal_names[copy.id]) for copy in copies):
            continue
        if conversation.mirrored:
            conversation.agree(pushed)
        if conversation.state == pushed and not any(message_flags_to_add(c) for c in copies if _writable(c)):
            conversation.pushed()
            conversation.changed()


def _note_room(conversation: Conversation, copies: Sequence[Copy], vocabulary: Vocabulary) -> None:
    """Keywords without room are dropped from the goal, so that push does not repeat them. Health counts them."""
    without = without_room(copies, conversation.state, vocabulary, mirrored=conversation.mirrored)
    conversation.note_lack_of_room(any(without.values()))


def _at_goal(copy: Copy, goal: frozenset[str]) -> bool:
    if writes_nothing(copy):
        return True
    # `pushing` is empty after a move, until a pull has seen the keywords that came along.
    return not copy.pushing and frozenset(copy.shown) == goal and not copy.is_to_move


def _writable(copy: Copy) -> bool:
    return not writes_nothing(copy)
