"""Our own addresses: the mailbox's, its aliases, and those of members. A mail from one of them is the team's.

Such a mail opens nothing and waits for nobody. What a member writes anew to the team alone is inbound mail all the
same, as is a mail with our sender whose Reply-To is somebody else's: contact forms send so.

Anybody can write our address into From. ARCHITECTURE.md ("Direction is told by sender") has the rule for that.
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

#: `_plain` in SQL; `{0}`: an address. The pattern costs many times what looking for a + does.
_PLAIN = "CASE WHEN strpos({0}, '+') > 1 THEN regexp_replace(lower({0}), '^([^+]+)[+].*@', '\\1@') ELSE lower({0}) END"
#: An answer to a mail of the same conversation in which somebody else takes part: what a colleague answers who asked
#: the team is inbound mail. Where no server vouches for the sender, the answer also has to reach such a person.
#: A list that put itself into From has the author first in Reply-To (`seen_by_us`).
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


def with_author(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """A mail whose From a list or group rewrote, with its author: as the sender if the group has an address of ours,
    which would say that the team wrote; else first in Reply-To, as only the list's own word names them."""
    wrote, group = _author(arrival), arrival.sender[1].lower()
    if wrote is None:
        return arrival
    others = tuple(person for person in arrival.reply_to if person[1].lower() not in (group, wrote[1].lower()))
    if wrote[1] in own or own.is_in_domain(group):  # a server vouches for the list, and not for its author
        vouched = tuple((id_, "none" if result == "pass" else result) for id_, result in arrival.authentication)
        arrival = replace(arrival, authentication=vouched)
    if group in own or own.is_in_domain(group):
        return replace(arrival, sender=wrote, reply_to=others)
    return replace(arrival, reply_to=(wrote, *others))


def verdict(arrival: Arrival, mailbox: Mailbox, own: OwnAddresses) -> str | None:
    """What a trusted server found out about the sender: pass, fail or none. Where the team trusts none, the topmost
    server is believed if it speaks against a mail in our name, for a forger would not write that; else None."""
    result = mailbox.authentication_of(arrival.authentication)
    is_denied = result is None and arrival.sender[1] in own and [v for _, v in arrival.authentication[:1]] == ["fail"]
    return "fail" if is_denied else result


def as_ours(arrival: Arrival, own: OwnAddresses) -> Arrival:
    """A mail of ours to somebody else is outbound wherever it lies, unless it asks the team."""
    if arrival.is_sent or not _is_from_us(arrival, own):
        return arrival
    receivers = [address for _, address in arrival.to if address]
    asks_the_team = any(own.is_of_mailbox(address) for address in receivers)
    if asks_the_team or all(address in own for address in receivers):
        return arrival
    return replace(arrival, direction="out")


def mark_answers(session: Session, conversation_ids: Iterable[int], own: OwnAddresses) -> None:
    """Our answers in these conversations become outbound. The mail that is answered may have come after them."""
    if ids := sorted(set(conversation_ids)):
        session.execute(_MARK_ANSWERS, {"ids": ids, "own": own.all, "via": VIA})


def _is_from_us(arrival: Arrival, own: OwnAddresses) -> bool:
    wrote = _author(arrival)
    if wrote is None and is_via(arrival.sender[0]):
        return False  # anyone who wrote through our group
    group = arrival.sender[1].lower() if wrote else ""
    return (wrote or arrival.sender)[1] in own and all(
        address in own or address.lower() == group for _, address in arrival.reply_to
    )


def _author(arrival: Arrival) -> tuple[str, str] | None:
    is_list = arrival.machine == "list"
    return author(arrival.sender, arrival.reply_to, arrival.to, arrival.cc, is_list=is_list)


@lru_cache(maxsize=4096)  # the same few write in a conversation
def _plain(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
