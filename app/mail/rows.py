"""Our own tokenizer for FETCH answers (RFC 3501 7.4.2), so that no mail client can stop the sync.

Keywords such as `a[b`, `UID`, `123` or `NIL` are legal, but break IMAPClient's lexer for the whole batch. So each item
is read by its own grammar, in order. A search through the row as text would not be safe, because BODYSTRUCTURE contains
file names chosen by strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.mail.dates import YEARS
from app.mail.errors import Broken
from app.mail.tokens import Parts, TokenCursor, Value

_START = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_SIMPLE = re.compile(
    rb" ?(?:UID (?P<uid>\d{1,20})|FLAGS \((?P<flags>[^)]*)\)|MODSEQ \((?P<modseq>\d{1,20})\)"
    rb"|RFC822\.SIZE (?P<size>\d{1,20})|INTERNALDATE \"(?P<date>[^\"]*)\")(?=[ )])",
    re.IGNORECASE,
)
_NAME = re.compile(rb" ?([A-Z0-9.-]+(?:\[[^\]]*\])?(?:<\d+>)?) ", re.IGNORECASE)
_DATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass
class Row:
    """The values that one FETCH answer has for a message. None: not in the answer."""

    uid: int | None = None
    flags: tuple[str, ...] | None = None
    modseq: int | None = None
    size: int | None = None
    internaldate: datetime | None = None
    structure: Value = None
    bodies: dict[str, bytes] | None = None

    def take_from(self, other: Row) -> None:
        """A server may describe one message in several answers. The later value wins."""
        for name, value in vars(other).items():
            if value is not None:
                merged = {**(self.bodies or {}), **value} if name == "bodies" else value
                setattr(self, name, merged)


def rows(untagged: Iterable[Parts]) -> list[Row]:
    """The FETCH answers among these. Answers without a UID are dropped, because we cannot know their message."""
    found = [parsed_row(parts) for parts in untagged if _START.match(parts[0])]
    return [row for row in found if row.uid is not None]


def parsed_row(parts: Parts) -> Row:
    """One FETCH answer. Raises Broken if it is not one."""
    start = _START.match(parts[0])
    if start is None:
        raise Broken("The mail server's list of messages is not valid IMAP.", answer=repr(parts[0][:200]))
    row, cursor = Row(), TokenCursor(parts, start.end())
    while not cursor.closes():
        if simple := cursor.match(_SIMPLE):
            _take_simple(row, str(simple.lastgroup), simple[simple.lastgroup or 0])
        elif name := cursor.match(_NAME):
            _take(row, name[1].upper(), cursor.value())
        else:
            raise cursor.nonsense()
    return row


def _take_simple(row: Row, name: str, value: bytes) -> None:
    if name == "flags":
        # System flags get one spelling. \Recent says nothing about the mail (IMAP4rev2 dropped it).
        flags = value.decode("ascii", "replace").split()
        spelt = ("\\" + flag[1:].capitalize() if flag.startswith("\\") else flag for flag in flags)
        row.flags = tuple(flag for flag in spelt if flag != "\\Recent")
    elif name == "date":
        row.internaldate = _date(value)
    else:
        setattr(row, name, int(value))


def _take(row: Row, name: bytes, value: Value) -> None:
    if name == b"BODYSTRUCTURE":
        row.structure = value
    elif name.startswith(b"BODY[") and not isinstance(value, list):
        section = name[5 : name.index(b"]")].decode("ascii", "replace")
        row.bodies = {**(row.bodies or {}), section: value or b""}


def _date(raw: bytes) -> datetime | None:
    match = _DATE.fullmatch(raw)
    if match is None or match[2].decode().lower() not in _MONTHS:
        return None
    day, month, year, hour, minute, second, sign, *offset = (group.decode() for group in match.groups())
    try:
        date = f"{year}-{_MONTHS.index(month.lower()) + 1:02}-{int(day):02}"
        moment = datetime.fromisoformat(f"{date}T{hour}:{minute}:{second}{sign}{':'.join(offset)}")
        return moment.astimezone(UTC) if int(year) in YEARS else None
    except (ValueError, OverflowError):
        return None
