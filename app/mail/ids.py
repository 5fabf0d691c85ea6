"""Message-IDs in Message-ID, In-Reply-To and References (RFC 5322 section 3.6.4), as mail programs really write them.

Ids keep their angle brackets: `<a@x>`. They may be folded, encoded words (RFC 2047: Python's email library encodes ids
of 78 and more characters), without brackets, in quotes, escaped for HTML (`&lt;a@x&gt;`) or for addresses (`a%40x`), or
in prose: `Message from Mia <mia@x> of "Monday" <id@y>` (RFC 822). Every pattern here is linear in the length of the
field.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import unquote

from app.mail.headers import Headers, decoded_words

#: Text in brackets, or a word of prose.
_PIECE = re.compile(r"<[^<>]*>|[^\s<>,;]+")
_COMMENT = re.compile(r"\([^()]*\)")
_NESTED = 3
_USUAL = re.compile(r"<[^<>\s@\"'`%:,;\[\]{}]+@[^<>\s@\"'`%:,;\[\]{}]+>")
#: A well-formed id; nearly all are.
_PLAIN = re.compile(r"<[\w.+=$/-]{1,400}@[\w.-]{1,400}>")
_ESCAPED = re.compile(r"&(?:amp;)?(?:lt|#0{0,3}60|#x0{0,2}3c);", re.IGNORECASE)
#: Quotes and brackets that programs put around an id.
_AROUND = re.compile(r"""(["'`])([^"'`]+)\1|\[([^\[\]]+)\]|\{([^{}]+)\}|[“‘]([^“”‘’]+)[”’]""")
_SCHEME = re.compile(r"mid:(?=[^:@]+(?:@|%40))", re.IGNORECASE)
#: Between ids in one pair of brackets.
_BETWEEN = re.compile(r"[\s,;]+")
_QUOTED_LOCAL = re.compile(r'"((?:[^"\\]|\\.)*)"(@.+)')
_BARE = re.compile(r"[^\s<>@()\"]+@[^\s<>@()\"]+")
#: An id without a domain is a word that somebody typed (`<yes>`), unless it is so long that only a program can have
#: made it.
_GENERATED = re.compile(r"(?=[^0-9]*[0-9])[\w.$!#%+=/-]{20,}")
#: Characters of a field that are read: half from its start, half from its end.
_MAX_FIELD = 64 * 1024
#: A longer id is replaced by its hash.
_MAX_ID = 900


def message_id(headers: Headers) -> str | None:
    """The mail's own id."""
    return first_id(headers.all("message-id"))


def first_id(values: Iterable[str]) -> str | None:
    """The first complete id in these fields; some mails have a broken one before it."""
    values = list(values)
    if values and _PLAIN.fullmatch(values[0]):
        return values[0]
    pieces = [piece for value in values for piece in _pieces(value)]
    bracketed = [piece for piece in pieces if piece.startswith("<") and piece != "<>"]
    whole = [piece for piece in bracketed if len(piece[1:-1].split()) < 2]
    bare = [piece for piece in pieces if _BARE.fullmatch(piece)]
    for piece in (*whole[:1], *bracketed[:1], *bare[:1]):
        return _normalized(piece)
    return None


def reference_ids(headers: Headers, people: Collection[str]) -> tuple[str | None, list[str]]:
    """(the id of the mail it answers, the other ids it refers to, oldest first).

    In-Reply-To may name several ids. The last one counts; the others are references. An address of `people` (lower
    case: everybody in the header) in brackets is not an id."""
    answered = [id_ for value in headers.all("in-reply-to") for id_ in _answered(value, people)]
    chain = [id_ for value in headers.all("references") for id_ in _ids(_pieces(value), people)]
    parent = answered[-1] if answered else None
    return parent, list(dict.fromkeys([*answered[:-1], *chain]))


def is_address(id_: str, addresses: Collection[str]) -> bool:
    """Whether a text in the place of an id is one of these addresses (lower case)."""
    return id_.strip("<>").removeprefix("mailto:").casefold() in addresses


def _answered(value: str, people: Collection[str]) -> list[str]:
    """The ids of In-Reply-To. In prose only the last one counts, because brackets before it hold somebody's address."""
    pieces = _pieces(value)
    ids = _ids(pieces, people)
    return ids[-1:] if _has_prose(pieces) else ids


def _ids(pieces: list[str], people: Collection[str]) -> list[str]:
    prose = _has_prose(pieces)
    normalized = (_normalized(piece) for piece in pieces if _is_id(piece) and (piece.startswith("<") or not prose))
    return list(dict.fromkeys(id_ for id_ in normalized if not is_address(id_, people)))


def _has_prose(pieces: list[str]) -> bool:
    """Whether there are words beside the ids. An address among them is then not an id without brackets."""
    return any(not piece.startswith("<") and "@" not in piece for piece in pieces)


def _is_id(piece: str) -> bool:
    if not piece.startswith("<"):
        return _BARE.fullmatch(piece) is not None
    inner = piece[1:-1].strip()
    before, at, after = inner.rpartition("@")
    return bool(before and after) if at else _GENERATED.fullmatch(inner) is not None


def _pieces(value: str) -> list[str]:
    """The texts in brackets, and the words beside them."""
    if len(value) > _MAX_FIELD:
        value = f"{value[: _MAX_FIELD // 2].rpartition(' ')[0]} {value[-_MAX_FIELD // 2 :].partition(' ')[2]}"
    if all(map(_PLAIN.fullmatch, words := value.split())):
        return words
    value = decoded_words(value)
    if "&" in value and _ESCAPED.search(value):
        value = html.unescape(html.unescape(value))
    for _ in range(_NESTED if "(" in value else 0):
        value = _COMMENT.sub(" ", value)
    return [one for piece in _PIECE.findall(value) for one in ((piece,) if _USUAL.fullmatch(piece) else _apart(piece))]


def _apart(piece: str) -> Iterator[str]:
    """A piece as a well-formed id, or several. One pair of brackets may hold several ids."""
    if not piece.startswith("<"):
        yield _spelt(piece.rstrip(".:"))
    elif piece.count("@") > 1 and all(map(_BARE.fullmatch, several := _BETWEEN.split(piece[1:-1].strip()))):
        yield from (f"<{one}>" for one in several)
    else:
        yield f"<{_spelt(piece[1:-1])}>"


def _spelt(inner: str) -> str:
    """An id without quotes around it, and with escapes undone."""
    if around := _AROUND.fullmatch(inner):
        inner = around[around.lastindex or 0]
    if inner[:4].lower() == "mid:":
        inner = _SCHEME.sub("", inner, count=1)
    return unquote(inner).strip("<>") if "%40" in inner and "@" not in inner else inner


def _normalized(piece: str) -> str:
    """One form for each id: no white space, no needless quotes (RFC 5256 section 2.2), limited length."""
    inner = "".join(piece.strip("<>").split())
    if inner.startswith('"') and (quoted := _QUOTED_LOCAL.fullmatch(inner)):
        inner = re.sub(r"\\(.)", r"\1", quoted[1]) + quoted[2]
    if len(inner) > _MAX_ID:
        inner = f"{hashlib.sha256(inner.encode('utf-8', 'replace')).hexdigest()}@sha256"
    return f"<{inner}>"
