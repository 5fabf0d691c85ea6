"""The actor. Every verb takes an actor, and the history records it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.inbox.people.member import Member


class Source(StrEnum):
    """Where an act came from."""

    WEB = "web"
    API = "api"
    MAIL_CLIENT = "mail client"
    RULE = "rule"
    SYSTEM = "system"
    COMMAND = "command"


@dataclass(frozen=True)
class Actor:
    """A member through web or API, or a source without a member. IMAP tells neither who changed a keyword nor exactly
    when. For a mail client we know only a time before the change (`not_before`)."""

    source: Source
    member: Member | None = None
    not_before: dt.datetime | None = None


def web(member: Member) -> Actor:
    return Actor(Source.WEB, member)


def api(member: Member) -> Actor:
    return Actor(Source.API, member)


def mail_client(not_before: dt.datetime | None) -> Actor:
    return Actor(Source.MAIL_CLIENT, not_before=not_before)


SYSTEM = Actor(Source.SYSTEM)
COMMAND = Actor(Source.COMMAND)
