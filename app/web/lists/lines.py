"""The rows of a list in the reader's words. The template only places them. A list has fifty rows, and a filter or macro
in each would cost several times as much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.inbox.conversations.derived import Limits, wait_level
from app.inbox.conversations.rows import TagRow
from app.inbox.lists.items import Item
from app.web.language import ngettext
from app.web.machines import machine_names
from app.web.when import Time, time, until, waited, when
from app.web.where import Where
from app.web.words import status_names

#: The marks and tags for which a row has room.
_ROOM = 2


@dataclass(frozen=True)
class ListLine:
    """A row of a list; an empty text is not shown. `time`: the end of the snooze, the wait, or the last message.
    `wait_level`: None if nobody waits, else how late it is."""

    item: Item
    time: Time
    is_snoozed: bool
    wait_level: str | None
    messages: str
    status: str
    machine: str
    tags: list[TagRow]
    more_tags: list[TagRow]


def lines(items: Sequence[Item], where: Where, limits: Limits) -> list[ListLine]:
    """`limits`: the mailbox, which decides when a wait is late."""
    counts = {item.message_count for item in items}
    messages = {count: ngettext("%(num)d message", "%(num)d messages", count) % {"num": count} for count in counts}
    statuses = status_names() | {"open": ""} if where.shows_status else {}
    machines = machine_names()
    return [_line(item, limits, messages[item.message_count], statuses, machines) for item in items]


def _line(
    item: Item, limits: Limits, messages: str, statuses: Mapping[str, str], machines: Mapping[str, str]
) -> ListLine:
    room = _ROOM - bool(item.last_machine)
    tags = item.tags
    is_snoozed = item.status == "snoozed" and item.snoozed_until is not None
    return ListLine(
        item=item,
        time=_time(item, is_snoozed=is_snoozed),
        is_snoozed=is_snoozed,
        wait_level=wait_level(item.waiting_since, limits) if item.waiting_since else None,
        messages=messages,
        status=statuses.get(item.status, ""),
        machine=machines.get(item.last_machine or "", ""),
        tags=tags[:room],
        more_tags=tags[room:],
    )


def _time(item: Item, *, is_snoozed: bool) -> Time:
    if is_snoozed and item.snoozed_until:
        return time(item.snoozed_until, until(item.snoozed_until))
    if item.waiting_since:
        return time(item.waiting_since, waited(item.waiting_since))
    return time(item.last_at, when(item.last_at))
