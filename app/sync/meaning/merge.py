"""The merge: what a copy's keywords mean for one register of its conversation. Pure; ARCHITECTURE.md has the state
diagram and an example.

State belongs to the conversation; copies only carry it. Per copy we store `shown` (our keywords it showed last) and
`pushing` (the keywords we have begun to write). Per conversation and register we store `ours` and `agreed` (the last
value on both sides). Each register is merged separately: owner, status, star, each tag. Keywords are casefolded; a
register sees only its own keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary
from app.inbox.status import Status


class Verdict(Enum):
    ADOPT = auto()  # the outside changed it: ours and agreed become the new value
    AGREE = auto()  # the outside has the same value as we do
    CONFLICT = auto()  # both changed it: ours stays and is pushed, theirs goes into the history


class Many(Enum):
    """Several values at once, without a way to tell which one is meant."""

    MANY = auto()


MANY: Final = Many.MANY


@dataclass(frozen=True)
class News:
    """A verdict about one register. `register`: owner, status, star, or tag (then `tag` names it)."""

    register: str
    verdict: Verdict
    value: str | bool | None
    tag: str = ""


@dataclass(frozen=True)
class Sight:
    """The keywords of a copy at one look. `fading`: newer copies carry the keywords instead, so a copy without keywords
    means nothing."""

    now: frozenset[str]
    shown: frozenset[str]
    pushing: frozenset[str] | None = None
    fading: bool = False

    def only(self, belongs: Callable[[str], bool]) -> Sight:
        """The keywords of one register."""
        pushing = None if self.pushing is None else frozenset(filter(belongs, self.pushing))
        return Sight(frozenset(filter(belongs, self.now)), frozenset(filter(belongs, self.shown)), pushing, self.fading)

    @property
    def all_names(self) -> frozenset[str]:
        return self.now | self.shown | (self.pushing or frozenset())

    @property
    def is_echo(self) -> bool:
        """Whether the copy shows only what it showed before, or what our own unfinished write may have left."""
        if self.now == self.shown:
            return True
        return self.pushing is not None and self.now in (self.pushing, self.shown | self.pushing)


def merge(sight: Sight, ours: State, agreed: State, vocabulary: Vocabulary) -> list[News]:
    """The changes that this look means for the conversation, register by register, without echoes."""
    news = []
    owner = sight.only(lambda name: vocabulary.owner_of(name) is not None)
    if not owner.is_echo and not (owner.fading and not owner.now):
        now = _values(owner.now, vocabulary.owner_of)
        value = read(now, _values(owner.shown, vocabulary.owner_of), ours.owner)
        if isinstance(value, Many):
            news.append(News("owner", Verdict.CONFLICT, several(now - {ours.owner})))
        else:
            news.append(_judged("owner", value, ours.owner, agreed.owner))
    status = sight.only(lambda name: vocabulary.status_of(name) is not None)
    if not status.is_echo and not (status.fading and not status.now):
        news.extend(_status_news(status, ours.status, agreed.status, vocabulary))
    news.extend(_flags(sight, ours, vocabulary))
    return news


def read(now: frozenset[str], shown: frozenset[str], ours: str | None) -> str | Many | None:
    """The one value that a set of keywords means: a new one counts, otherwise the one we already have."""
    if not now:
        return None
    if len(now) == 1:
        return next(iter(now))
    new = now - shown
    if len(new) == 1:
        return next(iter(new))
    return ours if not new and ours in now else MANY


def several(values: Iterable[str | None]) -> str:
    """Several owners or statuses as text for a conflict or a difference."""
    return ", ".join(sorted(filter(None, values)))


def _status_news(sight: Sight, ours: Status, agreed: Status, vocabulary: Vocabulary) -> list[News]:
    """If one copy has two new statuses, the more open one counts. The other is recorded for people to see."""
    now = _values(sight.now, vocabulary.status_of)
    shown = _values(sight.shown, vocabulary.status_of)
    value = read(now, shown, ours)
    if not isinstance(value, Many):
        return [_judged("status", Status.OPEN if value is None else Status(value), ours, agreed)]
    first, *others = (status for status in Status if status in ((now - shown) or now))
    seen = [News("status", Verdict.CONFLICT, other) for other in others]
    return [_judged("status", first, ours, agreed), *seen]


def _judged(register: str, value: str | None, ours: str | None, agreed: str | None) -> News:
    if value == ours:
        return News(register, Verdict.AGREE, value)
    if ours == agreed:
        return News(register, Verdict.ADOPT, value)
    return News(register, Verdict.CONFLICT, value)


def _flags(sight: Sight, ours: State, vocabulary: Vocabulary) -> list[News]:
    """Star and tags are on or off and never conflict: the outside change is applied."""
    news = []
    star = sight.only(lambda name: name == STAR)
    if not star.is_echo:
        on = bool(star.now)
        news.append(News("star", Verdict.AGREE if on == ours.star else Verdict.ADOPT, on))
    tags = {tag for name in sight.all_names if (tag := vocabulary.tag_of(name)) is not None}
    for tag in sorted(tags):
        one = sight.only(frozenset(name for name in sight.all_names if vocabulary.tag_of(name) == tag).__contains__)
        if one.is_echo or (one.fading and not one.now):
            continue
        on = bool(one.now)
        news.append(News("tag", Verdict.AGREE if on == (tag in ours.tags) else Verdict.ADOPT, on, tag))
    return news


def _values(names: Iterable[str], meaning: Callable[[str], str | None]) -> frozenset[str]:
    return frozenset(value for name in names if (value := meaning(name)) is not None)
