"""Frozen: after a time in mode `database` a mailbox keeps its state on the server again, and both sides may differ.

Of what differs nothing is read from copies and nothing written to them before a person has chosen a side, register by
register (`Registers.frozen`). What does not differ, or no more, thaws by itself when the conversation is pushed next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import goals
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary
from app.sync.compare.drift import NAMED, differences, register_of


def thaw(
    conversation: Conversation, copies: Sequence[Copy], words: Vocabulary, *, chosen: Collection[str] = ()
) -> None:
    """What both hold alike goes on as ever, and so do the registers `chosen`: what is seen of them counts as shown, and
    copies that say nothing yet are written."""

    def thaws(register: str) -> bool:
        return register != STAR and register not in left and conversation.is_frozen(register)

    apart = _apart(conversation, copies, words).difference(chosen)
    left = {register for register in apart if conversation.is_frozen(register)}
    tags = conversation.state.tags | conversation.agreed.tags
    for copy in copies:
        kept = [name for name in copy.shown if not thaws(words.register_of(name))]
        copy.take_as_shown({*kept, *(name for name in words.ours(copy.keywords) if thaws(words.register_of(name)))})
    conversation.agree_on({one for one in ("owner", "status", *(f"tag {tag}" for tag in tags)) if thaws(one)})
    conversation.frozen = sorted(left)
    conversation.want_push()


def _apart(conversation: Conversation, copies: Sequence[Copy], words: Vocabulary) -> set[str]:
    """The registers whose keywords on copies differ from our value."""
    goal_names = goals(copies, conversation.state, words, mirrored=conversation.mirrored)
    return {
        register_of(what, server, ours, words)
        for copy in copies
        if copy.unmatched_since is None
        for what, server, ours in differences(conversation, copy, copies, goal_names[copy.id], copy.keywords, words)
        if what in NAMED
    }
