"""Invitations (iCalendar, RFC 5545 and RFC 5546) as values. Pages describe them in the reader's language. Search and
lists have only the sender's own words."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.mail.charset import decoded
from app.mail.enclosed import UNKNOWN_TYPES
from app.mail.mime import Node
from app.mail.transfer import content_of

TYPES = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
#: A calendar with more events is an export, not an appointment. The attached file has all of them.
MOST_EVENTS = 10
_MOST_PEOPLE = 50
MOST_BYTES = 256 * 1024
_MOST_TEXT = 20_000
_LONGEST = 1000
_METHODS = {
    "REQUEST": "invitation", "CANCEL": "cancelled", "REPLY": "answer", "COUNTER": "counter",
    "DECLINECOUNTER": "counter_declined", "ADD": "added", "REFRESH": "refresh",
}  # fmt: skip
_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative", "DELEGATED": "delegated"}
_MARK = re.compile('[":]')
_PARAMETER = re.compile(r';([^=;:"]{1,100})=("[^"]*"|[^;]*)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:\d{1,6}S)?)?")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour"}


@dataclass(frozen=True, slots=True)
class Repetition:
    """The common rules of RFC 5545 section 3.3.10: every 2 weeks on days 0 (Monday) and 2, until a date, 10 times."""

    unit: str
    interval: int = 1
    days: tuple[int, ...] = ()
    until: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Appointment:
    """An event and what its sender wants. `kind`: invitation, cancelled, accepted, declined, tentative, delegated,
    answer, counter (another time is proposed), counter_declined, added, refresh (asks for the latest version) or event.

    Times are kept as written, in `zone`: "2026-12-02T14:00", or "2026-12-02" for whole days, where `ends` is the last
    day. Unknown fields are empty."""

    kind: str
    title: str = ""
    begins: str = ""
    ends: str = ""
    zone: str = ""
    repeats: Repetition | None = None
    place: str = ""
    organiser: str = ""
    people: tuple[str, ...] = ()
    words: str = ""

    def shape(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def text(self) -> str:
        """The sender's words about it, one line each, for search and for the preview in a list."""
        begin, end = self.begins.replace("T", " "), self.ends.replace("T", " ")
        if end[:10] == begin[:10]:
            end = end[11:]
        lines = [self.title, f"{begin}–{end}" if end else begin, self.place, self.organiser, "; ".join(self.people)]
        return "\n".join(filter(None, [*lines, self.words]))[:_MOST_TEXT]


@dataclass(frozen=True, slots=True)
class _Property:
    value: str
    params: dict[str, str]


@dataclass(slots=True)
class _Event:
    properties: dict[str, _Property] = field(default_factory=dict)
    attendees: list[_Property] = field(default_factory=list)

    def text(self, name: str) -> str:
        found = self.properties.get(name)
        return _unescaped(found.value).strip() if found else ""


def is_calendar(node: Node) -> bool:
    """Whether the part is a calendar by its type, or by its name if the type is unknown."""
    return node.type in TYPES or (node.type in UNKNOWN_TYPES and node.filename.lower().endswith(".ics"))


def appointments(node: Node) -> list[Appointment]:
    """The events of a calendar part; an empty list if it is not a calendar."""
    method, events = _parsed(node)
    found = (_appointment(method, event) for event in events)
    return [appointment for appointment in found if appointment.text]


def summary(node: Node) -> str:
    """The title of the first event; empty if unknown."""
    _, events = _parsed(node)
    return next((" ".join(event.text("SUMMARY").split()) for event in events), "")


def _parsed(node: Node) -> tuple[str, list[_Event]]:
    text = decoded(content_of(node, MOST_BYTES), node.charset).replace("\r\n", "\n")
    method, events, inside = "", [], list[str]()
    for name, found in map(_line, re.sub(r"\n[ \t]", "", text).split("\n")):
        if name == "BEGIN":
            inside.append(found.value.strip().upper())
            if inside[-1] in ("VEVENT", "VTODO"):
                events.append(_Event())
        elif name == "END":
            inside[-1:] = []
        elif name == "METHOD":
            method = found.value.strip().upper()
        elif inside and inside[-1] in ("VEVENT", "VTODO") and len(events) <= MOST_EVENTS:
            _take(events[-1], name, found)
    return method or node.params.get("method", "").upper(), events[:MOST_EVENTS]


