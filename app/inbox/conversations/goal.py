"""Goal: the keywords that each copy of a conversation should show. Push writes towards it; pages show pending changes
with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.rows import CopyRow
from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary

#: Only the newest copies of a long conversation carry its keywords; older copies lose them.
NEWEST = 50
#: Flags that belong to the message: its attribute -> the server's spelling.
MESSAGE_FLAGS = (("seen", "\\Seen"), ("answered", "\\Answered"), ("forwarded", "$Forwarded"))
#: After this many rejections in a row, the keywords are given up on the copy and shown in health. They are tried again
#: after a reset or on request. The same limit applies to a move, which the history records.
REFUSALS = 3
AnyCopy = TypeVar("AnyCopy", bound=Copy | CopyRow)


def goals(
    copies: Iterable[Copy | CopyRow], state: State, vocabulary: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """Copy id -> keywords it should show, for live copies. A copy that cannot be written should show what it shows."""
    live = [copy for copy in copies if copy.live]
    wishes_by_copy = wishes(live, state, vocabulary, mirrored=mirrored)
    return {copy.id: _that_can_be(copy, wishes_by_copy[copy.id], vocabulary) for copy in live}


def wishes(
    copies: Iterable[Copy | CopyRow], state: State, vocabulary: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """The same, as if the server rejected nothing and nothing waited for a person."""
    live = [copy for copy in copies if copy.live]
    named = {copy.id for copy in carrying(live)}
    names = {}
    for copy in live:
        if not mirrored or writes_nothing(copy):
            names[copy.id] = frozenset(copy.shown)
        elif copy.id in named:
            names[copy.id] = vocabulary.goal(state, copy.folder.keywords)
        else:
            names[copy.id] = frozenset({STAR} if state.star else ())
    return names


def without_room(
    copies: Iterable[Copy | CopyRow], state: State, vocabulary: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """Copy id -> keywords that it should show if its folder could hold any number of them."""
    live = [copy for copy in copies if copy.live]
    goal_names = goals(live, state, vocabulary, mirrored=mirrored)
    if vocabulary.limit is None:
        return dict.fromkeys(goal_names, frozenset())
    endless = goals(live, state, replace(vocabulary, limit=None), mirrored=mirrored)
    return {id_: endless[id_] - goal_names[id_] for id_ in goal_names}


def carrying(copies: Iterable[AnyCopy]) -> list[AnyCopy]:
    """The live copies of a conversation that carry its keywords: the newest."""
    live = (copy for copy in copies if copy.live)
    return sorted(live, key=lambda c: (c.message.received_at, c.id), reverse=True)[:NEWEST]


def says(state: State, name: str, vocabulary: Vocabulary) -> bool:
    """Whether the meaning of the keyword agrees with the state."""
    if name == STAR:
        return state.star
    if (owner := vocabulary.owner_of(name)) is not None:
        return owner == state.owner
    if (status := vocabulary.status_of(name)) is not None:
        return status == state.status
    return vocabulary.tag_of(name) in state.tags


def still_held(copy: Copy, goal: frozenset[str], state: State, vocabulary: Vocabulary) -> list[str]:
    """The held keywords that are still wanted and not replaced by another."""
    others = goal.difference(copy.held, copy.refuses)
    return [
        name
        for name in copy.held
        if says(state, name, vocabulary) and not vocabulary.only(vocabulary.register_of(name), others)
    ]


def frozen_names(copy: Copy | CopyRow, vocabulary: Vocabulary) -> frozenset[str]:
    """The keywords it showed when they were ours. If nobody acted on the conversation, they give its state."""
    return frozenset(copy.shown) - vocabulary.ours(copy.shown)


def message_flags_missing(copy: Copy | CopyRow) -> list[str]:
    """Flags of its message that the copy lacks, although the server would keep them there."""
    has = {keyword.casefold() for keyword in copy.keywords}
    lacking = [flag for name, flag in MESSAGE_FLAGS if getattr(copy.message, name) and flag.casefold() not in has]
    return [flag for flag in lacking if copy.folder.takes(flag)]


def writes_nothing(copy: Copy | CopyRow) -> bool:
    return copy.folder.read_only or copy.unmatched_since is not None


def conversation_copies(conversation: Conversation) -> list[Copy]:
    return [copy for message in conversation.messages for copy in message.copies]


def _that_can_be(copy: Copy | CopyRow, names: frozenset[str], vocabulary: Vocabulary) -> frozenset[str]:
    """Keywords that the server rejects or does not keep, that wait for a person, or that are not ours at present, stay
    unchanged."""
    shown = frozenset(copy.shown)
    fixed = frozenset((*copy.refuses, *copy.held)) | frozen_names(copy, vocabulary)
    fixed |= {name for name in names ^ shown if not copy.folder.takes(name)}
    return (names - fixed) | (fixed & shown)
