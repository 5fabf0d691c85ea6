"""Undoes the transfer encodings of parts (RFC 2045 section 6), however broken they are. Never raises.

A label is ignored if the content contradicts it: text labelled as base64, non-ASCII letters in quoted-printable.
Mailing lists and scanners add plain text after base64; it is kept.
"""

from __future__ import annotations

import binascii
import contextlib
import re

from app.mail.headers import from_base64
from app.mail.mime import Node

#: The line continues after it. Blanks that were added in transport mean nothing (RFC 2045 section 6.7, rule 3).
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n|\Z)")
#: An `=` that is neither an escape nor the end of a line. Some programs forget to encode it.
_BARE_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")
#: The same, or an `=` before digits that would make a control character, as in "width=100".
_BARE_EQUALS_OF_TEXT = re.compile(rb"=(?:(?![0-9A-Fa-f]{2}|\r?\n|\Z)|(?<=[\w\"]=)(?=0[1-8]|1[0-9A]))")
#: Sequences that only an encoding program writes.
_ENCODED = re.compile(rb"=(?:[89A-F][0-9A-F]|3D|20|0[0-9A-D]\b|[ \t]*\r?\n)")
_WHITE = b" \t\r\n"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_" + _WHITE
_LINE = re.compile(rb"[^\n]*\n?")
_ADDRESS = re.compile(rb"://|@")
#: Words of a text are shorter than the first; base64 that could be a word is shorter than the second.
_LONGEST_WORD, _LONGEST_DOUBT = 30, 60
#: In text at least one character in this many is a blank, or is not in base64.
_SPACED, _MUCH = 15, 8
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_BEGIN = re.compile(rb"^begin(-base64)? [0-7]{3,4} [^\n]*\n", re.MULTILINE)
UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_PLAIN = ("", "7bit", "8bit", "binary", "7-bit", "8-bit", "none")
#: For unknown encodings: only lines of base64, and a line that continues as in quoted-printable.
_LIKE_BASE64 = re.compile(rb"\s*(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]*={0,2}\s*")
_LIKE_QUOTED_PRINTABLE = re.compile(rb"=[89A-F][0-9A-F]|=\r?\n")


def content_of(node: Node, most: int | None = None) -> bytes:
    """The content of a part, or its first `most` bytes; empty if only the server has it."""
    if node.content is not None:
        return node.content[:most]
    raw = node.raw or b""
    raw = raw if most is None else raw[: 2 * most]
    return decoded_part(raw, node.encoding, is_text=node.type.startswith("text/"))[:most]


def decoded_part(raw: bytes, encoding: str, *, is_text: bool = False) -> bytes:
    """The content of a part. Unknown encodings are left as they are. `encoding`: in lower case. `is_text`: keep text
    after base64."""
    if encoding not in _PLAIN and encoding not in (*UUENCODE, "base64", "quoted-printable"):
        encoding = _recognized(raw)
    if encoding == "base64":
        return _from_base64(raw, is_text=is_text)
    if encoding == "quoted-printable":
        return _from_quoted_printable(raw, is_text=is_text)
    return _from_uuencode(raw) if encoding in UUENCODE else raw


def end_of_base64(raw: bytes) -> int:
    """Where the first line begins that is text and not base64; the length if there is none."""
    if not raw.translate(None, _BASE64) and b" " not in raw and b"-" not in raw and b"_" not in raw:
        return len(raw)
    return next((line.start() for line in _LINE.finditer(raw) if _is_text(line[0])), len(raw))


def _recognized(raw: bytes) -> str:
    if _LIKE_BASE64.fullmatch(raw):
        return "base64"
    return "quoted-printable" if raw.isascii() and _LIKE_QUOTED_PRINTABLE.search(raw) else ""


def _from_base64(raw: bytes, *, is_text: bool) -> bytes:
    end = end_of_base64(raw)
    if not is_text:
        is_whole = end in (0, len(raw))
        return raw if is_whole and _is_mostly_text(raw) else from_base64(raw if is_whole else raw[:end])
    if end == len(raw) > _LONGEST_DOUBT:
        return from_base64(raw)
    content, whole = from_base64(raw[:end]), from_base64(raw)
    if end < len(raw) and _is_readable(whole):
        return whole  # blanks within base64
    if not content or (end <= _LONGEST_DOUBT and not _is_likely(content, raw[:end].strip())):
        return raw
    return content + b"\n" + raw[end:] if end < len(raw) else content


def _is_text(line: bytes) -> bool:
    """Whether this line is text, although its letters may occur in base64."""
    words = line.split()
    if not words or not line.strip(b"= \t\r\n>"):
        return False
    junk = len(line.translate(None, _BASE64))
    several = len(words) > 1 and max(map(len, words)) < _LONGEST_WORD
    return (
        several or not line.isascii() or junk * 3 > len(line) or not _has_letters(line) or bool(_ADDRESS.search(line))
    )


def _has_letters(line: bytes) -> bool:
    return any(byte < 128 and chr(byte).isalnum() for byte in line[:200])


def _is_mostly_text(raw: bytes) -> bool:
    """Whether there is more than some junk and a few blanks inside base64."""
    is_prose = len(raw) > _LONGEST_DOUBT and raw.count(b" ") * _SPACED > len(raw)
    return is_prose or len(raw.translate(None, _BASE64)) * _MUCH > len(raw)


def _is_likely(content: bytes, raw: bytes) -> bool:
    """Whether such a short text was base64: its content is text, or it cannot be a word itself."""
    return _is_readable(content) or (len(raw) % 4 == 0 and not raw.isalpha())


def _is_readable(content: bytes) -> bool:
    try:
        return bool(content) and _CONTROL.search(content.decode("utf-8")) is None
    except UnicodeDecodeError:
        return False


def _from_quoted_printable(raw: bytes, *, is_text: bool) -> bytes:
    if _ENCODED.search(raw) is None and not raw.isascii():
        return raw
    every = b"=3D" in raw or b"=00" in raw  # a program that writes these encodes every `=`
    bare = _BARE_EQUALS_OF_TEXT if is_text and not every else _BARE_EQUALS
    if b"= " in raw or b"=\t" in raw:
        raw = _SOFT_BREAK.sub(b"=", raw)
    return binascii.a2b_qp(bare.sub(b"=3D", raw))


def _from_uuencode(raw: bytes) -> bytes:
    begin = _BEGIN.search(raw)
    if begin is None:
        return raw
    rest = raw[begin.end() :]
    if begin[1]:
        return from_base64(rest.partition(b"====")[0])
    content = bytearray()
    for line in rest.split(b"\n"):
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            content += binascii.a2b_uu(line)
        except binascii.Error:  # some programs declare a wrong length for a line; a cut line is dropped
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            with contextlib.suppress(binascii.Error):
                content += binascii.a2b_uu(line[:length])
    return bytes(content)
