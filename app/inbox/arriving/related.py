"""Related: new mails, stored mails that share a Message-ID with one of them, and which of these are tied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from app.inbox.arriving.known_id import short
from app.inbox.arriving.own import OwnAddresses
from app.inbox.arriving.ties import NamedMail, mail, ties

if TYPE_CHECKING:
    from app.inbox.arriving.arrival import Arrival

#: References beyond the first and the newest add nothing about a thread.
_LONGEST_REFERENCES = 100


class Stored(NamedTuple):
    """A mail of a conversation that names an id of the batch."""

    conversation_id: int
    id: int
    message_id: str | None
    references: list[str]
    sender: str
    reply_to: list[Any]
    receivers: list[Any]
    subject: str
    date: dt.datetime | None


class Related:
    """New mails, stored mails that share an id with one of them, and which of all these are tied (union-find).

    A node is the index of a new mail in the batch, or a conversation as its negative id."""

    def __init__(self, own: OwnAddresses, fresh: Sequence[Arrival], rows: Iterable[Stored]) -> None:
        self._fresh = fresh
        self._mails = [_mail_of(a, own) for a in fresh]
        self._parent: dict[int, int] = {}
        self._fresh_by_id: dict[str, list[int]] = {}
        for at, arrival in enumerate(fresh):
            for id_ in ids_of(arrival):
                self._fresh_by_id.setdefault(id_, []).append(at)
        #: id -> (conversation, mail) of the stored mails that name it
        self._stored_by_id: dict[str, list[tuple[int, NamedMail]]] = {}
        for row in {row.id: row for row in rows}.values():
            self._add(row, own)
        for id_ in self._fresh_by_id:
            self._tie(id_)

    def groups(self) -> list[tuple[list[Arrival], list[int]]]:
        """(new mails tied to each other, the conversations they are tied to)."""
        groups: dict[int, tuple[list[Arrival], list[int]]] = {}
        for at, arrival in enumerate(self._fresh):
            groups.setdefault(self._root(at), ([], []))[0].append(arrival)
        for conversation in sorted(-node for node in self._parent if node < 0):
            if (root := self._root(-conversation)) in groups:
                groups[root][1].append(conversation)
        return list(groups.values())

    def tied_to(self, arrival: Arrival, id_: str) -> int | None:
        """The conversation that this id ties it to. Of several, the one with the mail whose own id it is, or the
        oldest."""
        stored = self._stored_by_id.get(id_, [])
        mails = {0: self._mails[self._fresh.index(arrival)], **{at: m for at, (_, m) in enumerate(stored, 1)}}
        tied = {at for pair in ties(id_, mails) for one, other in (pair, pair[::-1]) if 0 in one for at in other if at}
        found = [(stored[at - 1][1].own_id != id_, stored[at - 1][0]) for at in tied]
        return min(found)[1] if found else None

    def _add(self, row: Stored, own: OwnAddresses) -> None:
        named = (row.message_id, *row.references) if row.message_id else row.references
        if ids := {*map(short, named)} & self._fresh_by_id.keys():
            stored = _mail_of(row, own)
            for id_ in ids:
                self._stored_by_id.setdefault(id_, []).append((row.conversation_id, stored))

    def _tie(self, id_: str) -> None:
        stored, fresh = self._stored_by_id.get(id_, []), self._fresh_by_id[id_]
        if len(stored) + len(fresh) == 1:
            return
        nodes = {at: at for at in fresh} | {-at: -conversation for at, (conversation, _) in enumerate(stored, 1)}
        apart = len({self._root(node) for node in nodes.values()}) - 1
        mails = {at: self._mails[at] for at in fresh} | {-at: said for at, (_, said) in enumerate(stored, 1)}
        for pair in ties(id_, mails) if apart else ():
            for one, other in (pair, pair[::-1]):
                # Stored mails are not tied to each other, because members may have split them.
                new = [at for at in one if at >= 0]
                if new and other:
                    apart -= sum(self._unite(at, nodes[other[0]]) for at in new)
                    apart -= sum(self._unite(new[0], nodes[at]) for at in other)
                if not apart:
                    return

    def _root(self, node: int) -> int:
        parent = self._parent
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent[above]
        return node

    def _unite(self, one: int, other: int) -> bool:
        """Unite two nodes. Returns whether they were separate."""
        one, other = self._root(one), self._root(other)
        self._parent[one] = other
        return one != other


def ids_of(arrival: Arrival) -> tuple[str, ...]:
    """Its own Message-ID and its references, in the form of `short`."""
    return tuple(map(short, named_by(arrival)))


def named_by(arrival: Arrival) -> tuple[str, ...]:
    own = (arrival.message_id,) if arrival.message_id else ()
    return (*own, *references_of(arrival))


def references_of(arrival: Arrival) -> tuple[str, ...]:
    """Its references; of a very long list the first and the newest."""
    references = arrival.references
    if len(references) > _LONGEST_REFERENCES:
        references = references[:1] + references[-_LONGEST_REFERENCES:]
    return references


def _mail_of(m: Arrival | Stored, own: OwnAddresses) -> NamedMail:
    sender, receivers = (m.sender, m.receivers) if isinstance(m, Stored) else (m.sender[1], (*m.to, *m.cc))
    return mail(
        own,
        short(m.message_id) if m.message_id else None,
        [*map(short, (*m.references[:1], *m.references[-1:]))],
        sender=sender,
        reply_to=m.reply_to,
        receivers=receivers,
        subject=m.subject,
        date=m.date,
    )
