"""The Date field as programs really write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.mail.dates import date, plausible
from app.mail.parse import parse


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


@pytest.mark.parametrize(
    "written",
    [
        # other languages
        "Mo, 30 Nov 2026 21:15:00 +0000",
        "lun., 30 nov. 2026 21:15:00 +0000",
        "lunes, 30 de noviembre de 2026 21:15:00 +0000",
        "30 de novembro de 2026 21:15",
        "Lun, 30 Nov 2026 21:15:00 +0000 (Europa/Roma)",
        "30 novembre 2026 à 21:15",
        "maandag 30 november 2026 21:15",
        "ma 30.marras 2026 21.15",
        "30. marraskuuta 2026 klo 21.15",
        "pon., 30 lis 2026 21:15:00 +0000",
        "30 listopada 2026 21:15",
        "po, 30 lis 2026 21:15:00 +0000",
        "30. listopadu 2026 21:15",
        "2026. nov. 30. 21:15",
        "30 Kas 2026 21:15:00 +0000",
        "30 Kasım 2026 Pazartesi 21:15",
        "Пн, 30 ноя 2026 21:15:00 +0000",
        "30 ноября 2026 г., 21:15",
        "30 листопада 2026 р. 21:15",
        "Δευ, 30 Νοε 2026 21:15:00 +0000",
        "יום שני 30 נובמבר 2026 21:15",
        "30 نوفمبر 2026 21:15",
        "30 noiembrie 2026 21:15",
        "30. novembris 2026 21:15",
        "2026 m. lapkričio 30 d. 21:15",
        "30 พ.ย. 2569 21:15",
        "30 พฤศจิกายน 2569 21:15",
        "ngày 30 tháng 11 năm 2026 21:15",
        "2026年11月30日 21:15",
        "2026年11月30日(月) 21時15分",
        "2026年11月30日 下午9:15",
        "2026년 11월 30일 오후 9:15",
        "２０２６年１１月３０日 ２１：１５",
        "٣٠ نوفمبر ٢٠٢٦ ٢١:١٥",
        # encoded words and comments
        "=?utf-8?q?Mon=2C_30_Nov_2026_21=3A15=3A00_+0000?=",
        "=?utf-8?B?0J/QvSwgMzAg0L3QvtGPIDIwMjYgMjE6MTU6MDAgKzAwMDA=?=",
        "Mon, 30 (the last (really) day) Nov 2026 21:15:00 +0000",
        "(1 Jan 1999 10:00) Mon, 30 Nov 2026 21:15:00 +0000",
        "Mon, 30 Nov 2026 22:15:00 (CET)",
        # glued, missing and wrong pieces
        "Mon,30Nov2026 21:15:00+0000",
        "30Nov2026 21:15:00GMT",
        "Mon, 30 Nov 2026 22:15:00CET",
        "Fri, 30 Nov 2026 21:15:00 +0000",
        "Blursday, 30 Nov 2026 21:15:00 +0000",
        ", 30 Nov 2026 21:15:00 +0000",
        "Mon 30-Nov-26 21:15:00",
        "Mon, 30 Nov '26 21:15:00",
        "Mon, November 30th 2026 21:15:00",
        "30th November 2026 21:15",
        "21:15:00 30 Nov 2026",
        "Mon, 30 Nov 2026 21:15:00 -0000",
        "Mon, 30 Nov 2026 21:15:00 -00:00",
        "Mon, 30 Nov 2026 23:15:00 GMT+2",
        "Mon, 30 Nov 2026 23:15:00 +2",
        "Mon, 30 Nov 2026 23:15:00 UTC+02:00",
        "Mon, 30 Nov 2026 23:15:0 +200",
        "Mon, 30 Nov 2026 23:15:00 +200",
        "Tue, 1 Dec 2026 02:45:00 +0530",
        # ISO 8601 and numbers
        "2026-11-30T21:15:00Z",
        "20261130T211500Z",
        "20261130T221500+0100",
        "2026-11-30T21:15",
        "2026/11/30 21:15:00",
        "30.11.2026 21:15",
        "30/11/2026 21:15:00",
        "11/30/2026 9:15:00 PM",
        "30-11-2026 21:15",
        "30.11.2026, 21:15 Uhr",
    ],
)
def test_a_date_of_any_program_and_language_is_the_same_moment(written: str) -> None:
    assert date(written) == EVENING


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Mon, 30 Nov 2026 24:00:00 +0000", utc(2026, 12, 1)),
        ("2026-11-30T24:00:00Z", utc(2026, 12, 1)),
        ("Mon, 30 Nov 2026 24:01:00 +0000", None),
        ("Mon, 30 Nov 2026 21:75:00 +0000", None),
        ("5/6/2026 9:15:00 AM", utc(2026, 5, 6, 9, 15)),
        ("5.6.2026 09:15", utc(2026, 6, 5, 9, 15)),
        ("5/6/2026 09:15", None),
        ("30.11.2026", utc(2026, 11, 30)),
        ("Mar, 3 mar 2026 10:00", utc(2026, 3, 3, 10)),
        ("30 März 2026 10:00", utc(2026, 3, 30, 10)),
        ("1er août 2026 10:00", utc(2026, 8, 1, 10)),
        ("3 Ara 2026 10:00", utc(2026, 12, 3, 10)),
        ("3 dic 2026 10:00", utc(2026, 12, 3, 10)),
        ("3 grudnia 2026 10:00", utc(2026, 12, 3, 10)),
        ("3 juin 2026 10:00", utc(2026, 6, 3, 10)),
        ("3 juil. 2026 10:00", utc(2026, 7, 3, 10)),
        ("3. července 2026 10:00", utc(2026, 7, 3, 10)),
        ("3. června 2026 10:00", utc(2026, 6, 3, 10)),
        ("3 мая 2026 10:00", utc(2026, 5, 3, 10)),
        ("3 Şub 2026 10:00", utc(2026, 2, 3, 10)),
        ("30 Foo 2026 10:00", None),
        ("00 Nov 2026 10:00", None),
    ],
)
def test_a_moment_is_read_or_not_at_all(written: str, expected: datetime | None) -> None:
    assert date(written) == expected


@pytest.mark.parametrize(
    ("sent", "delivered", "expected"),
    [
        (EVENING, EVENING, EVENING),
        (EVENING, None, EVENING),
        (utc(2026, 12, 1, 21), EVENING, utc(2026, 12, 1, 21)),
        (utc(2038, 1, 19), EVENING, None),
        (utc(2038, 1, 19), None, utc(2038, 1, 19)),
        (utc(1970, 1, 1), EVENING, None),
        (utc(2019, 5, 1), EVENING, utc(2019, 5, 1)),
        (None, EVENING, None),
    ],
)
def test_an_impossible_time_gives_none(
    sent: datetime | None, delivered: datetime | None, expected: datetime | None
) -> None:
    assert plausible(sent, delivered) == expected


def test_a_mail_of_a_wrong_clock_has_the_time_of_its_delivery() -> None:
    head = "Received: from a by b; Mon, 30 Nov 2026 21:15:00 +0000\r\nDate: Sat, 18 Sep 2038 10:00:00 +0000\r\n\r\nx"
    mail = parse(head.encode())
    assert (mail.date, mail.delivered) == (None, EVENING)


def test_a_date_in_the_charset_of_the_text_is_read() -> None:
    head = "Date: Пн, 30 ноя 2026 21:15:00 +0000\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx"
    assert parse(head.encode("koi8-r")).date == EVENING
