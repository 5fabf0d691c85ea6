"""Header fields as they really arrive: folded in any way, 8-bit, with encoded words in every wrong place.

Never raises. Values are text; `Headers.text` undoes RFC 2047, `Parameters` RFC 2231. Raw non-ASCII letters in a field
have the charset of the mail's text, because programs that write them know only one.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, KeysView
from functools import cached_property, lru_cache
from itertools import islice
from urllib.parse import unquote_to_bytes

from app.mail.charset import decoded

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
#: An encoded word. In Q, real programs leave `?` unencoded, even before `=C3`. No word reaches into the next one.
_WORD = re.compile(
    r"=\?([^?*\s]{1,60})(?:\*[^?\s]*)?\?"
    r"([bB]\?[^?]*|[qQ]\?(?:[^?=]|=(?!\?[^?\s]{1,60}\?[bBqQ]\?)|\?(?!=)|\?=(?=[0-9A-F]{2}[^?]{0,200}\?=))*)\?="
)
#: A word at the end of a field that was cut to a maximum length.
_CUT_WORD = re.compile(
    r"=\?[^?*\s]{1,60}\?(?:[bB]\?[A-Za-z0-9+/]{8,}={0,2}|[qQ]\?[^?\s=]*(?:=[0-9A-F]{2}[^?\s=]*)+=?[0-9A-F]?)\??\Z"
)
_CUT_LETTER = re.compile(r"(?:=[0-9A-F]?)?\??\Z")
#: The same on bytes, with raw non-ASCII letters.
_RAW_WORD = re.compile(rb"=\?[^?\s]{1,80}\?[qQ]\?(?:[^?=]|=(?!\?)|\?(?!=))*")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
#: Between pieces of base64.
BASE64_PIECES = re.compile(rb"={1,2}\s{0,4}(?=[A-Za-z0-9+/])")
URL_SAFE = bytes.maketrans(b"-_", b"+/")
#: White space between two encoded words belongs to neither (RFC 2047 6.2).
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]+\?[bBqQ]\?)")
#: Characters that change the direction of text ("exe.gnp"), control characters, and invisible characters.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff]+")
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*(?:"|$)|[^;]*)', re.DOTALL)
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?")
#: Fields that are always read, because a mail could not be shown or recognised without them. A mail may have any number
#: of others before them.
_MAX_FIELDS = 2000
_NEEDED = re.compile(
    rb"^(from|sender|reply-to|to|cc|subject|date|message-id|in-reply-to|references|return-path|auto-submitted|precedence"
    rb"|list-id|mime-version|content-type|content-transfer-encoding|content-disposition)[ \t]*:(.*(?:\n[ \t].*)*)",
    re.MULTILINE | re.IGNORECASE,
)
#: Characters of a field that are read.
_MAX_TEXT = 64 * 1024
#: Pieces of base64 that are padded separately. The rest after them is read as one piece.
_MOST_PIECES = 1000


class Headers:
    """The fields of a header block. Names are case-insensitive; lines that are not fields are skipped.

    `charset`: the charset of the text around a block whose own Content-Type declares none."""

    def __init__(self, block: bytes, charset: Callable[[], str | None] = lambda: None) -> None:
        self._charset = charset
        self._fields: dict[str, list[bytes]] = {}
        self._values: dict[bytes, str] = {}
        block = block.lstrip(b" \t")  # a first line that begins with a space has nothing to continue
        end = 0
        for match in islice(_FIELD.finditer(block), _MAX_FIELDS):
            name, value = match.groups()
            self._fields.setdefault(_name(name), []).append(value)
            end = match.end()
        for match in islice(_NEEDED.finditer(block, end), _MAX_FIELDS):
            name, value = match.groups()
            self._fields.setdefault(_name(name), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def names(self) -> KeysView[str]:
        """The names of the fields, in lower case."""
        return self._fields.keys()

    @cached_property
    def charset(self) -> str | None:
        """The charset of raw letters in these fields, if the mail declares it."""
        kinds = self._fields.get("content-type", ())
        return next((c for raw in kinds if (c := Parameters(_unfolded(raw)).params.get("charset"))), None) or (
            self._charset()
        )

    def all(self, name: str) -> list[str]:
        """All values of a field, unfolded. `name` in lower case."""
        return [self._value(raw) for raw in self._fields.get(name, ())]

    def get(self, name: str) -> str | None:
        """The first value of a field, unfolded."""
        raw = self._fields.get(name)
        return self._value(raw[0]) if raw else None

    def text(self, name: str) -> str:
        """The first value, decoded, on one line; empty if the field is missing."""
        value = self.get(name)
        return one_line(decoded_words(value[:_MAX_TEXT])) if value else ""

    def _value(self, raw: bytes) -> str:
        value = self._values.get(raw)
        if value is None:
            value = self._values[raw] = _unfolded(raw, None if raw.isascii() else self.charset)
        return value


class Parameters:
    """`text/plain; charset=utf-8`: the value in lower case, and its parameters by lower-case name."""

    def __init__(self, field: str) -> None:
        value, more, _ = field.partition(";")
        self.value = value.strip().lower()
        pairs = _PARAMETER.findall(field, len(value)) if more else ()
        self.params = _collapsed((name, _unquoted(raw)) for name, raw in pairs) if pairs else {}

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Parameters:
        """Parameters that are separate already, as in BODYSTRUCTURE."""
        found = cls("")
        found.params = _collapsed(pairs)
        return found


@lru_cache(maxsize=512)  # all mails have the same fields
def _name(written: bytes) -> str:
    return written.decode("ascii").lower()


def decoded_words(value: str) -> str:
    """Undo RFC 2047. Neighbouring words of one charset are joined first, because many programs cut inside a letter."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending: list[bytes] = []
    charset, end = "", 0
    value = _BETWEEN_WORDS.sub(r"\1", value)
    if _CUT_WORD.search(value):
        value = _CUT_LETTER.sub("", value) + "?="
    for word in _WORD.finditer(value):
        if word.start() > end or word[1].lower() != charset:
            pieces += [decoded(b"".join(pending), charset or None), value[end : word.start()]]
            pending, charset = [], word[1].lower()
        pending.append(_word_bytes(word[2]))
        end = word.end()
    return "".join([*pieces, decoded(b"".join(pending), charset or None), value[end:]])


