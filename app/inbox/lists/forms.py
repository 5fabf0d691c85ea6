"""Other forms of what somebody typed: "AB-1234-X" is also "ab1234x", "0049 30 1234567" is also "030/123 45 67". Pure.

The index holds the words of a mail, and joined what stands there in parts (app/joined.py). So a search asks for the
parts one after the other, for all of them joined, and for a telephone number as one dials it from next door.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.inbox.lists.spelling import Spelling, spellings
from app.joined import LONGEST, subscriber
from app.searchable import folded

_GROUP = re.compile(r"[^\W_]+")
#: Letters and digits apart: "inv2026" is "INV 2026" too. A word of more pieces is a code for machines.
_PIECE = re.compile(r"[^\W\d_]+|[0-9]+")
_MOST_PIECES = 6
_DIGITS = re.compile("[0-9]+")
_COMPOUND = re.compile(r"\w+(?:[-'`]\w+)+")
_NUMBER = re.compile(r"[-+0-9 ()/.,'_]+")
#: In "AB 1234 X" letters may be part of a number: so many, for "Order 1234" is two words.
_FEW_LETTERS = 4
#: So many digits are rare enough to be looked for beside the letters that stand before them, wherever these are.
_RARE = 5
_SHORTEST_BEGINNING = 3
#: Without "+" or "00" a number that begins with its country has so many digits.
_WITH_COUNTRY = 10
#: An account is printed in groups of four (ISO 13616).
_IBAN = re.compile("[a-z]{2}[0-9]{2}[a-z0-9]{11,30}")
_FOUR = re.compile(".{1,4}")


@dataclass(frozen=True)
class Form:
    """Words in all their spellings. They follow each other, or stand `anywhere`."""

    words: list[list[Spelling]]
    anywhere: bool = False


def other_forms(typed: str) -> Iterator[Form]:
    """Of one word, or of words that are one number. Not the typed form itself."""
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
    """Whether this, or this with what stands beside it, may be a number that people group in several ways."""
    plain = folded(typed)
    return all(len(group) <= _FEW_LETTERS or _DIGITS.search(group) for group in _GROUP.findall(plain))


def _numbers(plain: str, whole: str) -> Iterator[str]:
    """What follows the country and the zero of a telephone number."""
    if not _NUMBER.fullmatch(plain):
        return
    forms = {subscriber(plain)}
    if len(whole) >= _WITH_COUNTRY and whole[0] != "0":
        forms.add(subscriber(f"+{whole}"))
    yield from sorted(number for number in forms if number and number != whole)


def _exactly(words: list[str]) -> Form:
    """A short last word does not stand for those that begin with it: "mp3" is not to look through all numbers."""
    return Form([[Spelling(word, whole=len(word) < _SHORTEST_BEGINNING)] for word in words])
