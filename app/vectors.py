"""Search vectors in the text form of Postgres' tsvector.

Postgres takes a quarter of the time to read one that `to_tsvector` takes to make one of the same words, and the process
that parses mail has the words at hand. A word is what stands between spaces, whatever locale the database has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

#: Postgres counts no further (MAXENTRYPOS), keeps so many places of a word in one text and one more in several
#: (MAXNUMPOS), and takes no word of so many bytes (MAXSTRLEN).
_LAST_PLACE, _MOST_PLACES, _TOO_LONG = 16_383, 255, 2047
_LONGEST_LETTER = 4


def vector(texts: Iterable[tuple[str, str]], without_places: str = "") -> str:
    """`texts`: (words in the form of `searchable`, weight: A, B, C or nothing for D), one after the other.
    `without_places`: words that are found, but not beside others."""
    found: dict[str, str] = {}
    last = 0
    for text, weight in texts:
        words = _short(text)
        if last + len(words) > _MOST_PLACES:
            last = _add_long(found, words, weight, last)
            continue
        for place, word in enumerate(words, last + 1):
            found[word] = f"{found[word]},{place}{weight}" if word in found else f":{place}{weight}"
        last += len(words)
    for word in _short(without_places):
        found.setdefault(word, "")
    return " ".join([word + places for word, places in found.items()])


def _short(text: str) -> list[str]:
    words = text.split()
    if len(text) * _LONGEST_LETTER < _TOO_LONG or max(map(len, words), default=0) * _LONGEST_LETTER < _TOO_LONG:
        return words
    return [word for word in words if len(word.encode()) < _TOO_LONG]


def _add_long(found: dict[str, str], words: list[str], weight: str, before: int) -> int:
    """Add a text of which not all places may be kept; returns the last that is kept."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(words, 1):
        kept = places[word]
        if not kept or (len(kept) < _MOST_PLACES and kept[-1] < _LAST_PLACE):
            kept.append(min(at, _LAST_PLACE))
    last = before
    for word, kept in places.items():
        known = found.get(word, "")
        kept = kept[: _MOST_PLACES - known.count(",")] if known else kept
        if kept:
            said = ",".join([f"{min(before + at, _LAST_PLACE)}{weight}" for at in kept])
            found[word] = f"{known},{said}" if known else f":{said}"
            last = max(last, before + kept[-1])
    return min(last, _LAST_PLACE)
