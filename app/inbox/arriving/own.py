"""Our own addresses: the mailbox's, its aliases, and those of members. A mail from one of them is the team's.

Such a mail reopens nothing and does not wait for an answer. Two exceptions are inbound. One is a new mail from a member
to the team alone. The other has our address as sender and somebody else's in Reply-To, as contact forms send it.

Anyone can write our address into From. ARCHITECTURE.md ("The sender decides the direction") has the rule for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.inbox.arriving.author import VIA, author, is_via
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member

if TYPE_CHECKING:
    from app.inbox.arriving.arrival import Arrival

#: `_plain` in SQL; `{0}`: an address. The pattern costs far more than a search for "+".
_PLAIN = "CASE WHEN strpos({0}, '+') > 1 THEN regexp_replace(lower({0}), '^([^+]+)[+].*@', '\\1@') ELSE lower({0}) END"
#: An answer to a mail of the same conversation in which somebody else takes part. A colleague's answer to a question of
#: the team itself is inbound mail. If no server vouches for the sender, the answer also has to be addressed to such a
#: person. A list that put itself into From has the author first in Reply-To (`seen_by_us`).
_MARK_ANSWERS = text(
    f"""
    UPDATE message SET direction = 'out', own_address = false
    FROM unnest(CAST(:ids AS int[])) AS wanted (id) JOIN message AS answered ON answered.conversation_id = wanted.id
    WHERE message.conversation_id = wanted.id AND message.direction = 'in'
      AND (({_PLAIN.format("message.from_address")} = ANY(CAST(:own AS text[])) AND message.from_name !~* :via)
        OR ({_PLAIN.format("(message.reply_to -> 0 ->> 1)")} = ANY(CAST(:own AS text[]))
          AND lower(message.reply_to -> 0 ->> 1) <> lower(message.from_address)
          AND (message.from_name ~* :via OR (message.machine = 'list' AND EXISTS (
            SELECT FROM jsonb_array_elements(message."to" || message.cc) AS person
            WHERE lower(person ->> 1) = lower(message.from_address))))))
      AND message.authentication IS DISTINCT FROM 'fail'
      AND answered.message_id = ANY(message."references")
      AND EXISTS (
        SELECT FROM unnest(answered.addresses) AS address
        WHERE {_PLAIN.format("address")} <> ALL(CAST(:own AS text[]))
          AND (message.authentication = 'pass' OR address = ANY(message.addresses)))
      AND NOT EXISTS (
        SELECT FROM copy JOIN folder ON folder.id = copy.folder_id
        WHERE copy.message_id = message.id AND copy.gone_at IS NULL AND folder.role = 'junk')
      AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(message.reply_to) AS person
        WHERE {_PLAIN.format("person ->> 1")} <> ALL(CAST(:own AS text[]))
          AND lower(person ->> 1) <> lower(message.from_address))
    """  # noqa: S608  words of ours
)


class OwnAddresses:
    """The addresses of the mailbox and of members. Letter case and a `+label` make no difference: `Help+shop@x` equals
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
    """Disabled members still count, because their earlier mail is the team's."""
    return OwnAddresses(mailbox.addresses, session.scalars(select(Member.email)))


def with_author(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """A mail whose From a list or group rewrote, with its author. The author becomes the sender if the group has an
    address of ours, because the mail would otherwise count as the team's. If not, the author becomes the first in
    Reply-To, as only the list names them."""
    wrote, group = _author(arrival), arrival.sender[1].lower()
    if wrote is None:
        return arrival
    others = tuple(person for person in arrival.reply_to if person[1].lower() not in (group, wrote[1].lower()))
    if wrote[1] in own or own.is_in_domain(group):  # a server vouches for the list, not for its author
        vouched = tuple((id_, "none" if result == "pass" else result) for id_, result in arrival.authentication)
        arrival = replace(arrival, authentication=vouched)
    if group in own or own.is_in_domain(group):
        return replace(arrival, sender=wrote, reply_to=others)
    return replace(arrival, reply_to=(wrote, *others))


def verdict(arrival: Arrival, mailbox: Mailbox, own: OwnAddresses) -> str | None:
    """A trusted server's result for the sender: pass, fail or none. If the team trusts no server, only a fail from the
    topmost server counts, for a mail in our name, because a forger would not write that. Otherwise None."""
    result = mailbox.authentication_of(arrival.authentication)
    is_denied = result is None and arrival.sender[1] in own and [v for _, v in arrival.authentication[:1]] == ["fail"]
    return "fail" if is_denied else result


def as_ours(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """A mail of ours to somebody else is outbound in any folder, unless it asks the team."""
    if arrival.is_sent or not _is_from_us(arrival, own):
        return arrival
    receivers = [address for _, address in arrival.to if address]
    asks_the_team = any(own.is_of_mailbox(address) for address in receivers)
    if asks_the_team or all(address in own for address in receivers):
        return arrival
    return replace(arrival, direction="out")


def mark_answers(session: Session, conversation_ids: Iterable[int], own: OwnAddresses) -> None:
    """Mark our answers in these conversations as outbound. The answered mail may have arrived after them."""
    if ids := sorted(set(conversation_ids)):
        session.execute(_MARK_ANSWERS, {"ids": ids, "own": own.all, "via": VIA})


def _is_from_us(arrival: Arrival, own: OwnAddresses) -> bool:
    wrote = _author(arrival)
    if wrote is None and is_via(arrival.sender[0]):
        return False  # anyone may have written through our group
    group = arrival.sender[1].lower() if wrote else ""
    return (wrote or arrival.sender)[1] in own and all(
        address in own or address.lower() == group for _, address in arrival.reply_to
    )


def _author(arrival: Arrival) -> tuple[str, str] | None:
    is_list = arrival.machine == "list"
    return author(arrival.sender, arrival.reply_to, arrival.to, arrival.cc, is_list=is_list)


@lru_cache(maxsize=4096)  # a conversation has few different senders
def _plain(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
