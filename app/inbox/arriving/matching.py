"""Matching: decides which conversation a mail belongs to, by the Message-IDs it names and by other ties (ties.py).

We first lock everything the batch may be tied to, in id order, and only then read it. So a merge or split by a member
happens before or after the batch, never during it. A conversation that a member split off stays separate. A mail tied
to both goes to the one whose id it names last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.inbox.arriving.bounced import conversation_of_bounce
from app.inbox.arriving.known_id import remember, short
from app.inbox.arriving.own import OwnAddresses
from app.inbox.arriving.related import Related, Stored, ids_of, named_by
from app.inbox.arriving.same import MailContent, is_same, may_be_same
from app.inbox.arriving.thread import join
from app.inbox.conversations.locking import lock_rows, locked
from app.inbox.mailboxes.mailbox import Mailbox
from app.locks import MATCH_MAIL
from app.rows import json_of

if TYPE_CHECKING:
    from app.inbox.arriving.arrival import Arrival

#: An id named in more conversations is a constant of some program. We check only the newest of them.
_MOST_CONVERSATIONS = 100
#: In a very long conversation we check the newest mails, and those whose own id is named.
_MOST_MAILS = 1000
#: Programs that give one id to all their mails may fill a conversation with them. We check the newest of these.
_MOST_BEARERS = 5000
#: Of mails with the same id and date, this many are compared by header, and of possible matches this many word by word.
_MOST_OF_A_DATE, _MOST_ALIKE = 20, 5
_MATCH = text("SELECT pg_advisory_xact_lock(:lock, :id)")
# A join with a function keeps using the index on a table without statistics, where "= ANY" would read the whole table.
# A JSON document costs less CPU here than an array.
_KNOWN_MAILS = text(
    """
    SELECT identity, message.id, conversation_id, (SELECT revision FROM conversation WHERE id = conversation_id)
    FROM json_array_elements_text(CAST(:wanted AS json)) AS wanted
      JOIN message ON mailbox_id = :mailbox AND identity = decode(wanted, 'hex')
    """
)
_RELATED = text(
    """
    WITH named AS MATERIALIZED (
      SELECT known.conversation_id AS id, array_agg(wanted.value) AS ids,
        (SELECT revision FROM conversation WHERE id = known.conversation_id) AS revision
      FROM json_each_text(CAST(:wanted AS json)) AS wanted CROSS JOIN LATERAL (
        SELECT conversation_id FROM known_id WHERE mailbox_id = :mailbox AND message_id = wanted.key
        ORDER BY conversation_id DESC LIMIT :conversations) AS known
      GROUP BY known.conversation_id)
    SELECT named.revision, named.id, said.* FROM named CROSS JOIN LATERAL (
      (SELECT id, message_id, "references", from_address, reply_to, "to" || cc, subject, date
       FROM message WHERE conversation_id = named.id ORDER BY received_at DESC LIMIT :mails)
      UNION ALL
      (SELECT id, message_id, "references", from_address, reply_to, "to" || cc, subject, date
       FROM message WHERE conversation_id = named.id AND message_id = ANY(named.ids)
       ORDER BY received_at DESC LIMIT :bearers) OFFSET 0) AS said
    """
)
_BODIES = text(
    """
    SELECT message_id, text, ARRAY(
      SELECT json_build_array(type, size) FROM attachment WHERE attachment.message_id = body.message_id)
    FROM body WHERE message_id = ANY(:ids)
    """
)
#: The conversations they were split off from, and those into which these were merged.
_ORIGINS = text(
    """
    WITH RECURSIVE origin (id, split_from) AS (
      SELECT id, split_from_id FROM conversation WHERE id = ANY(:hits) AND split_from_id IS NOT NULL
      UNION
      SELECT origin.id, merged_into_id FROM origin JOIN conversation ON conversation.id = split_from
      WHERE merged_into_id IS NOT NULL)
    SELECT id, split_from FROM origin WHERE split_from = ANY(:hits) AND split_from <> id
    """
)


class Matches:
    """The stored data about a batch of mails of one mailbox."""

    def __init__(
        self,
        session: Session,
        mailbox: Mailbox,
        own: OwnAddresses,
        arrivals: Sequence[Arrival],
        *,
        importing: bool = False,
    ) -> None:
        self._session = session
        self._importing = importing
        self._mailbox = mailbox
        self._own = own
        #: If one mail comes in several forms, all have the identity of the first.
        self.arrivals = arrivals
        self._rows: tuple[dict[bytes, tuple[int, int]], list[Stored]] | None = None
        self._revisions: dict[int, int] = {}  # conversation -> its revision when we read it
        self._lock()

    def conversations_of_new_mails(self) -> tuple[dict[bytes, int], list[list[Arrival]]]:
        """(identity -> conversation, the groups that need a new one) for the mails that are not known yet."""
        found: dict[bytes, int] = {}
        orphans = [group for group, hits in self._groups if not hits]
        parted = self._parted()
        targets = self._join([hits for _, hits in self._groups if len(hits) > 1 and parted.isdisjoint(hits)])
        for group, hits in self._groups:
            if not parted.isdisjoint(hits):
                self._nearest(group, hits, found)
            elif hits:
                found |= {a.identity: targets.get(hits[0], hits[0]) for a in group}
        return found, orphans

    def remember(self, fresh: Sequence[Arrival], conversations: dict[bytes, int]) -> None:
        """Record that these conversations name these ids."""
        pairs = ((id_, conversations[a.identity]) for a in fresh for id_ in ids_of(a))
        remember(self._session, self._mailbox.id, pairs)

    def _lock(self) -> None:
        """Read and lock. If a member merged or split before we had the lock, read again: both conversations then have a
        higher revision."""
        self._session.execute(_MATCH, {"lock": MATCH_MAIL, "id": self._mailbox.id})
        self._look_up()
        while ids := self._conversations():
            waiting = self._session.begin_nested()
            revisions = lock_rows(self._session, ids)
            if revisions != {id_: self._revisions.get(id_) for id_ in ids}:
                self._look_up()
            if ids == self._conversations():
                waiting.commit()
                return
            waiting.rollback()

    def _conversations(self) -> set[int]:
        hits = {hit for _, hits in self._groups for hit in hits}
        return hits | {conversation for _, conversation in self.known.values()}

    def _look_up(self) -> None:
        """Read the stored data. Working out ties takes longer than reading, so it is repeated only if something has
        changed."""
        self._revisions = {}
        known = self._identified()
        stored = self._stored([a for a in self.arrivals if a.identity not in known])
        if (known, stored) != self._rows:
            self._rows = known, stored
            #: identity -> (message, conversation) of the known mails
            self.known = dict(known)
            self._find_changed(stored)
            self._related = Related(self._own, self._fresh(), stored)
        self._groups = [(group, hits or self._hit_of_bounce(group)) for group, hits in self._related.groups()]

    def _hit_of_bounce(self, group: Sequence[Arrival]) -> list[int]:
        if self._importing:  # the inbox comes first, before the mail we sent, so there is nothing to find
            return []
        found = (conversation_of_bounce(self._session, self._mailbox, a) for a in group if a.machine == "bounce")
        return [conversation for conversation in found if conversation is not None][:1]

    def _identified(self) -> dict[bytes, tuple[int, int]]:
        hashes = {a.identity.hex() for a in self.arrivals} | {a.former_identity.hex() for a in self.arrivals}
        asked = {"mailbox": self._mailbox.id, "wanted": json_of(sorted(hashes))}
        rows = self._session.execute(_KNOWN_MAILS, asked).all()
        self._revisions |= {conversation: revision for _, _, conversation, revision in rows}
        by_hash = {row[0]: (row[1], row[2]) for row in rows}
        places = ((a.identity, by_hash.get(a.identity) or by_hash.get(a.former_identity)) for a in self.arrivals)
        return {identity: place for identity, place in places if place}

    def _fresh(self) -> list[Arrival]:
        """The mails that are not known, each once."""
        return list({a.identity: a for a in self.arrivals if a.identity not in self.known}.values())

    def _find_changed(self, stored: Sequence[Stored]) -> None:
        """Find mails that are known, or come twice, although servers changed them on their way."""
        fresh = [(a, _look(a)) for a in self._fresh() if a.message_id and a.date]
        ids = {look.message_id for _, look in fresh}
        heads: dict[tuple[str | None, dt.datetime | None], list[tuple[Stored, MailContent]]] = {}
        for m in {m.id: m for m in stored if m.message_id in ids}.values():
            heads.setdefault((m.message_id, m.date), []).append((m, _look(m)))
        alike = [(a, look, _alike(look, heads.get((look.message_id, look.date), ()))) for a, look in fresh]
        wanted = {m.id: m for _, _, messages in alike for m in messages}
        rows = self._session.execute(_BODIES, {"ids": list(wanted)}) if wanted else ()
        looks = {id_: _look(wanted[id_], text, files) for id_, text, files in rows}
        for arrival, look, messages in alike:
            for m in messages:
                if is_same(look, looks[m.id]):
                    self.known[arrival.identity] = (m.id, m.conversation_id)
        self._find_twice([(a, look) for a, look in fresh if a.identity not in self.known])

    def _find_twice(self, fresh: Sequence[tuple[Arrival, MailContent]]) -> None:
        by_id: dict[str | None, list[tuple[Arrival, MailContent]]] = {}
        firsts: dict[bytes, bytes] = {}
        for arrival, look in fresh:
            earlier = by_id.setdefault(look.message_id, [])
            same = next((one for one, other in earlier[:_MOST_ALIKE] if is_same(look, other)), None)
            if same is None:
                earlier.append((arrival, look))
            else:
                firsts[arrival.identity] = same.identity
        if firsts:
            self.arrivals = [replace(a, identity=firsts.get(a.identity, a.identity)) for a in self.arrivals]

    def _stored(self, fresh: Sequence[Arrival]) -> list[Stored]:
        ids = {short(id_): id_ for a in fresh for id_ in named_by(a)}
        most = {"conversations": _MOST_CONVERSATIONS, "mails": _MOST_MAILS, "bearers": _MOST_BEARERS}
        asked = {"mailbox": self._mailbox.id, "wanted": json_of(ids), **most}
        rows = self._session.execute(_RELATED, asked).all() if ids else ()
        self._revisions = {row[1]: row[0] for row in rows} | self._revisions  # the revision that was read first
        return [Stored._make(row[1:]) for row in rows]

    def _join(self, groups: Sequence[Sequence[int]]) -> dict[int, int]:
        """Join the conversations of each group, also for the known mails of the batch. Returns each -> its present
        conversation."""
        if not groups:
            return {}
        conversations = {c.id: c for c in locked(self._session, (hit for hits in groups for hit in hits))}
        joined = join(self._session, [[conversations[hit] for hit in hits] for hits in groups])
        targets = {hit: target.id for hits, target in zip(groups, joined, strict=True) for hit in hits}
        self.known = {i: (id_, targets.get(c, c)) for i, (id_, c) in self.known.items()}
        return targets

    def _parted(self) -> set[int]:
        """Of the conversations that a mail ties together, those that a member split off from another of them, or from
        one merged into it."""
        several = [set(hits) for _, hits in self._groups if len(hits) > 1]
        rows = self._session.execute(_ORIGINS, {"hits": sorted(set().union(*several))}).all() if several else ()
        return {id_ for id_, origin in rows if any({id_, origin} <= hits for hits in several)}

    def _nearest(self, group: Sequence[Arrival], hits: Sequence[int], found: dict[bytes, int]) -> None:
        """Each mail goes to the conversation of the id it names last, because an answer follows the mail it answers."""
        placed: dict[str, int] = {}
        for arrival in sorted(group, key=lambda a: (a.received_at, a.identity)):
            targets = {id_: self._related.tied_to(arrival, id_) or placed.get(id_) for id_ in ids_of(arrival)}
            named = [target for target in targets.values() if target]
            found[arrival.identity] = named[-1] if named else hits[0]
            for id_ in ids_of(arrival):
                placed.setdefault(id_, found[arrival.identity])


def _alike(look: MailContent, heads: Sequence[tuple[Stored, MailContent]]) -> list[Stored]:
    return [m for m, head in heads[:_MOST_OF_A_DATE] if may_be_same(look, head)][:_MOST_ALIKE]


def _look(m: Arrival | Stored, text: str = "", files: Sequence[tuple[str, int]] = ()) -> MailContent:
    if isinstance(m, Stored):
        return MailContent(m.message_id, m.sender, m.reply_to, m.date, m.subject, text, files)
    files = [(file.type, file.size) for file in m.files]
    return MailContent(m.message_id, m.sender[1], m.reply_to, m.date, m.subject, m.text, files)
