"""Arrival: a mail as a folder showed it, on its way to become a message. Plain values, made by the sync."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class File:
    part: str
    filename: str
    type: str
    size: int
    encoding: str
    content_id: str | None
    inline: bool


@dataclass(frozen=True)
class Arrival:
    """One mail as a folder showed it; plain values, as the parser gave them. Addresses are (name, address)."""

    folder_id: int
    uidvalidity: int
    uid: int
    keywords: tuple[str, ...]
    received_at: dt.datetime
    size: int
    identity: bytes
    message_id: str | None
    references: tuple[str, ...]
    direction: str
    own_address: bool
    sender: tuple[str, str]
    reply_to: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    preview: str
    text: str
    html: str | None  # what these four say is told in message.py:Body
    html_form: str
    has_remote_images: bool
    quote_at: int | None
    date: dt.datetime | None
    machine: str | None  # kind of machine that wrote it, see app/inbox/message.py
    machine_sign: str
    undelivered: Mapping[str, Any] | None
    unreadable: bool
    source: bytes | None
    files: tuple[File, ...]
    searched: Mapping[str, str]  # see app/searchable.py

    @property
    def is_sent(self) -> bool:
        return self.direction == "out"


@dataclass(frozen=True)
class Received:
    """A new copy. `new`: its message was not known before (else it was moved, copied or found again)."""

    copy_id: int
    message_id: int
    conversation_id: int
    new: bool
    arrival: Arrival
