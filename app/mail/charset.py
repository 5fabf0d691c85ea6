"""Decodes bytes to text, whatever charset a mail declares. Never raises.

Labels have the meaning browsers give them (WHATWG Encoding): "iso-8859-1" is windows-1252, "gb2312" is gb18030.
We use Python's codecs where they cover the same letters; `jis.py` adds what they lack. We try in this order: valid
UTF-8 under a label that cannot mean it, the label, UTF-8, a guess, windows-1252, latin-1. A label for Western letters
is ignored if the guess is sure of other letters, because many programs write such a label by habit.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

from webencodings import lookup

from app.mail import jis
from app.mail.guess import better_than_western, guessed

#: Encodings that Python names differently from browsers, or covers only in part.
_CODECS = {
    "big5": "cp950",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "utf-16le": "utf-16",  # respects a byte order mark
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
}
#: Labels that occur in mail but that browsers do not know. "x-user-defined" means that nobody declared a charset.
_ALIASES = {
    "ansi_x3.4-1968": "utf-8",
    "cp50220": "iso-2022-jp",
    "cp50221": "iso-2022-jp",
    "cp50222": "iso-2022-jp",
    "cp51932": "euc-jp",
    "iso-2022-jp-1": "iso-2022-jp",
    "iso-2022-jp-2": "iso-2022-jp",
    "iso-2022-jp-3": "iso-2022-jp",
    "iso-2022-jp-2004": "iso-2022-jp",
    "iso-2022-jp-ms": "iso-2022-jp",
    "unicode-1-1-utf-7": "utf-7",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-8mb4": "utf-8",
}
#: "windows1251", "win-1251", "x-cp1251" and "ms936" name code pages by number.
_CODE_PAGE = re.compile(r"(?:x-)?(?:cp|ibm|ms|win|windows)[-_ ]?(\d{3,5})")
#: Python codecs that are not charsets of mail, or that take quadratic time.
_NEVER = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
#: These use ASCII bytes for other letters. All other charsets agree with ASCII.
_HIDING = ("utf-16", "utf-32", "utf-7", "iso2022", "iso-2022", "hz")
_MULTIBYTE = frozenset({"cp932", "cp949", "cp950", "euc-jp", "gb18030", "johab", "shift_jis_2004", "euc_jis_2004"})
#: Bytes that are UTF-8 and hardly ever occur in real text of a single-byte charset. A pair at the end of a word does
#: not count, as in "CAFÉ»".
_PROOF = re.compile(rb"[\xc2\xc3][\x80-\xbf]|[\xe0-\xf4][\x80-\xbf]{2}|[\xc4-\xda][\x80-\xbf][A-Za-z\xc4-\xda]")
_THREE_BYTES = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}")
_WITHIN_WORD = re.compile(rb"[A-Za-z](?:\xc3[\x80-\xbf]){1,2}[A-Za-z]")
#: This many three-byte letters in valid UTF-8 are not an accident, whatever the label says.
_MANY = 3
_ENDS_WITHIN = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")
_LOOKED_AT = 64 * 1024
#: ISO 8859 has control characters here, which no mail contains. Windows programs put letters and punctuation here.
_CONTROL = re.compile(rb"[\x80-\x9f]")
#: Vietnamese charsets, in which tone marks follow their letters.
_COMBINING = ("cp1258", "windows-1258")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without NUL, which Postgres rejects, and without lone surrogates, which UTF-8 cannot encode."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")  # many times faster than searching for surrogates
    except UnicodeEncodeError:
        return _SURROGATES.sub("", text)
    return text


def decoded(raw: bytes, charset: str | None = None) -> str:
    """The text of these bytes, cleaned."""
    declared = codec(charset) if charset else None
    if raw.isascii() and not (declared and declared.startswith(_HIDING)):
        if b"\x1b$" not in raw:
            return raw.decode("ascii").replace("\x00", "")
        declared = "iso-2022-jp"  # no other charset begins like that
    return clean(_decoded(raw, declared)).removeprefix("\ufeff")


def likely_charset(head: bytes, body: bytes) -> str | None:
    """The charset of a mail that declares none, guessed from its non-ASCII lines. None means UTF-8, or too little text
    to guess."""
    lines = [line for line in (*head.split(b"\n"), *body[:_LOOKED_AT].split(b"\n")) if not line.isascii()]
    sample = b"\n".join(lines)
    return None if not sample or _is_valid_utf_8(sample) else guessed(sample)


@lru_cache(maxsize=256)
def codec(label: str) -> str | None:
    """The codec for a declared charset; None if it does not exist or is not a charset of text."""
    name = label.strip(" \t\r\n\f'\";").lower()
    if page := _CODE_PAGE.fullmatch(name):
        name = f"cp{page[1]}"
    name = _ALIASES.get(name, name)
    return _of_browsers(name) or _of_python(name)


def _of_browsers(name: str) -> str | None:
    encoding = lookup(name) if name.isascii() else None
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    name = str(encoding.name)
    return _CODECS.get(name, name)


def _of_python(name: str) -> str | None:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not found._is_text_encoding or found.name in _NEVER or name == "x-user-defined":
        return None
    return _of_browsers(found.name.replace("_", "-")) or found.name


def _decoded(raw: bytes, declared: str | None) -> str:
    # a byte order mark counts more than a label, as in browsers
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        declared = "utf-16"
    if declared and _is_utf_8_all_the_same(raw, declared):
        return raw.decode("utf-8", "replace").rstrip("\ufffd")
    for name in (_believed(raw, declared), "utf-8"):
        if name and (text := _attempt(raw, name)) is not None:
            return text
    for name in (guessed(raw), "cp1252"):
        if name and (text := _attempt(raw, name)) is not None:
            return text
    return raw.decode("latin-1")


def _believed(raw: bytes, declared: str | None) -> str | None:
    """The declared charset, or one that surely fits better. None if the label cannot be right."""
    if declared == "windows-1252":
        return better_than_western(raw) or declared
    if declared and declared.startswith("iso-8859-") and _CONTROL.search(raw):
        return None
    return declared


def _is_utf_8_all_the_same(raw: bytes, declared: str) -> bool:
    """Whether the bytes are UTF-8 although the label says something else, as web forms often send them."""
    if declared == "utf-8" or declared.startswith(_HIDING):
        return False
    if raw.startswith(codecs.BOM_UTF8):
        return True
    if not _is_valid_utf_8(raw):  # many times faster than searching for proof
        return False
    if declared in _MULTIBYTE:
        return len(_THREE_BYTES.findall(raw[:4096])) >= _MANY or _WITHIN_WORD.search(raw) is not None
    return _PROOF.search(raw) is not None


def _is_valid_utf_8(raw: bytes) -> bool:
    """Cut text may end inside a letter."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _is_cut(raw, error)
    return True


