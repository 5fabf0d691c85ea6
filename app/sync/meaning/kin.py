"""Kin: the other copies of a mail that appears at a new place. They tell which of its keywords to ignore there.

A moved or copied mail keeps its keywords. A keyword that one of its kin showed, was to show, or showed in the last two
pulls is not a change. Only a keyword that differs from all of these is an act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.clock import now
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary


def kin_of(copy: Copy, same_mail: Iterable[Copy], pulls: int) -> list[Copy]:
    """The message's other copies that exist or disappeared within the last two full pulls, or else the last one that
    disappeared. Copies that disappeared come first."""
    others = [other for other in same_mail if other is not copy]
    recent = [c for c in others if c.live or (c.gone_pull or 0) >= pulls - 1]
    gone = sorted((c for c in others if not c.live), key=lambda c: (c.gone_at or now(), c.id), reverse=True)
    return sorted(recent or gone[:1], key=lambda c: (not away(c), -c.id))


def no_news(carried: frozenset[str], kin: Sequence[Copy], went: Copy | None, vocabulary: Vocabulary) -> frozenset[str]:
    """The baseline for the copy. Per register it is the value shown by its kin that is closest to its own keywords. In
    doubt it is the value at its previous place. A copy without keywords beside other copies is not a change."""
    before = frozenset((went or kin[0]).shown)
    known = [before, *(names for k in kin for names in _values_of(k))]
    shown: set[str] = set()
    for register in {vocabulary.register_of(name) for name in carried | before}:
        here = vocabulary.only(register, carried)
        if here or went is not None:
            shown |= min((vocabulary.only(register, names) for names in known), key=lambda names: len(names ^ here))
    return frozenset(shown)


def away(copy: Copy) -> bool:
    """Whether the copy left its place: gone, marked as deleted, or not found again after a reset."""
    return not copy.live or copy.unmatched_since is not None or "\\Deleted" in copy.keywords


def came_beside_just_now(copy: Copy, pulls: int) -> bool:
    """Whether the copy appeared beside another in this pull or the one before. It may be half of a move."""
    return copy.beside_pull is not None and copy.beside_pull >= pulls - 1


def said_before(
    names: frozenset[str], sides: Iterable[Mapping[str, Any] | None], vocabulary: Vocabulary
) -> frozenset[str]:
    """The keywords whose value appears in a line of the history, as old or new value."""
    pairs = {(field, str(value).casefold()) for side in sides if side for field, value in side.items()}

    def meanings(name: str) -> set[tuple[str, str]]:
        owner, status, tag = vocabulary.owner_of(name), vocabulary.status_of(name), vocabulary.tag_of(name)
        if name == STAR:
            return {("starred", "true")}
        return (
            {("assignee", str(owner)), ("owner", str(owner))} if owner else {("status", str(status)), ("tag", str(tag))}
        )

    return frozenset(name for name in names if meanings(name) & pairs)


def _values_of(copy: Copy) -> list[frozenset[str]]:
    """Every set of keywords that a copy showed, was to show, or showed in the last two full pulls."""
    values = [frozenset(copy.shown), *(frozenset(names) for _, names in copy.earlier)]
    if copy.pushing is not None:
        values += [frozenset(copy.pushing), frozenset(copy.pushing) | frozenset(copy.shown)]
    return values
