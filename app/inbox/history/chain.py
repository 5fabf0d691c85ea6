"""The history's hash chain: ties the events of each transaction to all earlier ones.

A trigger adds a link when a transaction commits. The link has the ids of its events, a SHA-256 of each, and a SHA-256
of these with the previous link. So the links are in commit order, without gaps, and no act waits for another before its
own commit. `verify` computes the hashes again, outside of the database.

It detects any line that was changed, removed or inserted by SQL, unless the chain was also rewritten from there to its
end. To detect a rewritten or truncated chain, store the latest head somewhere else and pass it to `verify`. A line
added at the end by SQL, with the triggers active, is chained like the program's own. The two cannot be told apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Row, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base

#: The events of each link as the text that is hashed. The trigger in the migration builds the same text.
_LINKS = text(
    """
    SELECT c.number, c.digest AS link_digest, u.id, u.digest, convert_to(jsonb_build_array(e.id,
      (extract(epoch FROM e.at) * 1000000)::bigint, e.mailbox_id, e.conversation_id, e.kind, e.source, e.member_id,
      (extract(epoch FROM e.not_before) * 1000000)::bigint, e.before, e.after)::text, 'UTF8') AS words, e.id AS there
    FROM event_chain c CROSS JOIN unnest(c.events, c.digests) WITH ORDINALITY AS u (id, digest, place)
    LEFT JOIN event e ON e.id = u.id ORDER BY c.number, u.place
    """
)
_OUTSIDE = text(
    """
    SELECT min(e.id) FROM event e
    WHERE NOT EXISTS (SELECT FROM event_chain c CROSS JOIN unnest(c.events) AS u (id) WHERE u.id = e.id)
    """
)
#: The history prints handles, but its lines hold ids. So the handle of an id must be the same as when the member was
#: added. Lines of earlier versions have no id.
_RENAMED = text(
    """
    SELECT min(e.id) FROM event e LEFT JOIN member m ON m.handle = e.after->>'member'
    WHERE e.kind = 'member added' AND (m.id IS NULL OR e.after->>'id' <> m.id::text)
    """
)
_UNTOLD = text(
    """
    SELECT min(m.handle) FROM member m
    WHERE NOT EXISTS (SELECT FROM event e WHERE e.kind = 'member added' AND e.after->>'member' = m.handle)
    """
)


class ChainLink(Base):
    """Only the trigger writes it; append-only like the history."""

    __tablename__ = "event_chain"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    events: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    digests: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    digest: Mapped[bytes] = mapped_column(LargeBinary)


#: Used for an event's id if no event is at fault.
_NO_EVENT = 0


@dataclass(frozen=True)
class Head:
    """The identification of a link: `812:9f86d0…`."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True)
class ChainCheck:
    """`bad`: the first event, by id, that differs from what was written; `what` gives the fault."""

    events: int
    head: Head
    bad: int | None = None
    what: str | None = None


def verify(session: Session, *, known: Head | None = None) -> ChainCheck:
    """Compute the whole chain again. `known` is a head noted earlier, which must still be in it."""
    faults: list[tuple[int, str]] = []
    events, head = 0, Head(0, "")
    met = known is None or known == head
    for rows in _links(session):
        events += len(rows)
        faults += _wrong_in(rows, head)
        head = Head(rows[0].number, rows[0].link_digest.hex())
        met = met or head == known
    faults += _wrong_beside(session)
    if faults:
        bad, what = min(faults)
        return ChainCheck(events, head, bad or None, what)
    if not met:
        return ChainCheck(events, head, None, f"the chain was written anew: it no longer has the head {known}")
    return ChainCheck(events, head)


def _wrong_beside(session: Session) -> Iterator[tuple[int, str]]:
    """Faults that the links do not show."""
    outside = session.scalar(_OUTSIDE)
    if outside is not None:
        yield outside, "was added behind the chain's back"
    renamed = session.scalar(_RENAMED)
    if renamed is not None:
        yield renamed, "names a member whose handle or id was changed since: other lines name the wrong person"
    untold = session.scalar(_UNTOLD)
    if untold is not None:
        yield _NO_EVENT, f"no line says that the member “{untold}” was added"


def _links(session: Session) -> Iterator[Sequence[Row[Any]]]:
    rows = session.execute(_LINKS, execution_options={"yield_per": 1000})
    for _, rows_of_link in groupby(rows, key=lambda row: row.number):
        yield list(rows_of_link)


def _wrong_in(rows: Sequence[Row[Any]], before: Head) -> Iterator[tuple[int, str]]:
    """The events of a link that differ from what was written."""
    first = rows[0]
    if any(row.id is None or row.digest is None for row in rows):
        known = [row.id for row in rows if row.id is not None]
        yield min(known, default=_NO_EVENT), f"stands in link {first.number}, whose ids and sums do not fit together"
        return
    if first.number != before.number + 1:
        yield first.id, "does not follow the one before it: something between them was removed"
    sums = bytes.fromhex(before.digest) + b"".join(bytes(row.digest) for row in rows)
    if hashlib.sha256(sums).digest() != first.link_digest:
        yield first.id, "does not follow the one before it: the chain was changed here"
    for row in rows:
        if row.there is None:
            yield row.id, "was removed"
        elif hashlib.sha256(row.words).digest() != row.digest:
            yield row.id, "was changed"
