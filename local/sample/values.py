"""The elements of the sample: one mail for the server, and the plan of one conversation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleMail:
    """One mail for APPEND. `conversation` numbers the sample's conversations, `kind` is its sort."""

    raw: bytes
    folder: str
    flags: tuple[str, ...]
    internaldate: dt.datetime
    conversation: int
    kind: str
    ours: bool = False
    tag: str | None = None
    agent: str | None = None  #: the handle of its author, if it is ours


@dataclass(frozen=True)
class ConversationPlan:
    """A conversation to be written: its kind, its number of mails, and their times."""

    number: int
    kind: str
    moments: tuple[dt.datetime, ...]
    settled: bool  #: old enough to be closed
