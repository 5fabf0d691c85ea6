"""Encodes names and sets of numbers for the wire: keywords, folders, UID sets.

Everything in a command passes through here. Otherwise CR and LF in a flag or folder name could end a line and begin
another command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from imapclient import imap_utf7

from app.keywords import KEYWORD
from app.mail.errors import Broken

#: Closed ranges of UIDs in the order of the server. Never expanded: a VANISHED answer may be 1:4294967295.
UidSet = list[tuple[int, int]]

SYSTEM_FLAGS = frozenset({"\\seen", "\\answered", "\\flagged", "\\deleted", "\\draft"})
MAX_UID = 2**32 - 1

_UIDS = re.compile(r"(?:\d+|\*)(?::(?:\d+|\*))?(?:,(?:\d+|\*)(?::(?:\d+|\*))?)*")


def checked_flag(name: str) -> bytes:
    """A system flag or keyword for a command. Raises ValueError if it is not an atom."""
    if name.lower() in SYSTEM_FLAGS or KEYWORD.fullmatch(name):
        return name.encode("ascii")
    raise ValueError(f"{name!r} cannot be a keyword: use at most 50 letters, digits and hyphens.")


def folder_on_wire(name: str) -> bytes:
    """A folder name, quoted and in modified UTF-7 (RFC 3501 5.1.3)."""
    if not name or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise ValueError(f"{name!r} cannot be the name of a folder.")
    return _quoted(imap_utf7.encode(name))


def folder_in_utf8(name: str) -> bytes:
    """A folder name, quoted and in plain UTF-8, for servers that need that."""
    folder_on_wire(name)
    return _quoted(name.encode("utf-8"))


def folder_from_wire(raw: bytes) -> str | None:
    """The name that people see, or None for bytes that we could not encode again for the server."""
    try:
        name: str = imap_utf7.decode(raw)
        return name if imap_utf7.encode(name) == raw else None
    except (UnicodeError, ValueError):
        return None


def uid_set(uids: str | Iterable[int]) -> bytes:
    """`1:3,7` for 1, 2, 3, 7. A complete set such as `1:*` is checked and returned."""
    if isinstance(uids, str):
        if not _UIDS.fullmatch(uids):
            raise ValueError(f"{uids!r} is not a set of UIDs.")
        return uids.encode("ascii")
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ranges(uids)).encode()


def ranges(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Sorted closed ranges that cover exactly these UIDs."""
    low = high = 0
    for uid in sorted(set(uids)):
        if not 0 < uid <= MAX_UID:
            raise ValueError(f"{uid} is not a UID.")
        if uid == high + 1 and low:
            high = uid
            continue
        if low:
            yield low, high
        low = high = uid
    if low:
        yield low, high


def parsed_uid_set(raw: bytes) -> UidSet:
    """The ranges of a set from the server, low end first."""
    try:
        return [_range(piece) for piece in raw.split(b",") if piece]
    except ValueError as error:
        raise Broken("The mail server sent an invalid set of UIDs.", answer=repr(raw[:80])) from error


def expanded(uids: UidSet, at_most: int) -> list[int]:
    """The single UIDs of a set, in the server's order, at most `at_most`: a larger set cannot be true."""
    if sum(high - low + 1 for low, high in uids) > at_most:
        raise Broken("The mail server returned more messages than requested.")
    return [uid for low, high in uids for uid in range(low, high + 1)]


def _quoted(raw: bytes) -> bytes:
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _range(piece: bytes) -> tuple[int, int]:
    low, _, high = piece.partition(b":")
    first = int(low)
    last = int(high) if high else first
    return (first, last) if first <= last else (last, first)