def _attempt(raw: bytes, name: str) -> str | None:
    """The text in that charset; None if too little of it makes sense."""
    try:
        if name == "iso-2022-jp":
            return _kept(jis.decoded(raw))
        text = raw.decode(name)
        return unicodedata.normalize("NFC", text) if name in _COMBINING else text
    except UnicodeDecodeError as error:
        return _repaired(raw, name, error)
    except (ValueError, LookupError):
        return None


def _repaired(raw: bytes, name: str, error: UnicodeDecodeError) -> str | None:
    """A few damaged letters do not change the charset."""
    if _is_cut(raw, error):
        return _patched(raw, name).rstrip("\ufffd")
    around = raw[max(error.start - _LOOKED_AT, 0) : error.start + _LOOKED_AT]
    if name == "cp1252" or _kept(_patched(around, name)) is None:
        return None
    return _kept(_patched(raw, name))


def _is_cut(raw: bytes, error: UnicodeDecodeError) -> bool:
    """Whether the text ends inside a letter, after other letters of its charset. "Café" in windows-1252 is not cut
    UTF-8."""
    return error.reason in _ENDS_WITHIN and not raw[: error.start].isascii()


def _patched(raw: bytes, name: str) -> str:
    return jis.completed(raw, name) if name in _MULTIBYTE else raw.decode(name, "replace")


def _kept(text: str) -> str | None:
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text if text.count("\ufffd") * 3 <= beyond_ascii else None
