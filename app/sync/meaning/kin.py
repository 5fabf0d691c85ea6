"""Kin: the other copies of a mail that appears at a new place, and which of its keywords to ignore there.

A mail that was moved or copied brings names along. What one of its kin showed, was to show, or showed in the last two
pulls tells nothing new; only what differs from all of it is an act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.clock import now
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary


def kin_of(copy: Copy, same_mail: Iterable[Copy], pulls: int) -> list[Copy]:
    """The message's other copies that are here or went within the last two full pulls, else the last that went;
    those that went first."""
    others = [other for other in same_mail if other is not copy]
    recent = [c for c in others if c.live or (c.gone_pull or 0) >= pulls - 1]
    gone = sorted((c for c in others if not c.live), key=lambda c: (c.gone_at or now(), c.id), reverse=True)
    return sorted(recent or gone[:1], key=lambda c: (not away(c), -c.id))


def no_news(carried: frozenset[str], kin: Sequence[Copy], went: Copy | None, words: Vocabulary) -> frozenset[str]:
    """What the copy is taken to have shown: register by register, of all that its kin showed what comes nearest to
    what it carries; in doubt what it showed where it came from. A copy beside others that is bare says nothing."""
    before = frozenset((went or kin[0]).shown)
    known = [before, *(names for k in kin for names in _values_of(k))]
    shown: set[str] = set()
    for register in {words.register_of(name) for name in carried | before}:
        here = words.only(register, carried)
        if here or went is not None:
            shown |= min((words.only(register, names) for names in known), key=lambda names: len(names ^ here))
    return frozenset(shown)


def away(copy: Copy) -> bool:
    """Not where it was: gone, marked as deleted, or not found again after a reset."""
    return not copy.live or copy.unmatched_since is not None or "\\Deleted" in copy.keywords


def came_beside_just_now(copy: Copy, pulls: int) -> bool:
    """Whether it turned up beside another in this pull or the one before: half of a move, perhaps."""
    return copy.beside_pull is not None and copy.beside_pull >= pulls - 1


def said_before(names: frozenset[str], sides: Iterable[Mapping[str, Any] | None], words: Vocabulary) -> frozenset[str]:
    """Those of the names that say what a line of the history says, before or after it."""
    pairs = {(field, str(value).casefold()) for side in sides if side for field, value in side.items()}

    def meanings(name: str) -> set[tuple[str, str]]:
        owner, status, tag = words.owner_of(name), words.status_of(name), words.tag_of(name)
        if name == STAR:
            return {("starred", "true")}
        return (
            {("assignee", str(owner)), ("owner", str(owner))} if owner else {("status", str(status)), ("tag", str(tag))}
        )

    return frozenset(name for name in names if meanings(name) & pairs)


def _values_of(copy: Copy) -> list[frozenset[str]]:
    """Every set of names a copy showed, was to show, or showed in the last two full pulls."""
    values = [frozenset(copy.shown), *(frozenset(names) for _, names in copy.earlier)]
    if copy.pushing is not None:
        values += [frozenset(copy.pushing), frozenset(copy.pushing) | frozenset(copy.shown)]
    return values