def one_line(text: str) -> str:
    """A sender's text made fit for our lines: without invisible characters and those that change direction."""
    return " ".join((text if text.isprintable() else _UNSEEN.sub("", text)).split())


def from_base64(raw: bytes) -> bytes:
    """Decode base64 in spite of junk, missing padding, cut ends, and pieces that are padded separately."""
    pieces = BASE64_PIECES.split(raw, _MOST_PIECES) if raw.find(b"=", 0, len(raw) - 4) >= 0 else [raw]
    return b"".join(map(_from_base64_piece, pieces))


def _from_base64_piece(raw: bytes) -> bytes:
    if b"-" in raw or b"_" in raw:  # the URL-safe alphabet (RFC 4648 section 5)
        raw = raw.translate(URL_SAFE)
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _word_bytes(word: str) -> bytes:
    """The bytes of `B?…` or `Q?…`. Python's own decoder of Q drops a `=` that is not part of an escape, so we decode it
    here."""
    raw = word[2:].encode("utf-8", "surrogateescape")
    if word[0] in "bB":
        return from_base64(raw)
    return _HEX.sub(lambda found: bytes((int(found[1], 16),)), raw.replace(b"_", b" "))


def _unfolded(raw: bytes, charset: str | None = None) -> str:
    line = raw.strip()
    if b"\n" in line or b"\r" in line:
        line = line.replace(b"\r", b"").replace(b"\n", b"").strip()
    if b"=?" in line and not line.isascii():  # raw letters in an encoded word have the charset of the word
        line = _RAW_WORD.sub(lambda word: _BEYOND_ASCII.sub(lambda byte: b"=%02X" % byte[0][0], word[0]), line)
    return decoded(line, charset)


def _unquoted(raw: str) -> str:
    raw = raw.strip()
    if not raw.startswith('"'):
        return raw
    inner = raw[1 : -1 if len(raw) > 1 and raw.endswith('"') else None]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def _collapsed(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the pieces of RFC 2231 (`name*0*`, `name*1`), and undo RFC 2047 where it is not allowed but used."""
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
    """The pieces in their order. Percent-encoded neighbours are joined first, because a letter may be cut between
    them."""
    charset, texts = "", []
    pending = b""
    for at, (number, (value, extended)) in enumerate(sorted(pieces.items())):
        if number != at:
            break
        if extended and at == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        if extended:
            pending += unquote_to_bytes(value)
        else:
            texts += [decoded(pending, charset or None), value]
            pending = b""
    return "".join([*texts, decoded(pending, charset or None)])
