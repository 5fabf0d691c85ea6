"""What the sample consists of: one mail as it is to lie on the server, and the plan of one conversation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleMail:
    """One mail for APPEND. `conversation` counts the sample's conversations, `kind` says what sort it belongs to."""

    raw: bytes
    folder: str
    flags: tuple[str, ...]
    internaldate: dt.datetime
    conversation: int
    kind: str
    ours: bool = False
    tag: str | None = None
    agent: str | None = None  #: the handle of who signed it, when it is ours


@dataclass(frozen=True)
class ConversationPlan:
    """One conversation to be written: of which kind, with how many mails, at which moments."""

    number: int
    kind: str
    moments: tuple[dt.datetime, ...]
    settled: bool  #: old enough to be done
