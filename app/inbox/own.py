"""Our own addresses: the mailbox's, its aliases, and those of members. A mail from one of them is the team's.

Such a mail opens nothing and waits for nobody. What a member writes anew to the team alone is inbound mail all the
same, as is a mail with our sender whose Reply-To is somebody else's: contact forms send so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.inbox.mailbox import Mailbox
from app.inbox.member import Member

if TYPE_CHECKING:
    from app.inbox.arrival import Arrival

#: `_plain` in SQL; `{0}`: an address. The pattern costs many times what looking for a + does.
_PLAIN = "CASE WHEN strpos({0}, '+') > 1 THEN regexp_replace(lower({0}), '^([^+]+)[+].*@', '\\1@') ELSE lower({0}) END"
#: An answer to a mail of the same conversation in which somebody else takes part: what a colleague answers who asked
#: the team is inbound mail.
_MARK_ANSWERS = text(
    f"""
    UPDATE message SET direction = 'out', own_address = false
    FROM unnest(CAST(:ids AS int[])) AS wanted (id) JOIN message AS answered ON answered.conversation_id = wanted.id
    WHERE message.conversation_id = wanted.id AND message.direction = 'in'
      AND {_PLAIN.format("message.from_address")} = ANY(CAST(:own AS text[]))
      AND message.authentication IS DISTINCT FROM 'fail'
      AND answered.message_id = ANY(message."references")
      AND EXISTS (
        SELECT FROM unnest(answered.addresses) AS address
        WHERE {_PLAIN.format("address")} <> ALL(CAST(:own AS text[])))
      AND NOT EXISTS (
        SELECT FROM copy JOIN folder ON folder.id = copy.folder_id
        WHERE copy.message_id = message.id AND copy.gone_at IS NULL AND folder.role = 'junk')
      AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(message.reply_to) AS person
        WHERE {_PLAIN.format("person ->> 1")} <> ALL(CAST(:own AS text[])))
    RETURNING message.id
    """  # noqa: S608  words of ours
)


class OwnAddresses:
    """Those of the mailbox, and those of members. Letter case and a `+label` make no difference: `Help+shop@x` is
    `help@x`."""

    def __init__(self, mailbox: Iterable[str], members: Iterable[str] = ()) -> None:
        self.mailbox = frozenset(map(_plain, mailbox))
        self._all = self.mailbox | frozenset(map(_plain, members))
        self.all = sorted(self._all)
        self._domains = frozenset(address.rpartition("@")[2] for address in self.mailbox)

    def __contains__(self, address: str) -> bool:
        return _plain(address) in self._all

    def is_of_mailbox(self, address: str) -> bool:
        return _plain(address) in self.mailbox

    def is_in_domain(self, address: str) -> bool:
        """Whether it has the domain of one of the mailbox's addresses."""
        return address.rpartition("@")[2].lower() in self._domains


def own_addresses(session: Session, mailbox: Mailbox) -> OwnAddresses:
    """Members who are disabled still count: their mail of earlier is the team's."""
    return OwnAddresses(mailbox.addresses, session.scalars(select(Member.email)))


def as_ours(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """A mail of ours to somebody else is outbound wherever it lies, unless it asks the team."""
    if arrival.is_sent or not _is_from_us(arrival, own):
        return arrival
    receivers = [address for _, address in arrival.to if address]
    asks_the_team = any(own.is_of_mailbox(address) for address in receivers)
    if asks_the_team or all(address in own for address in receivers):
        return arrival
    return replace(arrival, direction="out")


def mark_answers(session: Session, conversation_ids: Iterable[int], own: OwnAddresses) -> set[int]:
    """Our answers in these conversations become outbound; returns the messages. The mail that is answered may have
    come after them."""
    ids = sorted(set(conversation_ids))
    return set(session.scalars(_MARK_ANSWERS, {"ids": ids, "own": own.all})) if ids else set()


def _is_from_us(arrival: Arrival, own: OwnAddresses) -> bool:
    return arrival.sender[1] in own and all(address in own for _, address in arrival.reply_to)


@lru_cache(maxsize=4096)  # the same few write in a conversation
def _plain(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
