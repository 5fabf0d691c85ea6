"""Parses the server's answers about folders and flags (FETCH: rows.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.mail.errors import Broken
from app.mail.names import UidSet, expanded, folder_from_wire, parsed_uid_set
from app.mail.rows import rows
from app.mail.tokens import Parts, TokenCursor
from app.mail.values import FlagRow, FolderInfo, Selected
from app.mail.wire import Answer

_COPYUID = re.compile(rb"(?:\* OK )?\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]", re.IGNORECASE)
_APPENDUID = re.compile(rb"\[APPENDUID \d+ (\d{1,10})\]", re.IGNORECASE)
_VANISHED = re.compile(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)", re.IGNORECASE)
_ESEARCH = re.compile(rb"\* ESEARCH .*?\bALL ([\d:,]+)", re.IGNORECASE)
_STATUS_UIDNEXT = re.compile(rb"\([^()]*\bUIDNEXT (\d{1,20})[^()]*\)\s*\Z", re.IGNORECASE)
_ROW = re.compile(rb"\* \d+ FETCH ", re.IGNORECASE)
#: We do not believe a server that claims more than this.
_MOST_MESSAGES = 10_000_000
_MOST_MOVED = 500


def folder_info(parts: Parts) -> FolderInfo | None:
    """A folder from LIST; None for other answers, and for names that we could not encode again."""
    if not parts[0].upper().startswith(b"* LIST ("):
        return None
    cursor = TokenCursor(parts, len(b"* LIST "))
    flags, delimiter, raw = cursor.value(), cursor.value(), cursor.value()
    name = folder_from_wire(raw if isinstance(raw, bytes) else b"NIL")
    if not name or not isinstance(flags, list):
        return None
    known = frozenset(flag.decode("ascii", "replace").lower() for flag in flags if isinstance(flag, bytes))
    selectable = not known & {"\\noselect", "\\nonexistent"}
    between = delimiter.decode("ascii", "replace") if isinstance(delimiter, bytes) else None
    return FolderInfo(name, between, known, None, selectable)


def selected(name: str, answer: Answer, asked: tuple[int, int] | None, *, examined: bool) -> Selected:
    """The state of a folder from the answer to SELECT or EXAMINE. `asked` is the bookmark that was sent with it."""
    # Rows of messages are left out: keywords such as `[UIDNEXT` are a client's free choice.
    said = [parts[0] for parts in answer.untagged if not _ROW.match(parts[0])]
    uidvalidity = _number(said, rb"\* OK \[UIDVALIDITY (\d{1,20})\]")
    if not uidvalidity:
        raise Broken(f"The mail server reports no UIDVALIDITY for the folder {name!r}.")
    used = asked is not None and asked[0] == uidvalidity
    return Selected(
        name=name,
        exists=_number(said, rb"\* (\d{1,20}) EXISTS"),
        uidvalidity=uidvalidity,
        uidnext=_number(said, rb"\* OK \[UIDNEXT (\d{1,20})\]"),
        highestmodseq=_number(said, rb"\* OK \[HIGHESTMODSEQ (\d{1,20})\]") or None,
        keywords=_keywords(_words(said, rb"\* FLAGS \(([^)]*)\)")),
        permanent=_permanent(said),
        read_only=examined or answer.text.upper().startswith(b"[READ-ONLY]"),
        changes=flag_rows(answer.untagged) if used else [],
        vanished=vanished(answer.untagged) if used else [],
        qresync_used=used,
    )


def status_uidnext(answer: Answer) -> int:
    """UIDNEXT from STATUS; 0 if the answer has none."""
    found = [match for parts in answer.untagged if (match := _STATUS_UIDNEXT.search(parts[-1]))]
    return int(found[-1][1]) if found else 0


def flag_rows(untagged: list[Parts]) -> list[FlagRow]:
    """The flags in FETCH answers."""
    return [
        FlagRow(row.uid, row.flags, row.modseq)
        for row in rows(untagged)
        if row.uid is not None and row.flags is not None
    ]


def vanished(untagged: list[Parts]) -> UidSet:
    """The UIDs in VANISHED (RFC 7162), as ranges."""
    found = (_VANISHED.match(parts[0]) for parts in untagged)
    return [span for match in found if match for span in parsed_uid_set(match[1])]


def searched(untagged: list[Parts]) -> Iterator[int]:
    """The UIDs that SEARCH or ESEARCH (RFC 4731) found."""
    for parts in untagged:
        line = parts[0]
        if line[:8].upper() == b"* SEARCH":
            yield from (int(word) for word in line[8:].split() if word.isdigit() and len(word) <= 10)
        elif match := _ESEARCH.match(line):
            yield from expanded(parsed_uid_set(match[1]), _MOST_MESSAGES)


def copied(answer: Answer) -> dict[int, int]:
    """Old UIDs → new UIDs. COPYUID (RFC 4315) comes untagged with MOVE and in the OK of COPY. Without it, there was
    nothing to copy."""
    for said in [answer.text, *(parts[0] for parts in answer.untagged)]:
        if match := _COPYUID.match(said):
            old, new = (expanded(parsed_uid_set(match[group]), _MOST_MOVED) for group in (1, 2))
            return dict(zip(old, new, strict=False))
    return {}


def appended(said: bytes) -> int | None:
    """The UID of an appended message (APPENDUID, RFC 4315)."""
    match = _APPENDUID.search(said)
    return int(match[1]) if match else None


def _permanent(said: list[bytes]) -> frozenset[str] | None:
    """The flags in PERMANENTFLAGS. None means any flag: the list contains `\\*`, or the server sent no list (RFC 3501
    7.1 and 6.3.1)."""
    flags = _last(said, rb"\* OK \[PERMANENTFLAGS \(([^)]*)\)")
    words = None if flags is None else flags.decode("ascii", "replace").split()
    return None if words is None or "\\*" in words else frozenset(words)


def _number(said: list[bytes], pattern: bytes) -> int:
    """The last number after `pattern`; 0 if no line has it."""
    found = _last(said, pattern)
    return int(found) if found else 0


def _words(said: list[bytes], pattern: bytes) -> list[str]:
    return (_last(said, pattern) or b"").decode("ascii", "replace").split()


def _last(said: list[bytes], pattern: bytes) -> bytes | None:
    found = [match for line in said if (match := re.match(pattern, line, re.IGNORECASE))]
    return found[-1][1] if found else None


def _keywords(flags: list[str]) -> frozenset[str]:
    return frozenset(flag for flag in flags if not flag.startswith("\\"))
