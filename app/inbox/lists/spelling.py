"""The spellings of a word that somebody searches for: "Müller" is also written "Mueller". Pure.

The index holds each word of the mail, without accents. So a search asks for both spellings, which costs the index
nothing."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass

from app.searchable import searchable

_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
                           "Å": "Aa", "Ø": "Oe"})  # fmt: skip
_PAIR = re.compile("ae|oe|ue|aa")
#: "steuerprüfung" has two pairs and one umlaut, so each pair is tried separately. With more pairs, either all or none
#: are umlauts.
_MOST_PAIRS = 3
#: A shorter word would be the beginning of too many others: "fuel" must not find "full".
_SHORTEST_BEGINNING = 4


@dataclass(frozen=True)
class Spelling:
    """One spelling of a word, as in the index. `whole`: it does not match words that begin with it."""

    word: str
    whole: bool = False


def spellings(typed: str) -> list[list[Spelling]]:
    """Every word of `typed` in all its spellings, the typed one first."""
    plain = searchable(typed).split()
    expanded = searchable(unicodedata.normalize("NFC", typed).translate(_EXPANDED)).split()
    if len(plain) != len(expanded):  # no letter does that, but a stranger's input must not raise
        expanded = plain
    return [
        [Spelling(word), *([Spelling(other)] if other != word else _contracted(word))]
        for word, other in zip(plain, expanded, strict=True)
    ]


def _contracted(word: str) -> list[Spelling]:
    """The word with pairs like "ue" read as an umlaut, in every combination."""
    pairs = [pair.start() for pair in _PAIR.finditer(word)]
    if not pairs or not word.isascii():
        return []
    few = len(pairs) <= _MOST_PAIRS
    chosen = itertools.product((False, True), repeat=len(pairs)) if few else iter([(True,) * len(pairs)])
    spellings = (_without(word, list(itertools.compress(pairs, mask))) for mask in chosen if any(mask))
    return [spelling for spelling in spellings if spelling is not None]


def _without(word: str, pairs: list[int]) -> Spelling | None:
    """The word without the "e" of these pairs. None for a short word that ends in one: "due" is not "du"."""
    ends_in_pair = pairs[-1] == len(word) - 2
    if ends_in_pair and len(word) <= _SHORTEST_BEGINNING:
        return None
    gone = {at + 1 for at in pairs}
    short = "".join(letter for at, letter in enumerate(word) if at not in gone)
    return Spelling(short, whole=ends_in_pair or len(short) < _SHORTEST_BEGINNING)
