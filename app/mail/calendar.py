"""Invitations (iCalendar, RFC 5545 and RFC 5546) as text that people read.

Labels are English, as the words of the mail are its sender's: text is made once, for readers of every language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.mail.charset import decoded
from app.mail.mime import Node
from app.mail.transfer import content_of

TYPES = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
#: A calendar with more events is an export, not an invitation; the file has them all.
_MOST_EVENTS = 10
_MOST_PEOPLE = 50
MOST_PARTS = 5
MOST_BYTES = 256 * 1024
_MOST_TEXT = 20_000
_METHODS = {
    "REQUEST": "Invitation", "CANCEL": "Cancelled", "REPLY": "Answer", "COUNTER": "Another time proposed",
    "DECLINECOUNTER": "Proposal declined", "ADD": "Added", "REFRESH": "Asks for the latest version",
}  # fmt: skip
_ANSWERS = {"ACCEPTED": "Accepted", "DECLINED": "Declined", "TENTATIVE": "Tentative", "DELEGATED": "Delegated"}
_MARK = re.compile('[":]')
_PARAMETER = re.compile(r';([^=;:"]{1,100})=("[^"]*"|[^;]*)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:\d{1,6}S)?)?")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year", "HOURLY": "hour"}


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


def readable_invitation(node: Node) -> str:
    """What the events of a calendar part say; empty for what is no calendar."""
    method, events = _parsed(node)
    return "\n\n".join(filter(None, (_event(method, event) for event in events)))[:_MOST_TEXT]


def summary(node: Node) -> str:
    """What the first event is called; empty where that is unknown."""
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
        elif inside and inside[-1] in ("VEVENT", "VTODO") and len(events) <= _MOST_EVENTS:
            _take(events[-1], name, found)
    return method or node.params.get("method", "").upper(), events[:_MOST_EVENTS]


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


def _event(method: str, event: _Event) -> str:
    title = " ".join(event.text("SUMMARY").split())
    what = _answer(event) if method == "REPLY" else _METHODS.get(method, "Event")
    if event.text("STATUS").upper() == "CANCELLED":
        what = _METHODS["CANCEL"]
    organiser = event.properties.get("ORGANIZER")
    rows = [
        ("When", _when(event)),
        ("Repeats", _repeats(event)),
        ("Where", event.text("LOCATION")),
        ("Organiser", _person(organiser) if organiser else ""),
        ("From" if method == "REPLY" else "Invited", "; ".join(map(_person, event.attendees))),
    ]
    lines = [f"{label}: {value}" for label, value in rows if value]
    words = event.text("COMMENT") or event.text("DESCRIPTION")
    if not (title or lines or words):
        return ""
    return "\n".join([f"{what}: {title}".rstrip(": "), *lines]) + (f"\n\n{words}" if words else "")


def _answer(event: _Event) -> str:
    """What somebody answered to an invitation."""
    status = next((person.params.get("PARTSTAT", "") for person in event.attendees), "").upper()
    return _ANSWERS.get(status, _METHODS["REPLY"])


def _person(found: _Property) -> str:
    name, address = _unescaped(found.params.get("CN", "")).strip(), found.value.strip()
    address = address[7:] if address[:7].lower() == "mailto:" else address
    return f"{name} <{address}>" if name and address and name != address else name or address


def _when(event: _Event) -> str:
    """`Wed 2 Dec 2026, 14:00–15:00 (Europe/Berlin)`; the last of whole days is the one before DTEND."""
    begin, begins_whole = _moment(event.properties.get("DTSTART") or event.properties.get("DUE"))
    if begin is None:
        return ""
    end, _ = _moment(event.properties.get("DTEND"))
    end = end or begin + _duration(event.text("DURATION"))
    if begins_whole:
        last = max(begin, end - timedelta(days=1))
        return _day(begin) if last.date() == begin.date() else f"{_day(begin)} – {_day(last)}"
    zone = _zone(event.properties.get("DTSTART") or event.properties["DUE"])
    until = f"{end:%H:%M}" if end.date() == begin.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(begin)}, {begin:%H:%M}" + (f"–{until}" if end > begin else "") + (f" ({zone})" if zone else "")


def _moment(found: _Property | None) -> tuple[datetime | None, bool]:
    """A time as it is written, and whether it is a whole day."""
    match = _TIME.match(found.value.strip()) if found else None
    if match is None:
        return None, False
    year, month, day, hour, minute, _ = match.groups()
    if not 1000 < int(year) < 9000:  # so that no sum leaves the years that Python knows
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


def _day(moment: date) -> str:
    return f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _repeats(event: _Event) -> str:
    """`every 2 weeks on Mon, Wed, 10 times`: the common rules of RFC 5545 section 3.3.10."""
    rule = dict(pair.partition("=")[::2] for pair in event.text("RRULE").upper().split(";"))
    unit = _UNITS.get(rule.get("FREQ", ""))
    if unit is None:
        return ""
    interval = rule.get("INTERVAL", "1")
    words = f"every {unit}" if interval == "1" or not interval.isdigit() else f"every {interval[:4]} {unit}s"
    short = {day[:2].upper(): day for day in _DAYS}
    days = [short[day] for day in rule.get("BYDAY", "").split(",") if day in short]
    words += f" on {', '.join(days)}" if days else ""
    until, _ = _moment(_Property(rule.get("UNTIL", ""), {}))
    words += f", until {_day(until)}" if until else ""
    return words + (f", {rule['COUNT'][:5]} times" if rule.get("COUNT", "").isdigit() else "")


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