def _line(line: str) -> tuple[str, _Property]:
    """`NAME;PARAM="a:b":value`: the first colon outside quotes ends the parameters."""
    quoted = False
    for mark in _MARK.finditer(line):
        if mark[0] == '"':
            quoted = not quoted
        elif not quoted:
            head = line[: mark.start()]
            params = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(head)}
            return head.partition(";")[0].strip().upper(), _Property(line[mark.end() :], params)
    return "", _Property("", {})


def _take(event: _Event, name: str, found: _Property) -> None:
    if name != "ATTENDEE":
        event.properties.setdefault(name, found)
    elif len(event.attendees) < _MOST_PEOPLE:
        event.attendees.append(found)


def _appointment(method: str, event: _Event) -> Appointment:
    kind = _answer(event) if method == "REPLY" else _METHODS.get(method, "event")
    if event.text("STATUS").upper() == "CANCELLED":
        kind = _METHODS["CANCEL"]
    organiser = event.properties.get("ORGANIZER")
    begins, ends, zone = _when(event)
    return Appointment(
        kind=kind,
        title=" ".join(event.text("SUMMARY").split())[:_LONGEST],
        begins=begins,
        ends=ends,
        zone=zone[:_LONGEST],
        repeats=_repeats(event),
        place=event.text("LOCATION")[:_LONGEST],
        organiser=_person(organiser)[:_LONGEST] if organiser else "",
        people=tuple(_person(person)[:_LONGEST] for person in event.attendees),
        words=(event.text("COMMENT") or event.text("DESCRIPTION"))[:_MOST_TEXT],
    )


def _answer(event: _Event) -> str:
    """Somebody's answer to an appointment, as a kind."""
    status = next((person.params.get("PARTSTAT", "") for person in event.attendees), "").upper()
    return _ANSWERS.get(status, _METHODS["REPLY"])


def _person(found: _Property) -> str:
    name, address = _unescaped(found.params.get("CN", "")).strip(), found.value.strip()
    address = address[7:] if address[:7].lower() == "mailto:" else address
    return f"{name} <{address}>" if name and address and name != address else name or address


def _when(event: _Event) -> tuple[str, str, str]:
    """(begin, end, time zone). DTEND of whole days is exclusive, so the last day is the one before it."""
    first = event.properties.get("DTSTART") or event.properties.get("DUE")
    begin, is_whole = _moment(first)
    if begin is None or first is None:
        return "", "", ""
    end, _ = _moment(event.properties.get("DTEND"))
    end = end or begin + _duration(event.text("DURATION"))
    if is_whole:
        last = max(begin, end - timedelta(days=1)).date()
        return f"{begin:%Y-%m-%d}", f"{last:%Y-%m-%d}" if last != begin.date() else "", ""
    return f"{begin:%Y-%m-%dT%H:%M}", f"{end:%Y-%m-%dT%H:%M}" if end > begin else "", _zone(first)


def _moment(found: _Property | None) -> tuple[datetime | None, bool]:
    """(the time as written, whether it is a whole day)."""
    match = _TIME.match(found.value.strip()) if found else None
    if match is None:
        return None, False
    year, month, day, hour, minute, _ = match.groups()
    if not 1000 < int(year) < 9000:  # keeps every sum within the years that Python knows
        return None, False
    try:
        return datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0)), hour is None  # noqa: DTZ001  its zone is told in words
    except ValueError:
        return None, False


def _zone(found: _Property) -> str:
    return "UTC" if found.value.strip().endswith("Z") else found.params.get("TZID", "").strip()


def _duration(value: str) -> timedelta:
    match = _DURATION.fullmatch(value.strip())
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _repeats(event: _Event) -> Repetition | None:
    rule = dict(pair.partition("=")[::2] for pair in event.text("RRULE").upper().split(";"))
    unit = _UNITS.get(rule.get("FREQ", ""))
    if unit is None:
        return None
    days = tuple(_DAYS.index(day) for day in rule.get("BYDAY", "").split(",")[:7] if day in _DAYS)
    until, _ = _moment(_Property(rule.get("UNTIL", ""), {}))
    interval, count = _count(rule.get("INTERVAL", "")), _count(rule.get("COUNT", ""))
    return Repetition(unit, interval or 1, days, f"{until:%Y-%m-%d}" if until else "", count)


def _count(value: str) -> int:
    return int(value[:5]) if value.isascii() and value.isdigit() else 0


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
