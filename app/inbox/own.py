"""Our own addresses: the mailbox's, its aliases, and those of members. A mail from one of them is the team's."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.mailbox import Mailbox
from app.inbox.member import Member


class OwnAddresses:
    """Addresses compared without letter case and without `+label`: `Help+shop@x` is `help@x`."""

    def __init__(self, mailbox: Iterable[str], members: Iterable[str] = ()) -> None:
        self.mailbox = frozenset(map(_plain, mailbox))
        self._all = self.mailbox | frozenset(map(_plain, members))
        self._domains = frozenset(address.rpartition("@")[2] for address in self.mailbox)

    def __contains__(self, address: str) -> bool:
        return _plain(address) in self._all

    def is_in_domain(self, address: str) -> bool:
        """Whether it has the domain of one of the mailbox's addresses."""
        return address.rpartition("@")[2].lower() in self._domains


def own_addresses(session: Session, mailbox: Mailbox) -> OwnAddresses:
    """Members who are disabled still count: their mail of earlier is the team's."""
    return OwnAddresses([mailbox.address], session.scalars(select(Member.email)))


def _plain(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
