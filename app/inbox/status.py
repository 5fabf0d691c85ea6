"""Status: where a conversation stands. The order is the one in which two new ones on one copy are decided."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    OPEN = "open"
    PENDING = "pending"  # we wait for the customer
    SNOOZED = "snoozed"
    CLOSED = "closed"
    SPAM = "spam"
