"""Guesses the charset of bytes with a missing or wrong label.

The bytes are decoded with each codec of `alphabets.py`. Each language then rates the words with non-ASCII letters by
how likely these letters are in it (a sum of logarithms of probabilities). The best language decides. This also works
for subjects and names, where charset-normalizer takes "客户" for Korean. Patterns are linear, and only a sample is
read. A guess takes 1 to 4 ms, so the guesses in one mail are limited (`limited_guesses`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import pairwise

from app.mail.alphabets import ALPHABETS, Alphabet, Script

_SAMPLE = 4096
#: Bytes of words that we rate.
_RATED = 300

_MOST_GUESSES = 100
_left: ContextVar[list[int] | None] = ContextVar("guesses left", default=None)
#: Letters of a usual alphabet; Vietnamese and Thai have many more.
_ALPHABET = 32

#: Logarithms of probabilities: (most frequent, least frequent) letter and sign of a row; others count as the least
#: frequent.
_LETTERS, _SIGNS = (-2.2, -6.2), (-3.5, -6.5)
_COMMON_SIGN, _RARE_SIGN = -9.6, -14.0
_OTHER_LATIN_LETTER, _FOREIGN_LETTER, _DAMAGED = -8.5, -12.0, -16.0
_PUNCTUATION, _SYMBOL = -5.0, -9.0
_ASCII_LETTER = {Script.OTHER: -7.0, Script.IDEOGRAMS: -4.5}
_WITHIN_WORD, _CAPITAL_AFTER_SMALL, _CAPITAL_AFTER_CAPITAL = -6.0, -4.0, -0.6
#: The average rating of ASCII letters in pure ASCII words over all languages in Latin letters, and the bonus for a
#: frequent word.
_ASCII_ON_AVERAGE, _FREQUENT_WORD = -3.15, 3.0
#: A bonus for how usual a charset is, and for Latin letters among words of ASCII.
_WESTERN, _USUAL = 3.0, {"mac_cyrillic": -6.0, "cp866": -6.0, "iso8859-6": -5.0, "cp1258": -3.0}
_LATIN_AROUND, _MOST_AROUND = 0.5, 6
#: A word of one letter that the language does not have, such as a currency sign in another charset.
_ODD_LETTER_ALONE = -4.0
#: Another charset must rate this much better than the declared one.
_SURE = 10.0

_WORD = re.compile(r"[A-Za-z]*(?:[^\x00-\x7f]+[A-Za-z]*)+")
_ASCII_WORD = re.compile(rb"[A-Za-z]{1,20}[.,:;?!]?")
_MOST_WORDS = 60
_USUAL_PUNCTUATION = frozenset("\xa0“”„‘’‚«»‹›–—…€£§°·•©®™¿¡№´±²³¼½¾×÷")
_SYMBOL_WITHIN_WORD = re.compile(r"(?<=[^\W\d_])(?![’–—·])[^\w\s\x00-\x7f\xad](?=[^\W\d_])")
_NUMBER_WITHIN_WORD = re.compile(r"(?<=[^\W\d_])[ªº²³¹¼½¾](?=[^\W\d_])")
#: Lead bytes of the characters in daily use.
_COMMON_LEADS = {
    "gb18030": range(0xB0, 0xD8),
    "cp950": range(0xA4, 0xC7),
    "cp932": range(0x88, 0x98),
    "euc-jp": range(0xB0, 0xD0),
    "cp949": range(0xB0, 0xC9),
}
#: "¿Sabes …?" in Spanish. Before a small letter the byte may be the Polish ż, unless the next non-ASCII letter is not
#: Polish.
_OPENING = re.compile(
    rb"[\xa1\xbf](?<![A-Za-z\x80-\xff][\xa1\xbf])(?=[A-Z0-9\xc0-\xde]|[a-z][\x00-\x7f]{0,200}[\xe1\xe9\xed\xfa])"
)
_WESTERN_PUNCTUATION = "\xa0“”„‘’‚«»–—…€£§°·•©®™"


@contextmanager
def limited_guesses() -> Iterator[None]:
    """Limit the guesses within this block to 100, because a mail may hold thousands of damaged words."""
    token = _left.set([_MOST_GUESSES])
    try:
        yield
    finally:
        _left.reset(token)


def guessed(raw: bytes) -> str | None:
    """The codec that most likely produced these bytes. None for ASCII, and if no guesses are left."""
    ratings = _ratings(raw[:_SAMPLE])
    return max(ratings, key=lambda codec: ratings[codec]) if ratings else None


def better_than_western(raw: bytes) -> str | None:
    """The codec of text that is labelled windows-1252 but surely is not; otherwise None."""
    sample = raw[:_SAMPLE]
    words = _OPENING.sub(b"", sample)
    if any(not words.translate(None, letters) for letters in _western()):
        return None
    ratings = _ratings(sample)
    best = max(ratings, key=lambda codec: ratings[codec], default="cp1252")
    return best if ratings and ratings[best] > ratings["cp1252"] + _SURE else None


def _ratings(sample: bytes) -> dict[str, float]:
    """The rating of each codec, by the language that fits it best. Empty if there is nothing to rate."""
    if left := _left.get():
        left[0] -= 1
        if left[0] < 0:
            return {}
    tokens = sample.split()
    rated = b" ".join(token for token in dict.fromkeys(tokens) if not token.isascii())
    if not rated:
        return {}
    ascii_words = [word for word in tokens if _ASCII_WORD.fullmatch(word)][:_MOST_WORDS]
    around = b" ".join(ascii_words).decode("ascii").lower()
    return {codec: _rating(rated, around, codec, languages) for codec, languages in _by_codec().items()}


def _rating(rated: bytes, around: str, codec: str, languages: list[Alphabet]) -> float:
    text = unicodedata.normalize("NFC", rated[:_RATED].decode(codec, "replace"))
    if len(rated) > _RATED:
        text = text.rstrip("\ufffd")
    found = _WORD.findall(text)
    words = {word.lower() for word in found if word.isalpha()} | {word.strip(".,:;?!") for word in around.split()}
    beyond_ascii, ascii_letters = Counter("".join(found).lower()), Counter(around)
    fits = (_fit(beyond_ascii, codec, row) + _language(words, ascii_letters, row) for row in languages)
    return max(fits) + _shape(found) + _USUAL.get(codec, 0.0)


def _fit(counts: Counter[str], codec: str, language: Alphabet) -> float:
    costs = _costs(language)
    return sum(n * (costs.get(char) or _unlisted(char, codec, language.script)) for char, n in counts.items())


def _language(words: set[str], ascii_letters: Counter[str], language: Alphabet) -> float:
    """How likely the words are in a language. For a language in Latin letters, the ASCII words around them count as
    well."""
    alone = sum(word not in language.words for word in words if len(word) == 1 and not word.isascii())
    odd = 0.0 if language.script is Script.IDEOGRAMS else alone * _ODD_LETTER_ALONE
    if not language.words:
        return odd
    costs = _costs(language)
    letters = sum(n * (costs.get(c, _LETTERS[1]) - _ASCII_ON_AVERAGE) for c, n in ascii_letters.items() if c.isalpha())
    frequent = len(words & language.words) * _FREQUENT_WORD + min(len(words), _MOST_AROUND) * _LATIN_AROUND
    return odd + letters + frequent + (_WESTERN if language.script is Script.WESTERN else 0.0)


def _shape(words: list[str]) -> float:
    """A penalty for words with symbols in them, or with capitals after other letters."""
    text = " ".join(words)
    symbols = len(_SYMBOL_WITHIN_WORD.findall(text)) + len(_NUMBER_WITHIN_WORD.findall(text))
    with_capitals = [word for word in words if word[1:] != word[1:].lower()]
    pairs = [pair for word in with_capitals for pair in pairwise(word) if _is_capital_behind(*pair)]
    after_capitals = sum(before.isupper() for before, _ in pairs)
    return (
        symbols * _WITHIN_WORD
        + (len(pairs) - after_capitals) * _CAPITAL_AFTER_SMALL
        + after_capitals * _CAPITAL_AFTER_CAPITAL
    )


def _is_capital_behind(before: str, char: str) -> bool:
    return char.isupper() and before.isalpha()


@lru_cache(maxsize=10_000)
def _unlisted(char: str, codec: str, script: Script) -> float:
    if char.isascii():
        return _ASCII_LETTER.get(script, _LETTERS[1])
    if char == "\ufffd" or "\x80" <= char <= "\x9f":
        return _DAMAGED
    if char in _USUAL_PUNCTUATION:
        return _PUNCTUATION
    if not char.isalpha():
        return _FOREIGN_LETTER if unicodedata.combining(char) else _SYMBOL
    if script is Script.IDEOGRAMS:
        return _COMMON_SIGN if char.encode(codec, "replace")[0] in _COMMON_LEADS[codec] else _RARE_SIGN
    is_latin = char < "\u0250" or "\u1e00" <= char < "\u1f00"
    return _OTHER_LATIN_LETTER if is_latin and script is not Script.OTHER else _FOREIGN_LETTER


@cache
def _by_codec() -> dict[str, list[Alphabet]]:
    codecs = dict.fromkeys(codec for language in ALPHABETS.values() for codec in language.codecs)
    return {codec: [language for language in ALPHABETS.values() if codec in language.codecs] for codec in codecs}


@cache
def _costs(language: Alphabet) -> dict[str, float]:
    first, last = _SIGNS if language.script is Script.IDEOGRAMS else _LETTERS
    letters = dict.fromkeys(language.letters)
    usual = len(letters) if language.script is Script.IDEOGRAMS else _ALPHABET
    return {letter: first + (last - first) * _frequency(at / usual) for at, letter in enumerate(letters)}


def _frequency(place: float) -> float:
    """Letters after those of a usual alphabet are less and less frequent, but the frequency falls more slowly."""
    return place if place < 1 else 1 + (place - 1) / 3


@cache
def _western() -> list[bytes]:
    """The bytes of each western language; Icelandic has those that Turkish has in its own charset."""
    languages = [row for row in ALPHABETS.values() if row.script is Script.WESTERN]
    ascii_bytes = bytes(range(128))
    usual = [row.letters + row.letters.upper() + _WESTERN_PUNCTUATION for row in languages]
    return [ascii_bytes + letters.encode("cp1252", "ignore") for letters in usual]
