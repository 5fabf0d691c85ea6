"""The feed: events in commit order, without gaps. Readers that act on events later use it.

Event ids do not give that order: an event with a lower id may be committed after one with a higher id. A reader that
remembers the highest id would never see it. The links of the chain (`chain.py`) are numbered at commit, one after
another. So a visible link has no invisible link before it.

A named reader keeps its position in the database and moves it in its own transaction. If that rolls back, it reads the
same events again. So the work a reader does in its transaction happens exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base
from app.inbox.history.chain import ChainLink
from app.inbox.history.event import Event


@dataclass(frozen=True, order=True)
class Position:
    """A position after the `place`-th event of a link; 0, 0 is before the first event."""

    link: int = 0
    place: int = 0


@dataclass(frozen=True)
class Entry:
    position: Position
    event: Event


class Cursor(Base):
    """The position of a reader."""

    __tablename__ = "feed_cursor"

    reader: Mapped[str] = mapped_column(primary_key=True)
    link: Mapped[int] = mapped_column(BigInteger)
    place: Mapped[int] = mapped_column(BigInteger)


def read(session: Session, after: Position, limit: int) -> list[Entry]:
    """The next events after a position, at most `limit`."""
    links = (
        select(ChainLink.number, ChainLink.events)
        .where(ChainLink.number >= after.link)
        .order_by(ChainLink.number)
        .limit(limit + 1)  # all of the first may have been read
        .subquery()
    )
    of_link = func.unnest(links.c.events).table_valued("id", with_ordinality="place", name="of_link").render_derived()
    position = (links.c.number, of_link.c.place)
    entries = (
        select(*position, Event)
        .select_from(links)
        .join(of_link, true())
        .join(Event, Event.id == of_link.c.id)
        .where(tuple_(*position) > tuple_(after.link, after.place))
        .order_by(*position)
        .limit(limit)
    )
    return [Entry(Position(link, place), event) for link, place, event in session.execute(entries)]


def end(session: Session) -> Position:
    """The position after the last event."""
    last = select(ChainLink.number, func.cardinality(ChainLink.events)).order_by(ChainLink.number.desc()).limit(1)
    row = session.execute(last).one_or_none()
    return Position(*row) if row else Position()


def read_next(session: Session, reader: str, limit: int) -> Sequence[Event]:
    """The next events for this reader. They count as read when the transaction commits. Empty while another process
    reads for it. A new reader begins with events after its first call."""
    _begin(session, reader)
    cursor = session.scalar(select(Cursor).filter_by(reader=reader).with_for_update(skip_locked=True))
    if cursor is None:
        return []
    entries = read(session, Position(cursor.link, cursor.place), limit)
    if entries:
        cursor.link, cursor.place = entries[-1].position.link, entries[-1].position.place
    return [entry.event for entry in entries]


def _begin(session: Session, reader: str) -> None:
    if session.get(Cursor, reader) is None:
        here = end(session)
        new = insert(Cursor).values(reader=reader, link=here.link, place=here.place)
        session.execute(new.on_conflict_do_nothing())
