"""Words as the index of Postgres keeps them and is asked for them."""

from __future__ import annotations

from collections.abc import Sequence

from app.inbox.query import IN_MAIL, Term
from app.inbox.spelling import Spelling, spellings
from app.searchable import KINDS

#: The parts of a mail have letters in its vector, so that words can be looked for in one of them.
_LETTERS = dict(zip(KINDS, ("A", "B", "C", ""), strict=True))
#: SQL for the vector of a row `r` that has the fields of `searched`. The rest of a long text has no positions.
VECTOR = " || ".join(
    [
        *(f"setweight(to_tsvector('simple', r.in_{kind}), '{_LETTERS[kind] or 'D'}')" for kind in _LETTERS),
        "strip(to_tsvector('simple', r.in_rest))",
    ]
)
_MOST_WORDS, _LONGEST_WORD = 20, 60


def tsquery(term: Term) -> str:
    """Words that belong together stand one after the other; the last may go on, unless they were put in quotes.

    "status:urgent" is two words when there is no such status: they may stand anywhere."""
    if term.kind not in (*IN_MAIL, "hash"):
        return ""
    runs = [spellings(run) for run in ([term.value] if term.quoted else term.value.split(":"))]
    return " & ".join(
        _phrase(run[:_MOST_WORDS], _LETTERS.get(term.kind, ""), quoted=term.quoted) for run in filter(None, runs)
    )


def _phrase(words: Sequence[Sequence[Spelling]], letter: str, *, quoted: bool) -> str:
    last = len(words) - 1
    spelt = (_either(word, letter, going_on=at == last and not quoted) for at, word in enumerate(words))
    return f"({' <-> '.join(spelt)})"


def _either(word: Sequence[Spelling], letter: str, *, going_on: bool) -> str:
    """One word in any of its spellings."""
    found = []
    for spelling in word:
        suffix = "*" * (going_on and not spelling.whole) + letter
        found.append(spelling.word[:_LONGEST_WORD] + (f":{suffix}" if suffix else ""))
    return found[0] if len(found) == 1 else f"({' | '.join(found)})"
