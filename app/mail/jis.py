"""Letters of East Asian mail that Python's codecs lack.

Real ISO-2022-JP contains NEC's row 13 (① ㈱) and half-width kana. Real Big5 contains letters of ETEN and Hong Kong, and
real GBK has the euro as one byte. Python stops at them, and in Big5 one unknown pair shifts all letters after it. Each
codec here continues after the pair. Never raises.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Callable

#: The name of the error handler. It looks up letters that a codec does not know, always as whole letters.
_ERRORS = "app.mail.jis"
#: Looking up a letter takes a microsecond. Data with more unknown letters or changes of charset than this is not text.
_MOST_UNKNOWN = 20_000
_MOST_ESCAPES = 50_000
_budget = threading.local()

#: ISO-2022-JP's escape sequences (RFC 1468, RFC 1554, JIS X 0213), and the shifts of 7-bit JIS.
_ESCAPE = re.compile(rb"\x1b(\([BJHIT]|\$\(?[@BACDOPQ])|([\x0e\x0f])")
_HIGH = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))
_ROMAN = {0x5C: "¥", 0x7E: "‾"}
_TRAIL = 0x80


def decoded(raw: bytes) -> str:
    """ISO-2022-JP, including its variants that are sent under that name."""
    if raw.count(b"\x1b") > _MOST_ESCAPES:
        return raw.decode("iso2022_jp", "replace")
    pieces: list[str] = []
    at, charset = 0, b"(B"
    for escape in _ESCAPE.finditer(raw):
        pieces.append(_segment(charset, raw[at : escape.start()]))
        at = escape.end()
        charset = escape[1] or (b"(I" if escape[2] == b"\x0e" else b"(B")
    pieces.append(_segment(charset, raw[at:]))
    return "".join(pieces)


def completed(raw: bytes, codec: str) -> str:
    """The text in a multi-byte charset. Pairs that Python does not know are looked up or become U+FFFD."""
    _budget.left = _MOST_UNKNOWN
    try:
        return raw.decode(codec, _ERRORS)
    except UnicodeDecodeError:
        return raw.decode(codec, "replace")


def _segment(charset: bytes, raw: bytes) -> str:
    if charset.startswith(b"$"):
        return _double(charset[-1:], raw)
    if charset == b"(I":
        return completed(raw.translate(_HIGH), "cp932")
    text = raw.decode("ascii", "replace")
    return text.translate(_ROMAN) if charset == b"(J" else text


def _double(final: bytes, raw: bytes) -> str:
    raw = raw.translate(_HIGH)
    match final:
        case b"A":
            return completed(raw, "gb18030")
        case b"C":
            return completed(raw, "cp949")
        case b"O" | b"Q":
            return completed(raw, "euc_jis_2004")
        case b"D" | b"P":
            third = re.sub(rb"[\xa1-\xfe]{2}", rb"\x8f\g<0>", raw)
            return completed(third, "euc_jp" if final == b"D" else "euc_jis_2004")
    return completed(raw, "euc_jp")


def _from_jis_row(pair: bytes) -> str:
    """A pair of EUC-JP as Windows reads it: rows 13 and 89 to 92 are NEC's and IBM's."""
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead = (row >> 1) + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row & 1 else cell + 0x40 + (cell >= 63)
    return bytes((lead, trail)).decode("cp932")


def _from(other: str) -> Callable[[bytes], str]:
    return lambda pair: pair.decode(other)


_ELSEWHERE: dict[str, Callable[[bytes], str]] = {
    "cp950": _from("big5hkscs"),
    "euc_jp": _from_jis_row,
    "euc_jis_2004": _from_jis_row,
    "cp932": _from("shift_jis_2004"),
}


def _unknown(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _budget.left -= 1
    if _budget.left < 0:
        raise error
    at = error.start
    pair = error.object[at : at + 2]
    if error.encoding == "gb18030" and pair[:1] == b"\x80":
        return "€", at + 1
    look_up = _ELSEWHERE.get(error.encoding)
    if look_up and len(pair) == 2:
        try:
            return look_up(pair), at + 2
        except (UnicodeDecodeError, ValueError):
            pass
    return "\ufffd", at + (2 if len(pair) == 2 and pair[1] >= _TRAIL else 1)


codecs.register_error(_ERRORS, _unknown)
