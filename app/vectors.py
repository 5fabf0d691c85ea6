"""Builds search vectors in the text form of Postgres's tsvector.

Postgres reads one in a quarter of the time that `to_tsvector` needs for the same words, and the parsing process has the
words already. Spaces separate words, whatever the database's locale.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

#: Postgres's limits: the last position (MAXENTRYPOS), the positions of a word in one text (MAXNUMPOS, one more over
#: several texts), and the bytes of a word (MAXSTRLEN).
_LAST_PLACE, _MOST_PLACES, _TOO_LONG = 16_383, 255, 2047
_LONGEST_LETTER = 4
#: The positions of ordinary texts as text, by weight, because formatting them each time would take as long as
#: everything else.
_USUAL_PLACES = 2_000
_WRITTEN = {weight: [f"{place}{weight}" for place in range(1, _USUAL_PLACES + 1)] for weight in ("A", "B", "C", "")}


def vector(texts: Iterable[tuple[str, str]], without_places: str = "") -> str:
    """`texts`: (words in the form of `searchable`, weight: A, B, C or nothing for D), one after another.
    `without_places`: words that can be found, but not as part of a phrase."""
    found: dict[str, list[str]] = {}  # the word with its first position, then its other positions
    last = 0
    for text, weight in texts:
        words = _short(text)
        if not _keeps_all_places(words, last):
            last = _add_long(found, words, weight, last)
            continue
        for word, place in zip(words, _WRITTEN[weight][last : last + len(words)], strict=True):
            if word in found:
                found[word].append(place)
            else:
                found[word] = [f"{word}:{place}"]
        last += len(words)
    for word in _short(without_places):
        found.setdefault(word, [word])
    return " ".join(map(",".join, found.values()))


def _short(text: str) -> list[str]:
    words = text.split()
    if len(text) * _LONGEST_LETTER < _TOO_LONG or max(map(len, words), default=0) * _LONGEST_LETTER < _TOO_LONG:
        return words
    return [word for word in words if len(word.encode()) < _TOO_LONG]


def _keeps_all_places(words: list[str], before: int) -> bool:
    """Whether no limit can be reached, which is quick to check for most texts."""
    end = before + len(words)
    return end <= _MOST_PLACES or (
        end <= _USUAL_PLACES and before + max(Counter(words).values(), default=0) <= _MOST_PLACES
    )


def _add_long(found: dict[str, list[str]], words: list[str], weight: str, before: int) -> int:
    """Add a text of which some positions may be dropped. Returns the last position."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(words, 1):
        kept = places[word]
        if not kept or (len(kept) < _MOST_PLACES and kept[-1] < _LAST_PLACE):
            kept.append(min(at, _LAST_PLACE))
    last = before
    for word, kept in places.items():
        known = found.get(word, [])
        kept = kept[: _MOST_PLACES + 1 - len(known)] if known else kept
        if kept:
            said = [f"{min(before + at, _LAST_PLACE)}{weight}" for at in kept]
            found[word] = [*known, *said] if known else [f"{word}:{said[0]}", *said[1:]]
            last = max(last, before + kept[-1])
    return min(last, _LAST_PLACE)
