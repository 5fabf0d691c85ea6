"""Words: the form in which the words of mails are kept and looked for.

Here and not in a room, because both ends need it: the process that parses mail, and whoever searches."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable

#: What of a mail can be searched by itself.
KINDS = ("subject", "from", "to", "words")
#: A vector of Postgres holds 1 MB: of each kind so many characters are searched.
_MOST = dict(zip(KINDS, (5_000, 5_000, 40_000, 150_000), strict=True))

#: The combining marks that NFKD parts from their letters, in every script that has them.
_MARKS = [chr(c) for c in range(0x300, 0x3100) if unicodedata.category(chr(c))[0] == "M"]
_ACCENTS = re.compile("[" + "".join(re.escape(c) for c in _MARKS if unicodedata.combining(c)) + "]+")
#: Letters that are no other letter with an accent to Unicode, but to whoever has no key for them.
_FOLDED = (("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i"), ("æ", "ae"), ("œ", "oe"), ("ـ", ""))
#: Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Mongolian filler, zero-width characters, marks
#: of direction, variation selectors, byte order mark, tags: shops fill the first line of their mails with them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]+"
)
#: Scripts that write no spaces between words: each sign is a word, and a run of them a phrase.
_RUNS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
#: Whatever is no letter, no digit, and no vowel sign of a script that writes them as marks.
_NO_WORD = re.compile("(?:[^\\w" + "".join(re.escape(c) for c in _MARKS if not unicodedata.combining(c)) + "]|_)+")
_ASCII_WORDS = bytes(c if chr(c).isalnum() else ord(" ") for c in range(128)).ljust(256)


def visible(words: str) -> str:
    """The words without characters that nobody sees: soft hyphens, joiners, marks of direction, filler."""
    return words if words.isascii() else _INVISIBLE.sub("", words)


def searchable(words: str) -> str:
    """Lower case without accents, words apart by spaces. What nobody sees within a word parts it no more than on paper.

    Only letters and digits make a word, so that "INV-2026-17" or an address is found by any of its parts."""
    if words.isascii():  # ten times faster than the patterns, and most mail is
        return words.encode("ascii").translate(_ASCII_WORDS).decode("ascii").lower()
    words = _ACCENTS.sub("", unicodedata.normalize("NFKD", _INVISIBLE.sub("", words))).casefold()
    for letter, plain in _FOLDED:
        words = words.replace(letter, plain)
    if words.isascii():
        return words.encode("ascii").translate(_ASCII_WORDS).decode("ascii")
    return _NO_WORD.sub(" ", _RUNS.sub(r" \g<0> ", words))


def searched(
    *,
    subject: str = "",
    senders: Iterable[tuple[str, str]] = (),
    receivers: Iterable[tuple[str, str]] = (),
    text: Iterable[str] = (),
) -> dict[str, str]:
    """What of a mail is searched: `in_subject`, `in_from`, `in_to` and `in_words`. People are (name, address)."""
    said = ([subject], itertools.chain(*senders), itertools.chain(*receivers), text)
    return {f"in_{kind}": _kept(" ".join(words), _MOST[kind]) for kind, words in zip(KINDS, said, strict=True)}


def _kept(words: str, most: int) -> str:
    return searchable(words[:most])[:most]
