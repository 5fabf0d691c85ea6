"""The Date field as programs really write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.mail.dates import date


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


EVENING = utc(2026, 11, 30, 21, 15)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Mon, 30 Nov 2026 21:15:00 +0000", EVENING),
        ("Mon, 30 Nov 2026 09:15:00 PM +0000", EVENING),
        ("Mon, 30 Nov 2026 9:15 p.m. GMT", EVENING),
        ("Mon, 30 Nov 2026 12:15:00 AM +0000", utc(2026, 11, 30, 0, 15)),
        ("Mon, 30 Nov 2026 12:15:00 PM +0000", utc(2026, 11, 30, 12, 15)),
        ("Mon, 30 Nov 2026 23:15:00 +0200Received: from x", EVENING),
        ("Mon, 30 Nov 2026 23:15:00+0200", EVENING),
        ("Mon, 30 Nov 2026 17:15:00 (EDT) -0400", EVENING),
        ("Mon, 30 Nov 2026 17:15:00 EDT", EVENING),
        ("Mon, 30 Nov 2026 22:15:00 +0100 (CET)", EVENING),
        ("Mon, 30 Nov 2026 22:15:00 MEZ", EVENING),
        ("Mon, 30 Nov 2026 22:15:00 GMT+0100", EVENING),
        ("Mon, 30 Nov 2026 22:15:00 +01:00", EVENING),
        ("30 Nov 2026 21:15", EVENING),
        ("Monday, 30 November 2026 21:15:00 UTC", EVENING),
        ("Mon,30 Nov 2026 21:15:00 Z", EVENING),
        ("Mon, 30-Nov-2026 21:15:00", EVENING),
        ("Mon Nov 30 21:15:00 2026", EVENING),
        ("Mon Nov 30 22:15:00 CET 2026", EVENING),
        ("Nov 30, 2026 09:15 PM", EVENING),
        ("2026-11-30T22:15:00+01:00", EVENING),
        ("2026-11-30 21:15:00.123", EVENING),
        ("Mon, 30 Nov 26 21:15:00 -0000", EVENING),
        ("Tue, 30 Nov 99 21:15:00 GMT", utc(1999, 11, 30, 21, 15)),
        ("Sat, 30 Nov 102 21:15:00 GMT", utc(2002, 11, 30, 21, 15)),
        ("Mon, 30 Nov 2026", utc(2026, 11, 30)),
        ("Mon, 30 Nov 2026 21.15.00 +0000", EVENING),
        ("Mon, 30 Nov 2026 23:59:60 +0000", utc(2026, 11, 30, 23, 59, 59)),
        ("Mon, 30 Nov 2026 21:15:00 QQQ", EVENING),
        ("Mon, 30 Nov 2026 21:15:00 +9999", None),
        ("Mon, 30 Nov 10000 21:15:00 +0000", None),
        ("Mon, 31 Feb 2026 21:15:00 +0000", None),
        ("Mon, 30 Nov 2026 25:15:00 +0000", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_however_it_is_written(written: str | None, expected: datetime | None) -> None:
    assert date(written) == expected


@pytest.mark.parametrize("junk", ["1", "jan 1 ", "1 jan ", "+01", "12:", " ", "a"])
def test_no_date_takes_for_ever(junk: str) -> None:
    assert date(junk * 200_000) is None or junk
