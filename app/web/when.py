"""Times for people: short, in their zone and language. The exact moment is shown on hover.

static/js/clock.js continues `wait` in the open page by the same rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import available_timezones

from app.clock import now
from app.web.language import day_words, zone
from app.web.language import gettext as _


@dataclass(frozen=True)
class Time:
    """A moment, or the time since then, in short words; `full` is the exact moment, for the hover."""

    iso: str
    full: str
    words: str


def time(at: dt.datetime, words: str) -> Time:
    return Time(at.isoformat(), at_full(at), words)


def when(at: dt.datetime) -> str:
    """For lists and history: 09:58 today, Mon in the last days, 12 Mar this year, otherwise 2024-03-12."""
    day, today = _day(at), _day(now())
    if day == today:
        return clock(at)
    if 0 < (today - day).days < 7:
        return day_words(day, "EEE")
    return day_words(day, "d MMM" if day.year == today.year else "yyyy-MM-dd")


def when_exactly(at: dt.datetime) -> str:
    """For messages: Today 08:31, Mon 16:20, 12 Mar 16:20, 2024-03-12 16:20."""
    if _day(at) == _day(now()):
        return _("Today %(time)s", time=clock(at))
    return f"{when(at)} {clock(at)}"


def moment(at: dt.datetime) -> str:
    """For lines between messages: 10:42 today, Mon 17:05, 12 Mar 16:20."""
    return clock(at) if _day(at) == _day(now()) else f"{when(at)} {clock(at)}"


def until(at: dt.datetime) -> str:
    """A future time: 14:00 today, Tue 09:00 within a week, otherwise 12 Mar 09:00."""
    day, today = _day(at), _day(now())
    if day == today:
        return clock(at)
    return f"{day_words(day, 'EEE' if 0 < (day - today).days < 7 else 'd MMM')} {clock(at)}"


def at_full(at: dt.datetime) -> str:
    """For the hover on a time: the exact moment, the same in every language."""
    here = zone()
    return f"{at.astimezone(here).replace(tzinfo=None).isoformat(' ', 'seconds')}, {here.key}"


def clock(at: dt.datetime) -> str:
    return f"{at.astimezone(zone()):%H:%M}"


def clock_seconds(at: dt.datetime) -> str:
    return f"{at.astimezone(zone()):%H:%M:%S}"


def waited(since: dt.datetime) -> str:
    """4 m, 1 h 02 m, 1 d 5 h."""
    minutes = max(0, int((now() - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def zones() -> list[str]:
    """The time zones of places, and UTC."""
    places = (z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix", "right")))
    return ["UTC", *sorted(places)]


def _day(at: dt.datetime) -> dt.date:
    """The reader's day at that moment."""
    return at.astimezone(zone()).date()
