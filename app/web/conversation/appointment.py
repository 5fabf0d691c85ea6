"""An invitation in the reader's language: a heading, and labelled lines."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.web.language import day_words, ngettext
from app.web.language import gettext as _

_DAY = "EEE d MMM y"
_MONDAY = dt.date(2026, 11, 2)


@dataclass(frozen=True)
class ShownAppointment:
    """`lines`: (label, value). `words`: the sender's text about it."""

    kind: str
    title: str
    lines: list[tuple[str, str]]
    words: Markup


def lines(event: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of an event from the parser (app/mail/calendar.py), without empty ones."""
    answered = event["kind"] in ("accepted", "declined", "tentative", "delegated", "answer")
    texts = [
        (_("When"), _when(event)),
        (_("Repeats"), _repeats(event["repeats"])),
        (_("Where"), event["place"]),
        (_("Organiser"), event["organiser"]),
        (_("From") if answered else _("Invited"), "; ".join(event["people"])),
    ]
    return [(label, value) for label, value in texts if value]


def kind(event: dict[str, Any]) -> str:
    """What the sender wants, as a heading."""
    names = {
        "invitation": _("Invitation"),
        "cancelled": _("Cancelled"),
        "answer": _("Answer to an invitation"),
        "accepted": _("Accepted"),
        "declined": _("Declined"),
        "tentative": _("Tentatively accepted"),
        "delegated": _("Delegated"),
        "counter": _("Another time proposed"),
        "counter_declined": _("Proposed time declined"),
        "added": _("Added to a series"),
        "refresh": _("Asks for the latest version"),
    }
    return names.get(event["kind"]) or _("Event")


def _when(event: dict[str, Any]) -> str:
    """`Wed 2 Dec 2026, 14:00–15:00 (Europe/Berlin)`: as written, because a zone's name may be anything."""
    if not event["begins"]:
        return ""
    begin, end = event["begins"], event["ends"]
    if "T" not in begin:
        return f"{_day(begin)} – {_day(end)}" if end else _day(begin)
    until = end[11:] if end[:10] == begin[:10] else f"{_day(end)}, {end[11:]}" if end else ""
    zone = f" ({event['zone']})" if event["zone"] else ""
    return f"{_day(begin)}, {begin[11:]}" + (f"–{until}" if until else "") + zone


def _day(written: str) -> str:
    return day_words(dt.date.fromisoformat(written[:10]), _DAY)


def _repeats(rule: dict[str, Any] | None) -> str:
    """`every 2 weeks, on Mon, Wed, until Thu 31 Dec 2026, 10 times`"""
    if rule is None:
        return ""
    parts = [_every(rule["unit"], rule["interval"])]
    if rule["days"]:
        days = ", ".join(day_words(_MONDAY + dt.timedelta(days=day), "EEE") for day in rule["days"])
        parts.append(_("on %(days)s", days=days))
    if rule["until"]:
        parts.append(_("until %(day)s", day=_day(rule["until"])))
    if rule["count"]:
        parts.append(ngettext("%(count)s time", "%(count)s times", rule["count"]) % {"count": rule["count"]})
    return ", ".join(parts)


def _every(unit: str, number: int) -> str:
    if number == 1:
        each = {"hour": _("every hour"), "day": _("every day"), "week": _("every week"), "month": _("every month")}
        return each.get(unit) or _("every year")
    several = {
        "hour": _("every %(number)s hours", number=number),
        "day": _("every %(number)s days", number=number),
        "week": _("every %(number)s weeks", number=number),
        "month": _("every %(number)s months", number=number),
    }
    return several.get(unit) or _("every %(number)s years", number=number)
