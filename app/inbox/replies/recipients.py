"""Who an answer goes to, and from which of our addresses. Pure.

Recipients come from the message that is answered, never from the customer of the conversation: who is asked and who is
answered may be different people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.inbox.arriving.own import OwnAddresses

#: A name, possibly empty, and an address.
Person = Sequence[str]


class Answerable(Protocol):
    """A message, or what a page knows of it. People are [[name, address], …]."""

    direction: str
    from_name: str
    from_address: str
    reply_to: list[Person]
    to: list[Person]
    cc: list[Person]


@dataclass(frozen=True)
class Recipients:
    to: list[list[str]]
    cc: list[list[str]]


def recipients(message: Answerable, own: OwnAddresses, *, everybody: bool) -> Recipients:
    """To its sender, or to everybody who got it, without our own addresses. A mail of ours is followed by another one
    to the same people."""
    if message.direction == "out":
        to, cc = message.to, message.cc if everybody else []
    else:
        to = _asking(message, own)
        to, cc = [*to, *(message.to if everybody else [])], message.cc if everybody else []
    chosen = _others(to, own, set())
    if not chosen:  # we wrote to ourselves
        chosen = _others(to, None, set())
    return Recipients(chosen, _others(cc, own, {address.lower() for _, address in chosen}))


def sender(message: Answerable | None, address: str, aliases: Iterable[str]) -> str:
    """The alias that the message was sent to, else the mailbox's own address."""
    if message is None:
        return address
    known = {alias.lower(): alias for alias in (address, *aliases)}
    if message.direction == "out":
        return known.get(message.from_address.lower(), address)
    met = [known[to.lower()] for _, to in (*message.to, *message.cc) if to.lower() in known]
    return address if address in met or not met else met[0]


def _asking(message: Answerable, own: OwnAddresses) -> list[Person]:
    """Reply-To if somebody can be written to there, else From. A contact form sends with our address as From."""
    named = [person for person in message.reply_to if _can_be_written_to(person[1])]
    others = [person for person in named if not own.is_of_mailbox(person[1])]
    sender = (message.from_name, message.from_address)
    return others or (named if named and own.is_of_mailbox(message.from_address) else [sender])


def _others(people: Iterable[Person], own: OwnAddresses | None, met: set[str]) -> list[list[str]]:
    chosen = []
    for name, address in people:
        if not _can_be_written_to(address) or address.lower() in met or (own and own.is_of_mailbox(address)):
            continue
        met.add(address.lower())
        chosen.append([name, address])
    return chosen


def _can_be_written_to(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local and domain)
