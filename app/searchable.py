"""The normalized form in which words of mails are stored and searched.

It is not in a room, because two need it: the process that parses mail, and the search."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from app.joined import file_words, host_names, joined
from app.vectors import SearchVector, vector

#: The parts of a mail that can be searched separately, with their weight in the vector; no weight means D.
WEIGHTS = {"subject": "A", "from": "B", "to": "C", "words": ""}
#: A Postgres vector holds 1 MB, so only this many characters of each kind are searched.
_VECTOR_BYTES = 1_000_000
#: Of a longer text, this many further characters give words. Each word is cut at the length where queries are cut,
#: because pasted files contain endless ones.
_MOST_REST, _MOST_DIFFERENT = 4_000_000, 1_500_000
_LONGEST, _STEP = 60, 100_000
_MOST = dict(zip(WEIGHTS, (5_000, 5_000, 40_000, 150_000), strict=True))

#: A vector stores the positions of 16,383 words, and 255 positions of each word. A text with more words gets this
#: additional word.
PLACES_UNKNOWN = "zzplacesunknownzz"
_MOST_PLACES, _MOST_PLACES_OF_ONE = 16_000, 250
#: The words of texts up to this length are cached.
_CACHED = 200
#: In fewer characters no word of any language occurs that often.
_SHORT_TEXT = 4_000

#: The combining marks that NFKD separates from their letters, in every script that has them.
_MARKS = [chr(c) for c in range(0x300, 0x3100) if unicodedata.category(chr(c))[0] == "M"]
_ACCENTS = re.compile("[" + "".join(re.escape(c) for c in _MARKS if unicodedata.combining(c)) + "]+")
#: Letters that Unicode does not treat as accented, but that people without such a key type as another letter. Persian
#: keyboards have their own yeh and kaf; many Arabic and Ukrainian writers ignore small differences.
_FOLDED = (
    *(("ø", "o"), ("ł", "l"), ("đ", "d"), ("ð", "d"), ("þ", "th"), ("ħ", "h"), ("ŧ", "t"), ("ŋ", "n"), ("ı", "i")),
    *(("æ", "ae"), ("œ", "oe"), ("ґ", "г"), ("ـ", ""), ("ى", "ي"), ("ی", "ي"), ("ک", "ك"), ("ة", "ه")),
    *((hyphen, "-") for hyphen in "\u2010\u2012\u2013\u2212"),
    *((apostrophe, "'") for apostrophe in "\u2018\u2019\u02bc\u02bb"),
)
#: Digits of other scripts, and pictures: each picture is a word, spelled "u1f382". A skin tone does not make it a
#: different picture.
_DIGIT = re.compile(r"(?![0-9])\d")
_PICTURE = re.compile("[\u2600-\u27bf\u2b50\U0001f000-\U0001faff]")
_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
#: Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Mongolian filler, zero-width characters, marks
#: of direction, variation selectors, byte order mark, tags: shops fill the first line of their mails with them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\u2800\U000e0000-\U000e0fff]+"
)
_FILLER = re.compile("[\u00ad\u034f\u115f\u1160\u200b\u2060\u2800\u3164\ufeff\uffa0]+")
#: Up to this many different letters are replaced one by one.
_FEW_LETTERS = 80
#: Scripts without spaces between words: each character is a word, and a run of them a phrase.
_RUNS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
#: Characters that are not letters, digits, or vowel signs of a script that writes them as marks. ASCII signs stay.
_NO_WORD = re.compile("[^\\x00-\\x7f\\w" + "".join(re.escape(c) for c in _MARKS if not unicodedata.combining(c)) + "]+")
_ASCII = re.compile("[\x00-\x7f]+")
_NO_WORD_IN_ASCII = re.compile("[\x00-/:-@\\[-`{-\x7f]+")
_ASCII_WORDS = bytes(c if chr(c).isalnum() else ord(" ") for c in range(128)).ljust(256)


def visible_words(text: str) -> list[str]:
    """The words of a text as written, without invisible filler. Joiners within a word stay, because they shape letters
    and emoji."""
    if text.isascii() or _INVISIBLE.search(text) is None:
        return text.split()
    return [_FILLER.sub("", word).strip("\u200c\u200d") for word in text.split() if _INVISIBLE.sub("", word)]


def searchable(words: str) -> str:
    """Lower case without accents, words separated by spaces. Invisible characters inside a word do not separate it.

    Only letters and digits make a word, so "INV-2026-17" or an address is found by any of its parts."""
    return _words(folded(words))


def folded(text: str) -> str:
    """The same with ASCII signs left in place. Hyphens and apostrophes of all kinds become the ASCII ones."""
    if text.isascii():
        return text.lower()
    different = set(_ASCII.sub("", text))
    if len(different) > _FEW_LETTERS:
        return text.translate({ord(letter): _folded_letter(letter) for letter in different}).casefold()
    for letter in different:  # one by one: many times faster than patterns, and most texts have few
        text = text.replace(letter, _folded_letter(letter))
    return text.casefold()


def _folded(text: str) -> str:
    text = _PICTURE.sub(_named_picture, _TONE.sub("", _INVISIBLE.sub("", text)))
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    for letter, plain in _FOLDED:
        text = text.replace(letter, plain)
    text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return _NO_WORD.sub(" ", _RUNS.sub(r" \g<0> ", text))


@lru_cache(maxsize=8192)  # a Chinese book has some thousand letters
def _folded_letter(letter: str) -> str:
    return f" {letter} " if "\u4e00" <= letter <= "\u9fff" else _folded(letter)


def _named_picture(picture: re.Match[str]) -> str:
    return f" u{ord(picture[0]):x} "


def _words(text: str) -> str:
    if text.isascii():
        return text.encode("ascii").translate(_ASCII_WORDS).decode("ascii")
    return _NO_WORD_IN_ASCII.sub(" ", text)


def searched(
    *,
    subject: str = "",
    senders: Iterable[tuple[str, str]] = (),
    receivers: Iterable[tuple[str, str]] = (),
    files: Iterable[str] = (),
    text: str = "",
    also: Iterable[str] = (),
) -> SearchVector:
    """The search vector of a mail, as `vector` writes it. People are (name, address); `files` are names.

    `also`: other forms of the text. Their additional words are searched, too. The rest of a long text is stored as
    words without positions. If a vector lacks the positions of some words, it has PLACES_UNKNOWN."""
    said = (subject, _people(senders), _people(receivers))
    found = {kind: indexed(words, _MOST[kind]) for kind, words in zip(WEIGHTS, said, strict=False)}
    written = "\n".join([*map(file_words, files), text])
    written = "\n".join([written, *(_beyond(written, other) for other in also if other not in (written, ""))])
    found["words"] = indexed(written, _MOST["words"])
    rest = written[_MOST["words"] :][:_MOST_REST]
    others = _rest(rest, found.values()) if rest else ""
    if rest or _has_unknown_places(found["words"]):
        others += f" {PLACES_UNKNOWN}"
    return vector([(words, WEIGHTS[kind]) for kind, words in found.items()], others)


def indexed(text: str, most: int) -> str:
    """Words in their searchable form, followed by their joined forms, see `joined`."""
    return _seen_before(text, most) if len(text) <= _CACHED else _indexed(text, most)


def _indexed(text: str, most: int) -> str:
    plain = folded(text[:most])
    words = _words(plain)[:most]
    others = joined(plain)
    return f"{words} {' '.join(others)}" if others else words


_seen_before = lru_cache(maxsize=1024)(_indexed)  # people and subjects repeat


def _has_unknown_places(text: str) -> bool:
    if len(text) <= _SHORT_TEXT:
        return False
    words = text.split()
    return len(words) > _MOST_PLACES or max(Counter(words).values(), default=0) > _MOST_PLACES_OF_ONE


def _people(people: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{name} {host_names(address)}" for name, address in people)


def _beyond(text: str, other: str) -> str:
    """The lines of another form of the text with words, or pairs of words, that the text lacks."""
    if set(text.split()).issuperset(other.split()):
        return ""  # true for most texts, and needs no folding
    words = searchable(text).split()
    known = set(words)
    if known.issuperset(searchable(other).split()):
        return ""
    pairs = set(itertools.pairwise(words))
    return "\n".join(line for line in other.split("\n") if _says_more(searchable(line).split(), known, pairs))


def _says_more(line: list[str], words: set[str], pairs: set[tuple[str, str]]) -> bool:
    return not (words.issuperset(line) and pairs.issuperset(itertools.pairwise(line)))


def _rest(text: str, others: Iterable[str]) -> str:
    """Words that are not stored yet, each once, as many as fit into the vector."""
    different: dict[str, None] = {}
    for at in range(0, len(text), _STEP):  # all words at once would take many times the memory of the text
        different |= dict.fromkeys(text[at : at + _STEP].split())
    words = indexed("\n".join(different), _MOST_DIFFERENT)
    first = " ".join(others).split()
    known = set(first)
    room = _VECTOR_BYTES - sum(len(word.encode()) + 5 for word in known) - 2 * len(first)
    found: dict[str, None] = {}
    for word in words.split():
        short = word[:_LONGEST]
        if short not in known and short not in found:
            room -= len(short.encode()) + 5
            if room < 0:
                break
            found[short] = None
    return " ".join(found)
