"""Announcements: what a transaction tells other processes when it commits.

Postgres carries it (NOTIFY, at most 8,000 bytes each): web processes stream it to open pages, the worker starts work.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass, replace
from typing import Self

CHANNEL = "signalbox"


@dataclass(frozen=True)
class Announcement:
    """Something that others should hear of."""

    @property
    def about(self) -> Hashable:
        """What it replaces if a transaction tells of the same twice."""
        return self

    def after(self, earlier: Self) -> Self:
        """What is left to tell of both."""
        return self


@dataclass(frozen=True)
class ConversationChanged(Announcement):
    """People can see something else; `push`: and something is to be written to the server."""

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
class AttemptWaits(Announcement):
    """An administrator asked to try a mailbox."""


@dataclass(frozen=True)
class ComparisonWaits(Announcement):
    """An administrator asked to compare a mailbox, or chose between two sides."""


_KINDS = {
    kind.__name__: kind
    for kind in (ConversationChanged, HealthChanged, PushWanted, PullWanted, AttemptWaits, ComparisonWaits)
}


def encoded(announcement: Announcement) -> str:
    return json.dumps({"kind": type(announcement).__name__, **asdict(announcement)})


def decoded(payload: str) -> Announcement | None:
    """None for what another version tells, or nobody of ours."""
    try:
        fields = json.loads(payload)
        announcement: Announcement = _KINDS[fields.pop("kind")](**fields)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return announcement
