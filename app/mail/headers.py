"""Header fields as they really come: folded anyhow, 8-bit, with encoded words in every wrong place.

Nothing here raises. Values are text; `Headers.text` undoes RFC 2047, `Parameters` RFC 2231.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, KeysView
from urllib.parse import unquote_to_bytes

from app.mail.charset import decoded

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
#: White space between two encoded words belongs to neither (RFC 2047 6.2).
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]+\?[bBqQ]\?)")
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*(?:"|$)|[^;]*)', re.DOTALL)
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?")
_MAX_FIELDS = 2000


class Headers:
    """The fields of a header block. Names are case-insensitive; what is no field is passed over."""

    def __init__(self, block: bytes) -> None:
        self._fields: dict[str, list[bytes]] = {}
        for at, found in enumerate(_FIELD.finditer(block)):
            if at >= _MAX_FIELDS:
                break
            self._fields.setdefault(found[1].decode("ascii").lower(), []).append(found[2])

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def names(self) -> KeysView[str]:
        """The names of the fields that are there, in lower case."""
        return self._fields.keys()

    def all(self, name: str) -> list[str]:
        """Every value of a field, unfolded. `name` in lower case."""
        return [_unfolded(raw) for raw in self._fields.get(name, ())]

    def get(self, name: str) -> str | None:
        """The first value of a field, unfolded."""
        raw = self._fields.get(name)
        return _unfolded(raw[0]) if raw else None

    def text(self, name: str) -> str:
        """The first value as people read it; empty when the field is missing."""
        return decoded_words(self.get(name) or "")


class Parameters:
    """`text/plain; charset=utf-8`: the value in lower case, and its parameters by lower-case name."""

    def __init__(self, field: str) -> None:
        value, more, _ = field.partition(";")
        self.value = value.strip().lower()
        found = _PARAMETER.findall(field, len(value)) if more else ()
        self.params = _collapsed((name, _unquoted(raw)) for name, raw in found) if found else {}

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Parameters:
        """Parameters that come apart already, as in BODYSTRUCTURE."""
        found = cls("")
        found.params = _collapsed(pairs)
        return found


def decoded_words(value: str) -> str:
    """Undo RFC 2047. Neighbouring words of one charset are joined first: many programs cut within a letter."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset, end = b"", "", 0
    value = _BETWEEN_WORDS.sub(r"\1", value)
    for word in _WORD.finditer(value):
        if word.start() > end or word[1].lower() != charset:
            pieces += [decoded(pending, charset or None), value[end : word.start()]]
            pending, charset = b"", word[1].lower()
        pending += _word_bytes(word[2], word[3])
        end = word.end()
    return "".join([*pieces, decoded(pending, charset or None), value[end:]])


def from_base64(raw: bytes) -> bytes:
    """Base64 with junk, missing padding and cut ends forgiven."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _word_bytes(how: str, content: str) -> bytes:
    raw = content.encode("utf-8", "surrogateescape")
    return from_base64(raw) if how in "bB" else binascii.a2b_qp(raw, header=True)


def _unfolded(raw: bytes) -> str:
    line = raw.replace(b"\r", b"").replace(b"\n", b"") if b"\n" in raw or b"\r" in raw else raw
    return decoded(line.strip())


def _unquoted(raw: str) -> str:
    raw = raw.strip()
    if not raw.startswith('"'):
        return raw
    inner = raw[1 : -1 if len(raw) > 1 and raw.endswith('"') else None]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def _collapsed(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the pieces of RFC 2231 (`name*0*`, `name*1`), and undo RFC 2047 where it should not be."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in pairs:
        found = _SECTION.fullmatch(name.lower()) if "*" in name else None
        if found and (found[2] or found[3]):
            pieces.setdefault(found[1], {}).setdefault(int(found[2] or 0), (value, bool(found[3])))
        else:
            plain.setdefault(name.lower(), decoded_words(value))
    return plain | {name: _joined(found) for name, found in pieces.items()} if pieces else plain


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    charset, raw = "", b""
    for at, (number, (value, extended)) in enumerate(sorted(pieces.items())):
        if number != at:
            break
        if extended and at == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if extended else value.encode("utf-8", "surrogateescape")
    return decoded(raw, charset or None)
