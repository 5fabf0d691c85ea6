"""Times for people: short, in their zone and language. The exact moment is shown on hover.

static/js/clock.js continues `wait` in the open page by the same rules.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import available_timezones

from app.clock import now
from app.web.language import formatted, zone
from app.web.language import gettext as _


def when(at: dt.datetime) -> str:
    """For lists and history: 09:58 today, Mon in the last days, 12 Mar this year, otherwise 2024-03-12."""
    local, today = at.astimezone(zone()), now().astimezone(zone()).date()
    days = (today - local.date()).days
    if days == 0:
        return clock(at)
    if 0 < days < 7:
        return formatted(at, "EEE")
    if local.year == today.year:
        return formatted(at, "d MMM")
    return formatted(at, "yyyy-MM-dd")


def when_exactly(at: dt.datetime) -> str:
    """For messages: Today 08:31, Mon 16:20, 12 Mar 16:20, 2024-03-12 16:20."""
    local, today = at.astimezone(zone()), now().astimezone(zone()).date()
    if local.date() == today:
        return _("Today %(time)s", time=clock(at))
    return f"{when(at)} {clock(at)}"


def moment(at: dt.datetime) -> str:
    """For lines between messages: 10:42 today, Mon 17:05, 12 Mar 16:20."""
    return clock(at) if at.astimezone(zone()).date() == now().astimezone(zone()).date() else f"{when(at)} {clock(at)}"


def until(at: dt.datetime) -> str:
    """A future time: 14:00 today, Tue 09:00 within a week, otherwise 12 Mar 09:00."""
    local, today = at.astimezone(zone()), now().astimezone(zone()).date()
    days = (local.date() - today).days
    if days == 0:
        return clock(at)
    day = formatted(at, "EEE") if 0 < days < 7 else formatted(at, "d MMM")
    return f"{day} {clock(at)}"


def at_full(at: dt.datetime) -> str:
    """For the hover on a time: the exact moment, the same in every language."""
    return f"{at.astimezone(zone()):%Y-%m-%d %H:%M:%S}, {zone().key}"


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
