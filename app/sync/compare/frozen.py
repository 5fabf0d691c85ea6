"""Frozen registers: after a time in mode `database` a mailbox returns to keywords, and both sides may differ.

A register that differs is neither read from copies nor written to them until a person has chosen a side
(`Registers.frozen`). A register is unfrozen automatically once both sides agree, when the conversation is pushed next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import goals
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary
from app.sync.compare.drift import NAMED, differences, register_of


def thaw(
    conversation: Conversation, copies: Sequence[Copy], vocabulary: Vocabulary, *, chosen: Collection[str] = ()
) -> None:
    """Unfreeze registers on which both sides agree, and those in `chosen`. Their present keywords become the baseline;
    copies without keywords get ours."""

    def thaws(register: str) -> bool:
        return register != STAR and register not in left and conversation.is_frozen(register)

    apart = _apart(conversation, copies, vocabulary).difference(chosen)
    left = {register for register in apart if conversation.is_frozen(register)}
    tags = conversation.state.tags | conversation.agreed.tags
    for copy in copies:
        kept = [name for name in copy.shown if not thaws(vocabulary.register_of(name))]
        copy.take_as_shown(
            {*kept, *(name for name in vocabulary.ours(copy.keywords) if thaws(vocabulary.register_of(name)))}
        )
    conversation.agree_on({one for one in ("owner", "status", *(f"tag {tag}" for tag in tags)) if thaws(one)})
    conversation.frozen = sorted(left)
    conversation.want_push()


def _apart(conversation: Conversation, copies: Sequence[Copy], vocabulary: Vocabulary) -> set[str]:
    """The registers in which the copies' keywords differ from our value."""
    goal_names = goals(copies, conversation.state, vocabulary, mirrored=conversation.mirrored)
    return {
        register_of(what, server, ours, vocabulary)
        for copy in copies
        if copy.unmatched_since is None
        for what, server, ours in differences(
            conversation, copy, copies, goal_names[copy.id], copy.keywords, vocabulary
        )
        if what in NAMED
    }
