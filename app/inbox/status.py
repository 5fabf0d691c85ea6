"""The statuses of a conversation. If one copy has two new statuses, the first in this order counts."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    OPEN = "open"
    PENDING = "pending"  # we wait for the customer
    SNOOZED = "snoozed"
    CLOSED = "closed"
    SPAM = "spam"
