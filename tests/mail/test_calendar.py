"""Invitations are parsed, searchable, and saved under their title."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.calendar import Appointment, Repetition, appointments
from app.mail.mime import Node
from app.mail.parse import parse
from app.searchable import searchable
from tests.mail.letters import letter
from tests.vectors import words_of

BERLIN = """BEGIN:VCALENDAR
VERSION:2.0
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:77@x.example
DTSTART;TZID=Europe/Berlin:20261202T140000
DTEND;TZID=Europe/Berlin:20261202T150000
SUMMARY:Service of the scale in
  hall 3
LOCATION:Hall 3\\, Elm Street
ORGANIZER;CN="Klein: Otto":mailto:otto@x.example
ATTENDEE;CN=Support;ROLE=REQ-PARTICIPANT:MAILTO:help@halden.example
ATTENDEE:mailto:ana@halden.example
DESCRIPTION:Bring the code.\\nThe gate is shut.
BEGIN:VALARM
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""
READ = Appointment(
    kind="invitation",
    title="Service of the scale in hall 3",
    begins="2026-12-02T14:00",
    ends="2026-12-02T15:00",
    zone="Europe/Berlin",
    place="Hall 3, Elm Street",
    organiser="Klein: Otto <otto@x.example>",
    people=("Support <help@halden.example>", "ana@halden.example"),
    words="Bring the code.\nThe gate is shut.",
)


def events(*lines: str, method: str = "REQUEST") -> list[Appointment]:
    """The appointments parsed from one event with these lines."""
    text = "\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    return appointments(Node("1", "text/calendar", raw=text.encode()))


KIND = "text/calendar; method=REQUEST; charset=utf-8"
BLANK = letter("text/plain", b"\r\n")
HTML = letter("text/html", b"<p>Please come</p>")


@pytest.mark.parametrize(
    "raw",
    [
        letter(KIND, BERLIN.encode(), subject="Come"),
        letter(KIND, BERLIN.replace("\n", "\r\n").encode(), how="base64", subject="Come"),
        letter("multipart/alternative", BLANK, letter(KIND, BERLIN.encode()), subject="Come"),
        letter("multipart/mixed", BLANK, letter("application/ics; name=invite.ics", BERLIN.encode()), subject="Come"),
        letter("multipart/mixed", BLANK, letter("application/octet-stream; name=invite.ics", BERLIN.encode())),
    ],
)
def test_an_invitation_alone_is_read_found_and_named(raw: bytes) -> None:
    parsed = parse(raw)
    assert (parsed.text.strip(), parsed.appointments) == ("", (READ,))
    assert parsed.preview.startswith("Service of the scale in hall 3 2026-12-02 14:00–15:00 Hall 3, Elm Street")
    assert searchable("gate is shut").strip() in " ".join(words_of(parsed.searched))
    assert next(part.filename for part in parsed.attachments) in ("Service of the scale in hall 3.ics", "invite.ics")


def test_an_invitation_follows_the_text_of_the_mail_once() -> None:
    form, file = letter(KIND, BERLIN.encode()), letter("application/ics; name=invite.ics", BERLIN.encode())
    parsed = parse(letter("multipart/mixed", letter("multipart/alternative", HTML, form), file, subject="Come"))
    assert (parsed.text, parsed.appointments) == ("Please come", (READ,))
    assert parsed.preview.startswith("Please come Service of the scale")


def test_an_invitation_in_an_attached_mail_is_found() -> None:
    inner = letter(KIND, BERLIN.encode(), subject="Come")
    parsed = parse(letter("multipart/mixed", HTML, letter("message/rfc822", inner), subject="Look"))
    assert parsed.appointments == ()
    assert searchable("gate is shut").strip() in " ".join(words_of(parsed.searched))


@pytest.mark.parametrize(
    ("lines", "begins", "ends", "zone"),
    [
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261225"], "2026-12-24", "", ""),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"], "2026-12-24", "2026-12-26", ""),
        (["DTSTART:20261202T130000Z"], "2026-12-02T13:00", "", "UTC"),
        (["DTSTART:20261202T130000", "DURATION:PT1H30M"], "2026-12-02T13:00", "2026-12-02T14:30", ""),
        (
            ['DTSTART;TZID="W. Europe Standard Time":20261202T230000', "DTEND:20261203T010000"],
            "2026-12-02T23:00",
            "2026-12-03T01:00",
            "W. Europe Standard Time",
        ),
        (["DTSTART:20261399T990000Z", "DTEND:99991231", "RRULE:FREQ=NEVER"], "", "", ""),
        (["DTSTART:99980101T000000Z", "DURATION:P9999W"], "", "", ""),
    ],
)
def test_times_are_read_as_they_were_meant(lines: list[str], begins: str, ends: str, zone: str) -> None:
    [read] = events("SUMMARY:Tea", *lines)
    assert (read.begins, read.ends, read.zone, read.repeats) == (begins, ends, zone, None)


@pytest.mark.parametrize(
    ("rule", "repeats"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10", Repetition("week", 2, (0, 2), count=10)),
        ("FREQ=DAILY;UNTIL=20261231T000000Z", Repetition("day", until="2026-12-31")),
        ("FREQ=MONTHLY;BYDAY=2TU;INTERVAL=x;COUNT=²", Repetition("month")),
        ("FREQ=SECONDLY", None),
    ],
)
def test_common_repetitions_are_read(rule: str, repeats: Repetition | None) -> None:
    assert [read.repeats for read in events("SUMMARY:Tea", f"RRULE:{rule}")] == [repeats]


@pytest.mark.parametrize(
    ("method", "line", "kind", "people"),
    [
        ("CANCEL", "SEQUENCE:1", "cancelled", ()),
        ("PUBLISH", "SEQUENCE:1", "event", ()),
        ("PUBLISH", "STATUS:CANCELLED", "cancelled", ()),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:mia@x.example", "accepted", ("mia@x.example",)),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED;CN=Mia:mailto:mia@x.example", "declined", ("Mia <mia@x.example>",)),
        ("REPLY", "ATTENDEE;PARTSTAT=ODD:mailto:mia@x.example", "answer", ("mia@x.example",)),
        ("COUNTER", "COMMENT:Later?", "counter", ()),
    ],
)
def test_the_calendar_programs_intention_is_recognised(
    method: str, line: str, kind: str, people: tuple[str, ...]
) -> None:
    [read] = events("SUMMARY:Tea", line, method=method)
    assert (read.kind, read.people) == (kind, people)


def test_a_calendar_of_a_year_shows_its_first_events() -> None:
    year = "".join(f"BEGIN:VEVENT\nSUMMARY:Tea {n}\nEND:VEVENT\n" for n in range(5000))
    read = appointments(Node("1", "text/calendar", raw=f"BEGIN:VCALENDAR\n{year}".encode()))
    assert [(event.kind, event.title) for event in read] == [("event", f"Tea {n}") for n in range(10)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(0, len(BERLIN)))
def test_no_content_of_a_calendar_raises(junk: str, at: int) -> None:
    for text in (junk, BERLIN[:at] + junk + BERLIN[at:]):
        assert not parse(letter(KIND, text.encode("utf-8", "surrogatepass"), subject="Come")).unreadable


@pytest.mark.parametrize("line", ['"' * 200_000, ";" * 200_000, ";A=" * 70_000, "\\" * 200_000, ":" * 200_000])
def test_no_line_takes_for_ever(line: str) -> None:
    assert [read.title for read in events("SUMMARY:Tea", f"DESCRIPTION{line}:x")] == ["Tea"]
