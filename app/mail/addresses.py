"""People in From, To and Cc, as they were written. Never raises, and never makes two people of "Doe, John <john@x>"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.mail.charset import clean
from app.mail.headers import decoded_words, one_line

#: An encoded word, a quoted name, a comment (RFC 5322 3.2.2 lets them nest), brackets, a separator, anything else.
_PIECE = re.compile(
    r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?="
    r'|"(?:[^"\\]|\\.){0,2000}+"'
    r"|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\([^()]*\)){0,200}\)){0,1000}+\)"
    r'|<[^<>]*>|[,;:]|[^"(<,;:=]+|.',
    re.DOTALL,
)
_PLAUSIBLE = re.compile(r"(?<![^\s@<>\"])[^\s@<>\"]++@[^\s@<>\"]+|\"[^\"]+\"@[^\s@<>\"]+")
#: A route (RFC 5322 4.4) or a scheme in front of an address.
_ROUTE = re.compile(r"\s*(?:@[^:]*|mailto|smtp):", re.IGNORECASE)
_BRACKETS = re.compile(r"<([^<>]*)>")
#: A blank in an address is a mistake, except inside a quoted local part (RFC 5321 4.1.2).
_BLANKS = re.compile(r"(\"[^\"]*\")|\s+")
_COMMENT = re.compile(r"\([^()]*\)")
_MAX = 1000
#: Only this much of a field is read; no real field is longer.
_MOST_LETTERS = 100_000
#: Fields up to this length are cached.
_CACHED_FIELD = 200
#: With more escapes, a search would run through the whole field from each quote. No name has that many.
_MOST_ESCAPES = 1000
#: A name is stored in every row of a list. No mail server accepts a longer address (RFC 5321 4.5.3.1, plus quotes).
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 330


@dataclass(frozen=True)
class Address:
    """A name, possibly empty, and an address as it was written. Machines on a local network write an address without a
    domain ("root"), which `address` keeps, or none, which leaves it empty. At least one of the two is not empty."""

    name: str
    address: str


def addresses(field: str) -> list[Address]:
    """The mailboxes in a header field; groups are flattened. A field without any address becomes one person with that
    name."""
    return list(_seen_before(field)) if len(field) <= _CACHED_FIELD else _addresses(field)


@lru_cache(maxsize=2048)
def _seen_before(field: str) -> Sequence[Address]:
    """Most mails of a mailbox have the same address in To."""
    return tuple(_addresses(field))


def _addresses(field: str) -> list[Address]:
    found: list[Address] = []
    pending: list[str] = []
    if len(field) > _MOST_LETTERS:  # after an endless name, the address is at the end
        field = field[: _MOST_LETTERS // 2] + field[-_MOST_LETTERS // 2 :]
    if field.count("\\") > _MOST_ESCAPES:
        field = field.replace("\\", "")
    may_be_one = False  # we look for an address only where a piece looks like one, so that time stays linear
    pieces = _PIECE.findall(field)
    for piece in [*pieces, ","]:
        if piece == ":" and not may_be_one:
            pending = []  # the name of a group: `undisclosed-recipients:;`
        elif piece not in ",;":
            pending.append(piece)
            may_be_one = may_be_one or "@" in piece or piece.startswith("<")
        elif may_be_one and (address := _address(pending)):
            found.append(address)
            pending, may_be_one = [], False
            if len(found) == _MAX:
                break
        elif piece == ";" or may_be_one:
            pending, may_be_one = [], False
        elif pending:
            pending.append(piece)  # a comma within an unquoted name
    return found or _without_address(field, pieces)


def _address(pieces: list[str]) -> Address | None:
    words = [piece for piece in pieces if not piece.startswith("(") and not _BRACKETS.fullmatch(piece)]
    bracketed = [match[1] for piece in pieces if (match := _BRACKETS.fullmatch(piece)) and match[1].strip()]
    if with_at := [written for written in bracketed if "@" in written]:
        return _person(_name(words).strip("<> ") or _comments(pieces), with_at[-1])
    written = "".join(words)
    if match := _PLAUSIBLE.search(written):
        return _person(_name([written[: match.start()].rstrip(" \t<")]) or _comments(pieces), match[0])
    if not bracketed:
        return None
    if len(bracketed[-1].split()) > 1:  # more than one word cannot be an address
        return Address(_cut(one_line(" ".join([_name(words), f"<{bracketed[-1]}>"]))), "")
    return _person(_name(words) or _comments(pieces), bracketed[-1])


def _without_address(field: str, pieces: list[str]) -> list[Address]:
    """A field that a device or a script wrote (`root (Cron Daemon)`, `Telefonanlage`), or an address inside an encoded
    word."""
    plain = decoded_words(field)
    if plain != field and "@" in plain:
        return addresses(plain)
    if ":" in pieces:
        pieces = pieces[len(pieces) - pieces[::-1].index(":") :]  # the name of a group is not a person
    while pieces and pieces[-1] in ",;":
        pieces.pop()
    name, comments = _name([piece for piece in pieces if not piece.startswith(("<", "("))]), _comments(pieces)
    if name and " " not in name:
        return [Address(_cut(comments), name)] if len(name) <= _LONGEST_ADDRESS else []
    return [Address(_cut(name or comments), "")] if name or comments else []


def _person(name: str, written: str) -> Address | None:
    """None if the text cannot be an address. A name that repeats the address is dropped."""
    written = decoded_words(_COMMENT.sub("", written))
    address = _BLANKS.sub(r"\1", clean(one_line(_ROUTE.sub("", written, count=1))))
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if not address.strip("@") or len(address) > _LONGEST_ADDRESS:
        return None
    repeats = "@" in address and name.casefold() == address.casefold()
    return Address("" if repeats else _cut(name), address)


def _cut(name: str) -> str:
    return name[:_LONGEST_NAME]


def _comments(pieces: list[str]) -> str:
    comments = (piece[1:-1] for piece in pieces if piece.startswith("("))
    return one_line(clean(decoded_words(" ".join(comments))))


def _name(words: list[str]) -> str:
    name = one_line(clean(decoded_words("".join(_unquoted(word) for word in words))))
    for quote in "'\"'":
        inner = name[1:-1]
        if len(name) > 1 and name[0] == name[-1] == quote and quote not in inner:
            name = inner.strip()
    return name


def _unquoted(word: str) -> str:
    if word.startswith('"'):
        word = word[1:-1] if len(word) > 1 and word.endswith('"') else word.strip('"')
        return re.sub(r"\\(.)", r"\1", word) if "\\" in word else word
    return word
