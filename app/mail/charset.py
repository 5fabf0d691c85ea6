"""Bytes to text, whatever a mail claims about itself. Never raises.

Order: the declared charset under its real-world meaning, utf-8, windows-1252, a guess by charset-normalizer,
latin-1. windows-1252 goes before the guess: short Spanish texts were guessed as cp852.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

#: Names that mail programs use for something larger, or spell in their own way.
_ALIASES = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "utf8": "utf-8",
    "utf-8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "windows-874": "cp874",
    "x-mac-roman": "mac_roman",
}
#: Codecs of Python that are no charsets of mail, or take quadratic time.
_NEVER = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
#: These write other letters in ASCII bytes; all other charsets agree with ASCII.
_HIDING = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")
_GUESS_FROM = 64 * 1024
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Without NUL, which Postgres refuses, and lone surrogates, which UTF-8 cannot carry."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")  # many times faster than looking for surrogates
    except UnicodeEncodeError:
        return _SURROGATES.sub("", text)
    return text


def decoded(raw: bytes, charset: str | None = None) -> str:
    """The text of these bytes, cleaned."""
    declared = _codec(charset) if charset else None
    if raw.isascii() and not (declared and declared.startswith(_HIDING)):
        return raw.decode("ascii").replace("\x00", "")
    return clean(_decoded(raw, declared))


def _decoded(raw: bytes, declared: str | None) -> str:
    for name in (declared, "utf-8"):
        if name and (text := _attempt(raw, name)) is not None:
            return text
    if (text := _attempt(raw, "cp1252")) is not None:
        return text
    best = from_bytes(raw[:_GUESS_FROM]).best()
    guess = _codec(best.encoding) if best else None
    return (_attempt(raw, guess) if guess else None) or raw.decode("latin-1")


def _codec(charset: str) -> str | None:
    """Python's name of a declared charset, None for one that does not exist or is no charset of text."""
    name = charset.strip().strip("'\"").lower()
    try:
        found = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return None
    return found.name if found._is_text_encoding and found.name not in _NEVER else None


def _attempt(raw: bytes, name: str) -> str | None:
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        # A text that was cut may end within a letter; a few damaged letters do not make it another charset.
        text = raw.decode(name, "replace")
        if error.start >= len(raw) - 4 and len(raw) > 8:
            return text.rstrip("\ufffd")
        beyond_ascii = sum(letter > "\x7f" for letter in text)
        return text if name != "cp1252" and text.count("\ufffd") * 3 <= beyond_ascii else None
    except (ValueError, LookupError):
        return None
