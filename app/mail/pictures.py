"""Finds the part that a picture in HTML means, by Content-ID (RFC 2392), Content-Location (RFC 2557) or file name.

Some programs percent-encode the id, omit `cid:`, or name the file instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

_ANOTHER_SERVER = re.compile(r"(?:https?:|//|www\.)", re.IGNORECASE)
_BEFORE_NAME = re.compile(r".*[/\\:]", re.DOTALL)
_NAMED = "name:"


class Picture(NamedTuple):
    """A part of a mail under every name that HTML may use. `number` as in IMAP ("2.1")."""

    number: str
    type: str
    filename: str
    content_id: str | None
    location: str | None = None


def names_of_parts(parts: Sequence[Picture]) -> dict[str, str]:
    """The names that HTML may use for these parts → part numbers. The first part wins."""
    names: dict[str, str] = {}
    for part in reversed(parts):
        if part.type.startswith("image/") or part.type == "application/octet-stream":
            names[f"{_NAMED}{part.filename.lower()}"] = part.number
    for part in reversed(parts):
        # RFC 2557 4.4.2: a long address is folded, and the blanks are not part of it.
        location = "".join((part.location or "").split())
        for name in (*_spellings(part.location or ""), *_spellings(location), *_spellings(part.content_id or "")):
            names[name] = part.number
    return names


def part_of(src: str, pictures: Mapping[str, str]) -> str | None:
    """The number of the part that holds the picture, or None."""
    is_cid = src[:4].lower() == "cid:"
    name = src[4:] if is_cid else src
    for spelling in _spellings(name):
        if spelling in pictures:
            return pictures[spelling]
    if _ANOTHER_SERVER.match(name):
        return None
    file = _BEFORE_NAME.sub("", unquote(name)).lower()
    return pictures.get(f"{_NAMED}{file.partition('@')[0] if is_cid else file}")


def _spellings(name: str) -> Iterator[str]:
    """The name as written, and percent-decoded; both without angle brackets, in lower case."""
    for spelling in (name, unquote(name)):
        if plain := spelling.strip().strip("<>").strip().lower():
            yield plain
