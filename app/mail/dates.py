"""The Date field (RFC 5322 3.3) as programs really write it. Never raises; linear, as every pattern has an end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

#: Later than 9998 a time is beyond Python on a database whose clock is ahead of UTC, and can never be read again.
YEARS = range(1900, 3000)
_LONGEST = 200

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[\s.-]{1,3}([a-z]{3})[a-z]{0,6}\.?[\s,.-]{1,3}(\d{4}|\d{2,3})(?!\d)")
_MONTH_FIRST = re.compile(r"\b([a-z]{3})[a-z]{0,6}\.?\s{1,3}(\d{1,2})(?!\d)(?:[^\n]{0,40}?\s|,\s{0,3})(\d{4})(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:[.,]\d{1,9})?(?:\s{0,3}([ap])\.?m\b\.?)?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})(?!\d)")
_ZONE_NAME = re.compile(r"\b([a-z]{1,5})\b")
#: Zones by name, in minutes (RFC 5322 4.3, and those that mail carries besides). Others say nothing: UTC.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "met": 60, "mez": 60,
    "cest": 120, "mest": 120, "mesz": 120, "eet": 120, "sast": 120, "eest": 180, "msk": 180, "msd": 240, "ist": 330,
    "sgt": 480, "hkt": 480, "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "brt": -180, "art": -180, "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip


def date(value: str | None) -> datetime | None:
    """The moment in UTC, None where there is none to be understood. Without a zone it is taken as UTC."""
    text = (value or "")[:_LONGEST].lower()
    try:
        return _moment(text)
    except (ValueError, OverflowError):
        return None


def _moment(text: str) -> datetime | None:
    found = _day(text)
    if found is None:
        return None
    year, month, day, end = found
    clock = _TIME.search(text, end) or _TIME.search(text)
    hour, minute, second = (int(clock[n] or 0) for n in (1, 2, 3)) if clock else (0, 0, 0)
    if clock and clock[4] and hour <= 12:
        hour = hour % 12 + (12 if clock[4] == "p" else 0)
    offset = _offset(text[clock.end() :] if clock else "")
    local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    moment = local - timedelta(minutes=offset)
    return moment if moment.year in YEARS else None


def _day(text: str) -> tuple[int, int, int, int] | None:
    """(year, month, day, where in the text they end)."""
    if (found := _DAY_FIRST.search(text)) and found[2] in _MONTHS:
        return _year(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]), found.end()
    if found := _ISO.search(text):
        return int(found[1]), int(found[2]), int(found[3]), found.end()
    for found in _MONTH_FIRST.finditer(text):
        if found[1] in _MONTHS:  # as in C's asctime: "Mon Nov 30 09:15:00 2026"
            return int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2]), found.end(2)
    return None


def _year(digits: str) -> int:
    """RFC 5322 4.3: two digits up to 49 are of this century; three count from 1900."""
    number = int(digits)
    if len(digits) == 4:
        return number
    return number + (2000 if len(digits) == 2 and number < 50 else 1900)


def _offset(text: str) -> int:
    """Minutes before UTC. A number counts, wherever it stands beside a name: "(EDT) -0400", "GMT+0200"."""
    if found := _OFFSET.search(text):
        hours, minutes = int(found[2]), int(found[3])
        if hours > 23 or minutes > 59:
            raise ValueError("no zone")
        return (hours * 60 + minutes) * (-1 if found[1] == "-" else 1)
    named = (_ZONES[name] for name in _ZONE_NAME.findall(text) if name in _ZONES)
    return next(named, 0)
