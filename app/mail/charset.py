"""Bytes to text, whatever a mail claims about itself. Never raises.

Labels mean what browsers take them for (WHATWG Encoding): "iso-8859-1" is windows-1252, "gb2312" is gb18030. Python's
codecs are used where they know the same letters; `jis.py` adds what they lack. Order: valid UTF-8 under a label that
cannot mean it, the label, UTF-8, a guess, windows-1252, latin-1. A label of Western letters is not believed where the
guess is sure of others: many programs write it by habit.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

from webencodings import lookup

from app.mail import jis
from app.mail.guess import better_than_western, guessed

#: Encodings of browsers that Python calls something else, or knows only a part of.
_CODECS = {
    "big5": "cp950",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "utf-16le": "utf-16",  # with regard for a byte order mark
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
}
#: Labels that browsers do not know and mail uses; "x-user-defined" stands for "nobody said".
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
#: "windows1251", "win-1251", "x-cp1251" and "ms936" are code pages by number.
_CODE_PAGE = re.compile(r"(?:x-)?(?:cp|ibm|ms|win|windows)[-_ ]?(\d{3,5})")
#: Codecs of Python that are no charsets of mail, or take quadratic time.
_NEVER = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
#: These write other letters in ASCII bytes; all other charsets agree with ASCII.
_HIDING = ("utf-16", "utf-32", "utf-7", "iso2022", "iso-2022", "hz")
_MULTIBYTE = frozenset({"cp932", "cp949", "cp950", "euc-jp", "gb18030", "johab", "shift_jis_2004", "euc_jis_2004"})
#: UTF-8 as real text of a single-byte charset hardly writes it. A pair at the end of a word may be "CAFÉ»".
_PROOF = re.compile(rb"[\xc2\xc3][\x80-\xbf]|[\xe0-\xf4][\x80-\xbf]{2}|[\xc4-\xda][\x80-\xbf][A-Za-z\xc4-\xda]")
_THREE_BYTES = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}")
_WITHIN_WORD = re.compile(rb"[A-Za-z](?:\xc3[\x80-\xbf]){1,2}[A-Za-z]")
#: This many three-byte letters in valid UTF-8 are not an accident, whatever the label says.
_MANY = 3
_ENDS_WITHIN = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")
_LOOKED_AT = 64 * 1024
#: Where ISO 8859 has control characters, which no mail holds, programs of Windows write letters and punctuation.
_CONTROL = re.compile(rb"[\x80-\x9f]")
#: Vietnamese, whose tones follow their letters.
_COMBINING = ("cp1258", "windows-1258")
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
    declared = codec(charset) if charset else None
    if raw.isascii() and not (declared and declared.startswith(_HIDING)):
        if b"\x1b$" not in raw:
            return raw.decode("ascii").replace("\x00", "")
        declared = "iso-2022-jp"  # nothing else begins like that
    return clean(_decoded(raw, declared)).removeprefix("\ufeff")


def likely_charset(head: bytes, body: bytes) -> str | None:
    """The charset of a mail that names none, from its lines beyond ASCII. None: UTF-8, or nothing to guess from."""
    lines = [line for line in (*head.split(b"\n"), *body[:_LOOKED_AT].split(b"\n")) if not line.isascii()]
    sample = b"\n".join(lines)
    return None if not sample or _is_valid_utf_8(sample) else guessed(sample)


@lru_cache(maxsize=256)
def codec(label: str) -> str | None:
    """The codec for a declared charset; None for one that does not exist or is no charset of text."""
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
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # it counts more than a label, as in browsers
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
    """The label, or a charset that surely fits better, or None where the label cannot be right."""
    if declared == "windows-1252":
        return better_than_western(raw) or declared
    if declared and declared.startswith("iso-8859-") and _CONTROL.search(raw):
        return None
    return declared


def _is_utf_8_all_the_same(raw: bytes, declared: str) -> bool:
    """Whether these bytes are UTF-8 under the label of something else: the bytes are right, forms are not."""
    if declared == "utf-8" or declared.startswith(_HIDING):
        return False
    if raw.startswith(codecs.BOM_UTF8):
        return True
    if not _is_valid_utf_8(raw):  # many times faster than looking for a proof
        return False
    if declared in _MULTIBYTE:
        return len(_THREE_BYTES.findall(raw[:4096])) >= _MANY or _WITHIN_WORD.search(raw) is not None
    return _PROOF.search(raw) is not None


def _is_valid_utf_8(raw: bytes) -> bool:
    """Text that was cut may end within a letter."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _is_cut(raw, error)
    return True


def _attempt(raw: bytes, name: str) -> str | None:
    """The text in that charset, None where too little of it makes sense."""
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
    """A few damaged letters do not make it another charset."""
    if _is_cut(raw, error):
        return _patched(raw, name).rstrip("\ufffd")
    around = raw[max(error.start - _LOOKED_AT, 0) : error.start + _LOOKED_AT]
    if name == "cp1252" or _kept(_patched(around, name)) is None:
        return None
    return _kept(_patched(raw, name))


def _is_cut(raw: bytes, error: UnicodeDecodeError) -> bool:
    """Whether the text ends within a letter, after others of its charset: "Café" in windows-1252 is no cut UTF-8."""
    return error.reason in _ENDS_WITHIN and not raw[: error.start].isascii()


def _patched(raw: bytes, name: str) -> str:
    return jis.completed(raw, name) if name in _MULTIBYTE else raw.decode(name, "replace")


def _kept(text: str) -> str | None:
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text if text.count("\ufffd") * 3 <= beyond_ascii else None
