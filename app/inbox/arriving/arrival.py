"""Arrival: a mail as a folder showed it, before it becomes a message. The sync creates these plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.vectors import SearchVector

#: Mail is in transit for five days at most (RFC 5321 4.5.4.1), and for less from one of our servers to the next.
_COPIED_LATER = dt.timedelta(days=1)


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
    """One mail as a folder showed it; plain values from the parser. Addresses are (name, address)."""

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
    sender: tuple[str, str]
    reply_to: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    preview: str
    text: str
    html: str | None  # message.py:Body explains these five
    html_form: str
    has_remote_images: bool
    quote_at: int | None
    truncated: bool
    date: dt.datetime | None
    machine: str | None  # kind of machine that wrote it, see app/inbox/conversations/message.py
    machine_sign: str
    undelivered: Mapping[str, Any] | None
    unreadable: bool
    source: bytes | None
    files: tuple[File, ...]
    searched: SearchVector
    former_identity: bytes = b""  # the identity of mails stored before it left out fields that servers add
    authentication: tuple[tuple[str, str], ...] = ()  # (authserv-id, pass, fail or none), topmost first
    appointments: tuple[Mapping[str, Any], ...] = ()  # see app/mail/calendar.py:Appointment
    returned_subject: str = ""  # of the mail that a bounce is about
    delivered: dt.datetime | None = None  # by the last mail server, from the header

    def as_delivered(self) -> Arrival:
        """An imported mail with its time of delivery. Mail that was copied to a new server may have the date of the
        copying; its header has the real one. Without a Received field we take the sender's Date."""
        at = self.delivered or self.date
        is_copied = at is not None and self.received_at - at > _COPIED_LATER
        return replace(self, received_at=at) if at and is_copied else self

    @property
    def is_sent(self) -> bool:
        return self.direction == "out"


@dataclass(frozen=True)
class Received:
    """A new copy. `new`: its message was not known before (otherwise it was moved, copied or found again)."""

    copy_id: int
    message_id: int
    conversation_id: int
    new: bool
    arrival: Arrival
