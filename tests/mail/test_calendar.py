"""Invitations are read, found, and saved under the name of what they invite to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.calendar import readable_invitation
from app.mail.mime import Node
from app.mail.parse import parse
from app.searchable import searchable
from tests.mail.letters import letter

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
READ = """Invitation: Service of the scale in hall 3
When: Wed 2 Dec 2026, 14:00–15:00 (Europe/Berlin)
Where: Hall 3, Elm Street
Organiser: Klein: Otto <otto@x.example>
Invited: Support <help@halden.example>; ana@halden.example

Bring the code.
The gate is shut."""


def event(*lines: str, method: str = "REQUEST") -> str:
    """What is read of one event with these lines."""
    text = "\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    return readable_invitation(Node("1", "text/calendar", raw=text.encode()))


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
    ],
)
def test_an_invitation_alone_is_no_empty_page(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.text.strip() == READ
    assert parsed.preview.startswith("Invitation: Service of the scale in hall 3 When: Wed 2 Dec 2026")
    assert searchable("gate is shut").strip() in " ".join(parsed.searched["in_words"].split())
    assert next(part.filename for part in parsed.attachments) in ("Service of the scale in hall 3.ics", "invite.ics")


def test_an_invitation_stands_behind_the_words_of_the_mail_and_once() -> None:
    form, file = letter(KIND, BERLIN.encode()), letter("application/ics; name=invite.ics", BERLIN.encode())
    parsed = parse(letter("multipart/mixed", letter("multipart/alternative", HTML, form), file, subject="Come"))
    assert parsed.html is not None
    assert parsed.html.count("Bring the code.") == 1
    assert parsed.preview.startswith("Please come Invitation: Service")
    assert " ".join(parsed.text.split()) == "Please come " + " ".join(READ.split())


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261225"], "When: Thu 24 Dec 2026"),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"], "When: Thu 24 Dec 2026 – Sat 26 Dec 2026"),
        (["DTSTART:20261202T130000Z"], "When: Wed 2 Dec 2026, 13:00 (UTC)"),
        (["DTSTART:20261202T130000", "DURATION:PT1H30M"], "When: Wed 2 Dec 2026, 13:00–14:30"),
        (
            ['DTSTART;TZID="W. Europe Standard Time":20261202T230000', "DTEND:20261203T010000"],
            "When: Wed 2 Dec 2026, 23:00–Thu 3 Dec 2026, 01:00 (W. Europe Standard Time)",
        ),
        (["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10"], "Repeats: every 2 weeks on Mon, Wed, 10 times"),
        (["RRULE:FREQ=DAILY;UNTIL=20261231T000000Z"], "Repeats: every day, until Thu 31 Dec 2026"),
        (["DTSTART:20261399T990000Z", "DTEND:99991231", "RRULE:FREQ=NEVER"], ""),
        (["DTSTART:99980101T000000Z", "DURATION:P9999W"], ""),
    ],
)
def test_times_are_read_as_they_were_meant(lines: list[str], words: str) -> None:
    assert event("SUMMARY:Tea", *lines) == "\n".join(filter(None, ["Invitation: Tea", words]))


@pytest.mark.parametrize(
    ("method", "line", "words"),
    [
        ("CANCEL", "SEQUENCE:1", "Cancelled: Tea"),
        ("PUBLISH", "SEQUENCE:1", "Event: Tea"),
        ("PUBLISH", "STATUS:CANCELLED", "Cancelled: Tea"),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:mia@x.example", "Accepted: Tea\nFrom: mia@x.example"),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED;CN=Mia:mailto:mia@x.example", "Declined: Tea\nFrom: Mia <mia@x.example>"),
        ("COUNTER", "COMMENT:Later?", "Another time proposed: Tea\n\nLater?"),
    ],
)
def test_what_the_calendar_program_wants_is_said(method: str, line: str, words: str) -> None:
    assert event("SUMMARY:Tea", line, method=method) == words


def test_a_calendar_of_a_year_shows_its_first_events() -> None:
    events = "".join(f"BEGIN:VEVENT\nSUMMARY:Tea {n}\nEND:VEVENT\n" for n in range(5000))
    text = readable_invitation(Node("1", "text/calendar", raw=f"BEGIN:VCALENDAR\n{events}".encode()))
    assert text.split("\n\n") == [f"Event: Tea {n}" for n in range(10)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(0, len(BERLIN)))
def test_nothing_that_stands_in_a_calendar_raises(junk: str, at: int) -> None:
    for text in (junk, BERLIN[:at] + junk + BERLIN[at:]):
        assert not parse(letter(KIND, text.encode("utf-8", "surrogatepass"), subject="Come")).unreadable


@pytest.mark.parametrize("line", ['"' * 200_000, ";" * 200_000, ";A=" * 70_000, "\\" * 200_000, ":" * 200_000])
def test_no_line_takes_for_ever(line: str) -> None:
    assert "Tea" in event("SUMMARY:Tea", f"DESCRIPTION{line}:x")
