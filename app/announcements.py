"""Announcements: messages from a transaction to other processes, sent when it commits.

Postgres carries them (NOTIFY, at most 8,000 bytes each). Web processes stream them to open pages, and the worker starts
work.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass, replace
from typing import Self

CHANNEL = "signalbox"


@dataclass(frozen=True)
class Announcement:
    """A message to other processes."""

    @property
    def about(self) -> Hashable:
        """A later announcement with the same value in one transaction replaces this one."""
        return self

    def after(self, earlier: Self) -> Self:
        """The announcement that covers both."""
        return self


@dataclass(frozen=True)
class ConversationChanged(Announcement):
    """A conversation looks different; `push`: and something is to be written to the server."""

    mailbox_id: int
    conversation_id: int
    revision: int
    push: bool = False

    @property
    def about(self) -> Hashable:
        return "conversation", self.conversation_id

    def after(self, earlier: Self) -> Self:
        return replace(self, push=self.push or earlier.push)


@dataclass(frozen=True)
class HealthChanged(Announcement):
    mailbox_id: int
    state: str


@dataclass(frozen=True)
class PushWanted(Announcement):
    """Something is to be written to the server, or fetched from it for a page."""

    mailbox_id: int


@dataclass(frozen=True)
class PullWanted(Announcement):
    """Mail is to be read again."""

    mailbox_id: int


@dataclass(frozen=True)
class SendingWanted(Announcement):
    """A reply is to be sent, now or in a moment."""

    mailbox_id: int


@dataclass(frozen=True)
class AttemptWaits(Announcement):
    """An administrator asked to test a mailbox."""


@dataclass(frozen=True)
class ComparisonWaits(Announcement):
    """An administrator asked to compare a mailbox, or chose a side."""


_KINDS = {
    kind.__name__: kind
    for kind in (
        ConversationChanged,
        HealthChanged,
        PushWanted,
        PullWanted,
        SendingWanted,
        AttemptWaits,
        ComparisonWaits,
    )
}


def encoded(announcement: Announcement) -> str:
    return json.dumps({"kind": type(announcement).__name__, **asdict(announcement)})


def decoded(payload: str) -> Announcement | None:
    """None for an unknown announcement, of another version or another program."""
    try:
        fields = json.loads(payload)
        announcement: Announcement = _KINDS[fields.pop("kind")](**fields)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return announcement
