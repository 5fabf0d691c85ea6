"""Other forms of what somebody typed: "AB-1234-X" is also "ab1234x", "0049 30 1234567" is also "030/123 45 67". Pure.

The index holds the words of a mail, and parts that belong together also joined (app/joined.py). So a search asks for
the parts in sequence, for all of them joined, and for a telephone number as it is dialled locally.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.inbox.lists.spelling import Spelling, spellings
from app.joined import LONGEST, subscriber
from app.searchable import folded

_GROUP = re.compile(r"[^\W_]+")
#: Letters and digits separately: "inv2026" is also "INV 2026". A word of more pieces is a code for machines.
_PIECE = re.compile(r"[^\W\d_]+|[0-9]+")
_MOST_PIECES = 6
_DIGITS = re.compile("[0-9]+")
_COMPOUND = re.compile(r"\w+(?:[-'`]\w+)+")
_NUMBER = re.compile(r"[-+0-9 ()/.,'_]+")
#: In "AB 1234 X" letters may be part of a number. More letters than this are a word, because "Order 1234" is two words.
_FEW_LETTERS = 4
#: A number with this many digits is rare enough to search for it beside the letters before it, wherever these are.
_RARE = 5
_SHORTEST_BEGINNING = 3
#: Without "+" or "00", a number with country code has at least this many digits.
_WITH_COUNTRY = 10
#: Account numbers are printed in groups of four (ISO 13616).
_IBAN = re.compile("[a-z]{2}[0-9]{2}[a-z0-9]{11,30}")
_FOUR = re.compile(".{1,4}")


@dataclass(frozen=True)
class Form:
    """Words with all their spellings. They are in sequence, or `anywhere`."""

    words: list[list[Spelling]]
    anywhere: bool = False


def other_forms(typed: str) -> Iterator[Form]:
    """Forms of one word, or of words that are one number. The typed form itself is not included."""
    plain = folded(typed).strip()
    groups = _GROUP.findall(plain)
    whole = "".join(groups)
    if not whole or len(whole) > LONGEST:
        return
    if len(groups) > 1 and (_COMPOUND.fullmatch(plain) or may_be_number(typed)):
        yield Form(spellings(whole))
    for number in _numbers(plain, whole):
        yield _exactly([number])
    if _IBAN.fullmatch(whole):
        yield _exactly(_FOUR.findall(whole))
    pieces = _PIECE.findall(plain)
    if len(groups) < len(pieces) <= _MOST_PIECES:
        yield _exactly(pieces)
        if len(pieces[-1]) >= _RARE and pieces[-1].isdigit():
            yield Form(_exactly(pieces).words, anywhere=True)


def may_be_number(typed: str) -> bool:
    """Whether this, alone or with its neighbours, may be a number that people group in several ways."""
    plain = folded(typed)
    return all(len(group) <= _FEW_LETTERS or _DIGITS.search(group) for group in _GROUP.findall(plain))


def _numbers(plain: str, whole: str) -> Iterator[str]:
    """The telephone number after country code and zero."""
    if not _NUMBER.fullmatch(plain):
        return
    forms = {subscriber(plain)}
    if len(whole) >= _WITH_COUNTRY and whole[0] != "0":
        forms.add(subscriber(f"+{whole}"))
    yield from sorted(number for number in forms if number and number != whole)


def _exactly(words: list[str]) -> Form:
    """A short last word does not match its continuations: "mp3" must not search all numbers."""
    return Form([[Spelling(word, whole=len(word) < _SHORTEST_BEGINNING)] for word in words])
