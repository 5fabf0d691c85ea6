"""Parses the text of the search field. Pure; `search.py` translates the terms for the tables.

No input is an error: an unknown operator, or one with an impossible value, is searched as words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from app.inbox.status import Status

#: Operators whose value is words in one part of a mail. Bare words are searched in all parts.
IN_MAIL = ("words", "subject", "from", "to")
_CHOICES: dict[str, set[str]] = {
    "status": set(Status),
    "has": {"attachment", "attachments"},
    "is": {"starred", "unread"},
}
_DATES = ("before", "after")
_NAMES = ("assignee", "tag", "in")
_OPERATORS = (*IN_MAIL[1:], "number", *_DATES, *_CHOICES)
#: A word, or several in quotes, with an optional operator and an optional minus in front. A name may contain quotes, as
#: a folder may: `in:"Old "2025" mail"`.
_TERM = re.compile(
    rf"""(?P<minus>-)?(?:
    (?P<name>{"|".join(_NAMES)}):"(?P<named>(?:[^"]|(?<=\s)"(?=\S)[^"]*"|"(?=\S))*)"?
    |(?:(?P<kind>{"|".join((*_OPERATORS, *_NAMES))}):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]\S*)))""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"#?([0-9]{1,9})")
#: Quotes as typed on telephones and in other languages.
QUOTES = '“”„«»"'
_QUOTES = str.maketrans(dict.fromkeys(QUOTES, '"'))
_NO_QUOTES = str.maketrans(dict.fromkeys(QUOTES, ""))
_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
#: Nobody types more, and Postgres rejects endless queries.
_LONGEST, _MOST = 2000, 20


@dataclass(frozen=True)
class Term:
    """`kind` is one of IN_MAIL, an operator, or `hash`: "#32" alone is a conversation's number, or a word in a mail."""

    kind: str
    value: str
    quoted: bool = False
    negated: bool = False


def parse(q: str) -> list[Term]:
    if q.strip()[:1] == "#" and number(q.strip()) is not None:
        return [Term("hash", q.strip())]
    terms = [_term(match) for match in _TERM.finditer(q[:_LONGEST].translate(_QUOTES))]
    return terms[:_MOST]


def day(value: str) -> dt.date | None:
    """2026-11-02, or the first day of 2026-11 or 2026; None if it is not a date."""
    match = _DATE.fullmatch(value)
    try:
        return match and dt.date(*(int(part or 1) for part in match.groups()))
    except ValueError:
        return None


def number(value: str) -> int | None:
    """32 of "32" or "#32"; None if it is not a conversation number."""
    match = _NUMBER.fullmatch(value)
    return int(match[1]) if match else None


def unquoted(value: str) -> str:
    """A name without quotes of any kind, for comparing names."""
    return value.translate(_NO_QUOTES)


def _term(match: re.Match[str]) -> Term:
    kind, quoted = (match["name"] or match["kind"] or "").lower(), match["bare"] is None
    value = match["named"] or match["quoted"] or match["bare"] or ""
    if kind and not _takes(kind, value):
        kind, value = "", f"{kind} {value}"
    return Term(kind or "words", value, quoted, match["minus"] is not None)


def _takes(kind: str, value: str) -> bool:
    if kind in _CHOICES:
        return value.lower() in _CHOICES[kind]
    if kind in _DATES:
        return day(value) is not None
    if kind == "number":
        return number(value) is not None
    return bool(value.strip())
