"""Goal: the names each copy of a conversation should show. Push writes towards it; pages show what is on its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.rows import CopyRow
from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary

#: Only the newest copies of a long conversation carry its names; they fall off older ones.
NEWEST = 50
#: Flags that belong to the message: its attribute -> as the server spells it.
MESSAGE_FLAGS = (("seen", "\\Seen"), ("answered", "\\Answered"), ("forwarded", "$Forwarded"))
#: After so many refusals in a row the names are given up on the copy, shown in health, and tried again after a reset
#: or by hand. So is a move, which the history records.
REFUSALS = 3
AnyCopy = TypeVar("AnyCopy", bound=Copy | CopyRow)


def goals(
    copies: Iterable[Copy | CopyRow], state: State, words: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """Copy id -> names it should show, for live copies. One that cannot be written wants what it shows."""
    live = [copy for copy in copies if copy.live]
    wishes_by_copy = wishes(live, state, words, mirrored=mirrored)
    return {copy.id: _that_can_be(copy, wishes_by_copy[copy.id], words) for copy in live}


def wishes(
    copies: Iterable[Copy | CopyRow], state: State, words: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """The same, as if the server refused nothing and nothing waited for a person."""
    live = [copy for copy in copies if copy.live]
    named = {copy.id for copy in carrying(live)}
    names = {}
    for copy in live:
        if not mirrored or writes_nothing(copy):
            names[copy.id] = frozenset(copy.shown)
        elif copy.id in named:
            names[copy.id] = words.goal(state, copy.folder.keywords)
        else:
            names[copy.id] = frozenset({STAR} if state.star else ())
    return names


def without_room(
    copies: Iterable[Copy | CopyRow], state: State, words: Vocabulary, *, mirrored: bool
) -> dict[int, frozenset[str]]:
    """Copy id -> names that it should show if its folder could hold any number of keywords."""
    live = [copy for copy in copies if copy.live]
    goal_names = goals(live, state, words, mirrored=mirrored)
    if words.limit is None:
        return dict.fromkeys(goal_names, frozenset())
    endless = goals(live, state, replace(words, limit=None), mirrored=mirrored)
    return {id_: endless[id_] - goal_names[id_] for id_ in goal_names}


def carrying(copies: Iterable[AnyCopy]) -> list[AnyCopy]:
    """The live copies of a conversation that carry its names: the newest."""
    live = (copy for copy in copies if copy.live)
    return sorted(live, key=lambda c: (c.message.received_at, c.id), reverse=True)[:NEWEST]


def says(state: State, name: str, words: Vocabulary) -> bool:
    """Whether a state says what this name means."""
    if name == STAR:
        return state.star
    if (owner := words.owner_of(name)) is not None:
        return owner == state.owner
    if (status := words.status_of(name)) is not None:
        return status == state.status
    return words.tag_of(name) in state.tags


def still_held(copy: Copy, goal: frozenset[str], state: State, words: Vocabulary) -> list[str]:
    """Of the names that wait for a person those that are still wanted, and that no other takes the place of."""
    others = goal.difference(copy.held, copy.refuses)
    return [name for name in copy.held if says(state, name, words) and not words.only(words.register_of(name), others)]


def frozen_names(copy: Copy | CopyRow, words: Vocabulary) -> frozenset[str]:
    """What it showed when these were names of ours. Without a conversation that was acted on, they say what it is."""
    return frozenset(copy.shown) - words.ours(copy.shown)


def message_flags_missing(copy: Copy | CopyRow) -> list[str]:
    """What its message is and the copy does not show, though the server would keep it there."""
    has = {keyword.casefold() for keyword in copy.keywords}
    lacking = [flag for name, flag in MESSAGE_FLAGS if getattr(copy.message, name) and flag.casefold() not in has]
    return [flag for flag in lacking if copy.folder.takes(flag)]


def writes_nothing(copy: Copy | CopyRow) -> bool:
    return copy.folder.read_only or copy.unmatched_since is not None


def conversation_copies(conversation: Conversation) -> list[Copy]:
    return [copy for message in conversation.messages for copy in message.copies]


def _that_can_be(copy: Copy | CopyRow, names: frozenset[str], words: Vocabulary) -> frozenset[str]:
    """What the server refuses or would not keep, what waits for a person, and what is no name of ours now, stays as it
    is."""
    shown = frozenset(copy.shown)
    fixed = frozenset((*copy.refuses, *copy.held)) | frozen_names(copy, words)
    fixed |= {name for name in names ^ shown if not copy.folder.takes(name)}
    return (names - fixed) | (fixed & shown)
