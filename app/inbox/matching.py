"""Matching: which conversation a mail belongs to, by the Message-IDs it names.

Everything the batch touches is locked first, in id order, and only then looked at: a merge or a split by a member
happens before or after the batch, never within. A conversation that a member split off stays apart: a mail that names
ids of both goes to the one it names last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import json_of
from app.inbox.locking import hold, locked
from app.inbox.mailbox import Mailbox
from app.inbox.thread import join

if TYPE_CHECKING:
    from app.inbox.arrival import Arrival

#: References beyond the first and the newest of so many say nothing new about a thread.
_LONGEST_REFERENCES = 100
#: An index entry holds 2,700 bytes; of a longer id its hash is known.
_LONGEST_ID = 500
#: Any number of our own: with the mailbox's id it names the lock under which mails of the mailbox are stored.
_LOCK = 5_319_002
# A join with a function keeps the index in use on a table without statistics, where "= ANY" would read all of it. A
# JSON document costs us less than an array does.
_KNOWN_MAILS = text(
    """
    SELECT identity, message.id, conversation_id
    FROM json_array_elements_text(CAST(:wanted AS json)) AS wanted
      JOIN message ON mailbox_id = :mailbox AND identity = decode(wanted, 'hex')
    """
)
_KNOWN_IDS = text(
    """
    SELECT message_id, conversation_id
    FROM json_array_elements_text(CAST(:wanted AS json)) AS wanted
      JOIN known_id ON mailbox_id = :mailbox AND message_id = wanted
    """
)
_REMEMBER = text(
    """
    INSERT INTO known_id (mailbox_id, message_id, conversation_id)
    SELECT :mailbox, key, value::int FROM json_each_text(CAST(:ids AS json)) ON CONFLICT DO NOTHING
    """
)
_PARTED = text(
    """
    WITH RECURSIVE origin (id, split_from) AS (
      SELECT id, split_from_id FROM conversation WHERE id = ANY(:hits) AND split_from_id IS NOT NULL
      UNION
      SELECT origin.id, merged_into_id FROM origin JOIN conversation ON conversation.id = split_from
      WHERE merged_into_id IS NOT NULL)
    SELECT EXISTS (SELECT FROM origin WHERE split_from = ANY(:hits) AND split_from <> id)
    """
)


class Matches:
    """What is known about a batch of mails of one mailbox."""

    def __init__(self, session: Session, mailbox: Mailbox, arrivals: Sequence[Arrival]) -> None:
        self._session = session
        self._mailbox = mailbox
        self._ids = {id_ for a in arrivals for id_ in ids_of(a)}
        self._identities = [a.identity for a in arrivals]
        self._hold()
        self._stored_ids = set(self.by_id)

    def conversations_of(self, fresh: Sequence[Arrival]) -> tuple[dict[bytes, int], list[list[Arrival]]]:
        """(identity -> conversation, the groups that need a new one). Mails that share an id share a conversation."""
        found: dict[bytes, int] = {}
        orphans = []
        for group in _groups(fresh):
            hits = sorted({self.by_id[id_] for a in group for id_ in ids_of(a) if id_ in self.by_id})
            if not hits:
                orphans.append(group)
            elif len(hits) > 1 and self._parted(hits):
                self._nearest(group, hits, found)
            else:
                target = hits[0] if len(hits) == 1 else self._join(hits, found)
                found |= {a.identity: target for a in group}
        return found, orphans

    def remember(self, fresh: Sequence[Arrival], conversations: dict[bytes, int]) -> None:
        """From now on these ids lead to these conversations."""
        rows = {id_: conversations[a.identity] for a in fresh for id_ in ids_of(a) if id_ not in self._stored_ids}
        if rows:
            self._session.execute(_REMEMBER, {"mailbox": self._mailbox.id, "ids": json_of(rows)})

    def _hold(self) -> None:
        """Look up and lock. What a member joined or parted while we waited for a lock is looked up again."""
        self._session.execute(text("SELECT pg_advisory_xact_lock(:lock, :id)"), {"lock": _LOCK, "id": self._mailbox.id})
        self._look_up()
        while wanted := self._conversations():
            waiting = self._session.begin_nested()
            hold(self._session, wanted)
            self._look_up()
            if wanted == self._conversations():
                waiting.commit()
                return
            waiting.rollback()

    def _conversations(self) -> set[int]:
        return {*self.by_id.values(), *(conversation for _, conversation in self.known.values())}

    def _look_up(self) -> None:
        asked = {"mailbox": self._mailbox.id, "wanted": json_of([identity.hex() for identity in self._identities])}
        messages = self._session.execute(_KNOWN_MAILS, asked)
        #: identity -> (message, conversation) of the mails we have
        self.known = {identity: (id_, conversation) for identity, id_, conversation in messages}
        conversations = self._session.execute(_KNOWN_IDS, asked | {"wanted": json_of(sorted(self._ids))})
        #: id -> conversation
        self.by_id: dict[str, int] = dict(iter(conversations))

    def _join(self, hits: Sequence[int], found: dict[bytes, int]) -> int:
        """These conversations become one, also for what was found before."""
        target = join(self._session, locked(self._session, hits)).id
        self.by_id = {id_: target if c in hits else c for id_, c in self.by_id.items()}
        self.known = {i: (id_, target if c in hits else c) for i, (id_, c) in self.known.items()}
        found |= {identity: target for identity, c in found.items() if c in hits}
        return target

    def _parted(self, hits: Sequence[int]) -> bool:
        """Whether a member split one of them off another, or off one that has become part of another."""
        return bool(self._session.scalar(_PARTED, {"hits": list(hits)}))

    def _nearest(self, group: Sequence[Arrival], hits: Sequence[int], found: dict[bytes, int]) -> None:
        """Each mail goes to the conversation of the id it names last: an answer follows what it answers."""
        for arrival in sorted(group, key=lambda a: (a.received_at, a.identity)):
            named = [self.by_id[id_] for id_ in ids_of(arrival) if id_ in self.by_id]
            found[arrival.identity] = named[-1] if named else hits[0]
            for id_ in ids_of(arrival):
                self.by_id.setdefault(id_, found[arrival.identity])


def ids_of(arrival: Arrival) -> tuple[str, ...]:
    """Its own Message-ID and those it refers to, as they are known."""
    own = (arrival.message_id,) if arrival.message_id else ()
    return tuple(_short(id_) for id_ in (*own, *references_of(arrival)))


def references_of(arrival: Arrival) -> tuple[str, ...]:
    """Those it refers to; of an endless list the first and the newest."""
    references = arrival.references
    if len(references) > _LONGEST_REFERENCES:
        references = references[:1] + references[-_LONGEST_REFERENCES:]
    return references


def _short(id_: str) -> str:
    raw = id_.encode("utf-8", "replace")
    return id_ if len(raw) <= _LONGEST_ID else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _groups(fresh: Sequence[Arrival]) -> list[list[Arrival]]:
    """The arrivals, those that name a common id together (union-find over the batch)."""
    parent = list(range(len(fresh)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, arrival in enumerate(fresh):
        for id_ in ids_of(arrival):
            parent[root(i)] = root(first.setdefault(id_, i))
    groups: dict[int, list[Arrival]] = {}
    for i, arrival in enumerate(fresh):
        groups.setdefault(root(i), []).append(arrival)
    return list(groups.values())
