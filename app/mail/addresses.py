"""People in From, To and Cc. Never raises, and never makes two people of "Doe, John <john@x>"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.mail.charset import clean
from app.mail.headers import decoded_words

#: A quoted name, a comment, an address in brackets, a separator, or anything else.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|<[^<>]*>|[,;:]|[^"(<,;:]+|.', re.DOTALL)
_PLAUSIBLE = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+|\"[^\"]+\"@[^\s@<>\"]+")
_MAX = 1000
#: A name goes into every row of a list; a longer address no mail server takes (RFC 5321 4.5.3.1, with its quotes).
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 330


@dataclass(frozen=True)
class Address:
    """A name, possibly empty, and an address as it was written."""

    name: str
    address: str


def addresses(field: str) -> list[Address]:
    """The mailboxes in a header field; groups are flattened, what has no address is dropped."""
    found: list[Address] = []
    pending: list[str] = []
    for piece in [*_PIECE.findall(field), ","]:
        if piece == ":" and not any("@" in earlier for earlier in pending):
            pending = []  # the name of a group: `undisclosed-recipients:;`
        elif piece not in ",;":
            pending.append(piece)
        elif address := _address(pending):
            found.append(address)
            pending = []
        elif piece == ";":
            pending = []
        elif pending:
            pending.append(piece)  # a comma within an unquoted name
    return found[:_MAX]


def _address(pieces: list[str]) -> Address | None:
    bracketed = [piece for piece in pieces if piece.startswith("<") and "@" in piece]
    comments = [piece[1:-1] for piece in pieces if piece.startswith("(")]
    words = [piece for piece in pieces if not piece.startswith(("<", "("))]
    if bracketed:
        address, name = bracketed[-1].strip("<>"), _name(words)
    else:
        address, name = "".join(words), ""
        found = _PLAUSIBLE.search(address)
        if found is None:
            return None
        name, address = _name([address[: found.start()]]), found[0]
    address = re.sub(r"\s+", "", clean(decoded_words(address)))
    if "@" not in address.strip("@") or len(address) > _LONGEST_ADDRESS:
        return None
    return Address((name or decoded_words(" ".join(comments)).strip())[:_LONGEST_NAME], address)


def _name(words: list[str]) -> str:
    plain = "".join(_unquoted(word) for word in words)
    return clean(" ".join(decoded_words(plain).split()).strip("'\" "))


def _unquoted(word: str) -> str:
    if word.startswith('"'):
        word = word.strip('"')
        return re.sub(r"\\(.)", r"\1", word) if "\\" in word else word
    return word
