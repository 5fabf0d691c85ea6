"""Turns words into queries for the Postgres text index."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from app.inbox.lists.forms import may_be_number, other_forms
from app.inbox.lists.query import IN_MAIL, Term
from app.inbox.lists.spelling import Spelling, spellings
from app.searchable import PLACES_UNKNOWN, WEIGHTS

_MOST_WORDS, _LONGEST_WORD = 20, 60
#: The start of an address, which nobody searches for.
_SCHEME = re.compile(r"(?:https?://|mailto:)?(?:www\.)?(?=\w)", re.IGNORECASE)


def tsquery(*terms: Term) -> str:
    """The words that one and the same mail must have; empty if no term has words.

    Words of one term must be in sequence. The last may continue, unless they are in quotes. Neighbours that may be one
    number, as in "030 123 45 67", are also searched as one."""
    queries = []
    for may_join, run in itertools.groupby(terms, _may_be_part):
        neighbours = list(run)
        conjunction = " & ".join(filter(None, map(_of_term, neighbours)))
        whole = " ".join(term.value for term in neighbours)
        if may_join and len(neighbours) > 1 and any(map(str.isdigit, whole)):
            conjunction = " | ".join([f"({conjunction})", *_others(whole, going_on=True)]) if conjunction else ""
            conjunction = f"({conjunction})" if conjunction else ""
        queries.append(conjunction)
    return " & ".join(filter(None, queries))


def _may_be_part(term: Term) -> bool:
    return term.kind == "words" and not (term.quoted or term.negated) and may_be_number(term.value)


def _of_term(term: Term) -> str:
    """If there is no such status, "status:urgent" is two words, which may be anywhere."""
    if term.kind not in (*IN_MAIL, "hash"):
        return ""
    letter = WEIGHTS.get(term.kind, "")
    value = term.value if term.quoted else _SCHEME.sub("", term.value, count=1)
    going_on = not term.quoted and not value.endswith("@")
    runs = filter(None, map(spellings, [value] if term.quoted else value.split(":")))
    phrases = " & ".join(_phrase(run[:_MOST_WORDS], letter, going_on=going_on) for run in runs)
    others = _others(value, letter, going_on=going_on) if phrases else []
    return f"({' | '.join([f'({phrases})', *others])})" if others else phrases


def _others(typed: str, letter: str = "", *, going_on: bool) -> list[str]:
    return [_phrase(form.words, letter, going_on=going_on, anywhere=form.anywhere) for form in other_forms(typed)]


def _phrase(words: Sequence[Sequence[Spelling]], letter: str, *, going_on: bool, anywhere: bool = False) -> str:
    """In a text so long that Postgres does not store all positions, the words may be anywhere."""
    last = len(words) - 1
    spelt = [_either(word, letter, going_on=at == last and going_on) for at, word in enumerate(words)]
    all_of_them = " & ".join(spelt)
    if anywhere or last == 0:
        return f"({all_of_them})"
    in_order = " <-> ".join(spelt)
    return f"({in_order})" if letter else f"({in_order} | {all_of_them} & {PLACES_UNKNOWN})"


def _either(word: Sequence[Spelling], letter: str, *, going_on: bool) -> str:
    """One word in any of its spellings."""
    alternatives = []
    for spelling in word:
        is_cut = len(spelling.word) > _LONGEST_WORD
        suffix = "*" * (is_cut or (going_on and not spelling.whole)) + letter
        alternatives.append(spelling.word[:_LONGEST_WORD] + (f":{suffix}" if suffix else ""))
    return alternatives[0] if len(alternatives) == 1 else f"({' | '.join(alternatives)})"
