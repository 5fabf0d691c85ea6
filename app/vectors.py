"""Builds search vectors in the binary form of Postgres's tsvector.

Postgres takes this form without conversion. Reading the text form takes Postgres longer than storing the rest of a
mail, and `to_tsvector` takes four times as long as that. The parsing process has the words already. Spaces separate
words, whatever the database's locale.

The form is the one of `tsvectorsend` in Postgres: the number of words, then for each word its UTF-8 bytes, a zero byte,
the number of its positions and the positions. Numbers have two bytes, the first one four. A position has its weight in
the two upper bits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

#: Postgres's limits: the last position (MAXENTRYPOS), the positions of a word in one text (MAXNUMPOS, one more over
#: several texts), the bytes of a word (MAXSTRLEN), and of all words with their positions (MAXSTRPOS).
_LAST_PLACE, _MOST_PLACES, _TOO_LONG, _MOST_BYTES = 16_383, 255, 2047, 2**20 - 1
_LONGEST_LETTER = 4
_WEIGHTS = {"A": 3, "B": 2, "C": 1, "": 0}
#: The positions of ordinary texts as bytes, by weight, because packing them each time would take as long as everything
#: else.
_USUAL_PLACES = 2_000


class SearchVector(bytes):
    """A vector in its binary form. The type tells the database driver to send it as a tsvector."""

    __slots__ = ()


#: The vector without words.
EMPTY = SearchVector(4)


def vector(texts: Iterable[tuple[str, str]], without_places: str = "") -> SearchVector:
    """`texts`: (words in the form of `searchable`, weight: A, B, C or nothing for D), one after another.
    `without_places`: words that can be found, but not as part of a phrase."""
    found: dict[str, bytes] = {}  # the word with its positions
    last = 0
    for text, weight in texts:
        words = _short(text)
        if not _keeps_all_places(words, last):
            last = _add_long(found, words, weight, last)
            continue
        for word, place in zip(words, _USUAL[weight][last : last + len(words)], strict=True):
            found[word] = found[word] + place if word in found else place
        last += len(words)
    for word in _short(without_places):
        found.setdefault(word, b"")
    return _packed(found)


def _packed(found: dict[str, bytes]) -> SearchVector:
    """The words in their binary form. Words that do not fit into a vector are left out."""
    pieces = [word.encode() + _COUNTS[len(places)] + places for word, places in found.items()]
    data = b"".join(pieces)
    if len(data) > _MOST_BYTES:
        pieces = list(_fitting(pieces))
        data = b"".join(pieces)
    return SearchVector(len(pieces).to_bytes(4) + data)


def _fitting(pieces: Iterable[bytes]) -> Iterator[bytes]:
    room = _MOST_BYTES
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            return
        yield piece


def _place(place: int, weight: str) -> bytes:
    return (place | _WEIGHTS[weight] << 14).to_bytes(2)


_USUAL = {weight: [_place(place, weight) for place in range(1, _USUAL_PLACES + 1)] for weight in _WEIGHTS}
#: The end of a word in bytes, with the number of its positions.
_COUNTS = {2 * count: b"\0" + count.to_bytes(2) for count in range(_MOST_PLACES + 2)}


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


def _add_long(found: dict[str, bytes], words: list[str], weight: str, before: int) -> int:
    """Add a text of which some positions may be dropped. Returns the last position."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(words, 1):
        kept = places[word]
        if not kept or (len(kept) < _MOST_PLACES and kept[-1] < _LAST_PLACE):
            kept.append(min(at, _LAST_PLACE))
    last = before
    for word, kept in places.items():
        known = found.get(word, b"")
        kept = kept[: _MOST_PLACES + 1 - len(known) // 2] if known else kept
        if kept:
            found[word] = known + _later(known, [before + at for at in kept], weight)
            last = max(last, before + kept[-1])
    return min(last, _LAST_PLACE)


def _later(known: bytes, places: list[int], weight: str) -> bytes:
    """The positions after the known ones. All positions beyond the last possible one become that one, which counts
    once."""
    last = int.from_bytes(known[-2:]) & _LAST_PLACE
    return b"".join(_place(at, weight) for at in dict.fromkeys(min(at, _LAST_PLACE) for at in places) if at > last)
