"""The Date field (RFC 5322 3.3), as programs really write it. Never raises, and runs in linear time, because every
pattern is bounded.

Also reads: names of months in about 40 languages, ISO 8601, C's asctime, numbers with slashes or dots, Chinese,
Japanese and Korean dates, the Thai calendar, encoded words, comments, years with two digits, twelve-hour times, and
zones attached to the time. Ignores the day of the week.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from app.mail.headers import decoded_words
from app.mail.months import folded, month

#: Python cannot read a time after 9998 from a database whose time zone is ahead of UTC.
YEARS = range(1900, 3000)
_LONGEST = 200
#: Thailand counts years from 543 BC.
_THAI_YEARS, _THAI = range(2443, 2643), 543
#: No mail is older than email, and no mail is written long after it was delivered.
_FIRST = datetime(1971, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(days=2)

#: Nearly all dates are well formed; this pattern reads them quickly.
_AS_IT_SHOULD_BE = re.compile(
    r"\s*(?:[a-z]{3},)?\s{0,3}(\d{1,2}) ([a-z]{3}) (\d{4}) ((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d) ([+-][01]\d[0-5]\d)"
    r"(?:\s{1,3}\([a-z]{1,5}\))?\s*",
    re.ASCII,
)
_MONTHS = {
    "jan": "01", "feb": "02", "mar": "03", "apr": "04", "may": "05", "jun": "06",
    "jul": "07", "aug": "08", "sep": "09", "oct": "10", "nov": "11", "dec": "12",
}  # fmt: skip

_COMMENT = re.compile(r"\([^()]*\)")
_NESTED = 3
#: A letter of a month's name; Thai names contain dots.
_LETTER = r"[^\s\d.,;:()<>/+'’_-]"
_NAME = rf"({_LETTER}{{2,15}}|{_LETTER}{{1,3}}\.{_LETTER}{{1,2}})"
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|ta)?[\s.-]{{0,3}}(?:de\s|d['’])?{_NAME}[\s,./-]{{0,3}}"
    r"(?:del?\s)?'?(\d{4}|\d{2,3})(?!\d)(?!:)"
)
_MONTH_FIRST = re.compile(
    rf"(?<!\w){_NAME}\.?\s{{1,3}}(\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:[^\n]{{0,40}}?\s|,\s{{0,3}})(\d{{4}})(?!\d)"
)
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}})[.,]?\s{{0,3}}(?:m\.\s)?{_NAME}[.,]?\s{{0,3}}(\d{{1,2}})(?!\d)")
#: Each pattern with the groups for year, month and day.
_BY_NUMBERS = (
    (re.compile(r"(?<!\d)(\d{4})([-/.])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)"), (1, 3, 4)),
    (re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?=t\d{4})"), (1, 2, 3)),
    (re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]"), (1, 2, 3)),
    (re.compile(r"(?<!\d)(\d{1,2})[\s,]{1,3}(?:thang|thg)\s?(\d{1,2})[\s,]{1,3}(?:nam\s)?(\d{4})(?!\d)"), (3, 2, 1)),
)
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)")
_TWELVE_HOURS = re.compile(r"\d\s{0,3}[ap]\.?m\b")
_HALVES = {"上午": "a", "午前": "a", "오전": "a", "下午": "p", "午後": "p", "오후": "p"}
_TIME = re.compile(
    rf"({'|'.join(_HALVES)})?\s?(?<!\d)(\d{{1,2}})(?:\s?[:.h時时点시]\s?|(?<=t\d\d))(\d{{2}}|\d(?=:))"
    r"(?:[:.]?(\d{2}|(?<=:)\d(?!\d))(?:[.,]\d{1,9})?)?(?:\s{0,3}([ap])\.?\s?m\b\.?)?"
)
#: "+0200", "+200", "GMT+2", and "+2" directly after the time.
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})(?!\d)")
_SHORT_OFFSET = re.compile(r"(?:\A\s?|(?:gmt|utc)\s?)([+-])(\d{1,2})()(?!\d)")
_ZONE_NAME = re.compile(r"(?<![a-z])([a-z]{1,5})(?![a-z])")
#: Zones by name, in minutes (RFC 5322 4.3, and others that occur in mail). Unknown names count as UTC.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "met": 60, "mez": 60,
    "cest": 120, "mest": 120, "mesz": 120, "eet": 120, "sast": 120, "eest": 180, "msk": 180, "msd": 240, "ist": 330,
    "sgt": 480, "hkt": 480, "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "brt": -180, "art": -180, "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip


def date(value: str | None) -> datetime | None:
    """The time in UTC, or None if it cannot be parsed. A time without a zone counts as UTC."""
    text = (value or "")[:_LONGEST]
    try:
        return _as_it_should_be(text.lower()) or _moment(folded(decoded_words(text)))
    except (ValueError, OverflowError):
        return None


def plausible(sent: datetime | None, delivered: datetime | None) -> datetime | None:
    """The time at which a mail was sent, or None if that is impossible: programs write 1970, and clocks are wrong."""
    if sent is None or sent < _FIRST:
        return None
    return sent if delivered is None or sent <= delivered + _CLOCKS_DIFFER else None


def _as_it_should_be(text: str) -> datetime | None:
    match = _AS_IT_SHOULD_BE.fullmatch(text)
    if match is None or match[2] not in _MONTHS or int(match[3]) not in YEARS:
        return None
    day, name, year, clock, offset = match.groups()
    return datetime.fromisoformat(f"{year}-{_MONTHS[name]}-{day.zfill(2)}T{clock}{offset}").astimezone(UTC)


def _moment(written: str) -> datetime | None:
    text = written
    for _ in range(_NESTED if "(" in text else 0):
        text = _COMMENT.sub(" ", text)
    found = _day(text)
    if found is None:
        return None
    year, month_, day, begin, end = found
    clock = _TIME.search(text, end) or _TIME.search(text[:begin])
    hours = _hours(clock) if clock else timedelta(0)
    offset = _offset(text[clock.end() :] if clock else text[end:], " ".join(_COMMENT.findall(written)))
    moment = datetime(year, month_, day, tzinfo=UTC) + hours - timedelta(minutes=offset)
    return moment if moment.year in YEARS else None


def _day(text: str) -> tuple[int, int, int, int, int] | None:
    """(year, month, day, and where the date begins and ends in the text)."""
    for pattern, places in _BY_NUMBERS:
        if match := pattern.search(text):
            year, month_, day = (int(match[place]) for place in places)
            return year - (_THAI if year in _THAI_YEARS else 0), month_, day, match.start(), match.end()
    if (match := _SLASHED.search(text)) and (numbers := _told_apart(match, text)):
        return int(match[4]), *numbers, match.start(), match.end()
    return _day_by_name(text)


def _told_apart(match: re.Match[str], text: str) -> tuple[int, int] | None:
    """(month, day) of 30/11/2026. If both orders are possible, the American one needs a twelve-hour time beside it.
    Otherwise the result is None."""
    first, second = int(match[1]), int(match[3])
    if match[2] != "/" or first > 12 or first == second:
        return second, first
    return (first, second) if second > 12 or _TWELVE_HOURS.search(text) else None


def _day_by_name(text: str) -> tuple[int, int, int, int, int] | None:
    for match in _DAY_FIRST.finditer(text):
        if number := month(match[2]):
            return _year(match[3]), number, int(match[1]), match.start(), match.end()
    for match in _YEAR_FIRST.finditer(text):
        if number := month(match[2]):
            return int(match[1]), number, int(match[3]), match.start(), match.end()
    for match in _MONTH_FIRST.finditer(text):
        if number := month(match[1]):  # as in C's asctime: "Mon Nov 30 09:15:00 2026"
            return int(match[3]), number, int(match[2]), match.start(), match.end(2)
    return None


def _year(digits: str) -> int:
    """RFC 5322 4.3: two digits up to 49 belong to this century; three digits count from 1900."""
    number = int(digits)
    if len(digits) == 4:
        return number - (_THAI if number in _THAI_YEARS else 0)
    return number + (2000 if len(digits) == 2 and number < 50 else 1900)


def _hours(clock: re.Match[str]) -> timedelta:
    """The time of day as a duration since midnight. 24:00:00 is the end of the day (ISO 8601)."""
    hour, minute, second = (int(clock[n] or 0) for n in (2, 3, 4))
    half = _HALVES.get(clock[1] or "", clock[5])
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError("no time of a day")
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))


def _offset(text: str, comments: str) -> int:
    """Minutes before UTC. A number wins over a name, in any order: "(EDT) -0400", "GMT+0200"."""
    if match := _OFFSET.search(text) or _SHORT_OFFSET.search(text):
        hours, minutes = int(match[2]), int(match[3] or 0)
        if hours > 23 or minutes > 59:
            raise ValueError("no zone")
        return (hours * 60 + minutes) * (-1 if match[1] == "-" else 1)
    names = (*_ZONE_NAME.findall(text), *_ZONE_NAME.findall(comments))
    return next((_ZONES[name] for name in names if name in _ZONES), 0)
