"""Throttle: limits how often something may be tried, counted in Postgres so that every process sees the same.

It is our own, because the usual library has no Postgres storage: one table, one upsert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import BigInteger, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base, transaction
from app.inbox.errors import TooMany

_STEPS = 10


class Throttle(Base):
    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)  # a hash, so no address or name is stored
    window_start: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # seconds since 1970
    count: Mapped[int]


def hit(what: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one try of `what` by `who`. Raises TooMany, without counting, if there were `limit` tries in the last
    `seconds`.

    The window moves in ten steps, so a limit cannot be used twice around the end of a window.

    Runs in its own transaction, because a refused try must count even if everything else is rolled back."""
    step, at = max(1, seconds // _STEPS), int(now().timestamp())
    recent = select(Throttle.window_start, Throttle.count).where(
        Throttle.key == _key(what, who), Throttle.window_start > at - seconds
    )
    with transaction() as session:
        count(session, what, who, seconds=step)
        steps = [(start, tries) for start, tries in session.execute(recent.order_by(Throttle.window_start))]
        over = sum(tries for _start, tries in steps) - limit
        if over > 0:
            raise TooMany(retry_after=_end(steps, over) + seconds - at)


def count(session: Session, what: str, who: str, *, seconds: int) -> int:
    """Count one try. Returns the number of tries in this window of `seconds`."""
    at = int(now().timestamp())
    statement = insert(Throttle).values(key=_key(what, who), window_start=at - at % seconds, count=1)
    statement = statement.on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"count": Throttle.count + 1}
    )
    return session.scalars(statement.returning(Throttle.count)).one()


def forgive(what: str, who: str) -> None:
    """The latest try was successful, so do not count it."""
    counted = Throttle.key == _key(what, who)
    latest = select(func.max(Throttle.window_start)).where(counted, Throttle.count > 0).scalar_subquery()
    with transaction() as session:
        session.execute(
            update(Throttle).where(counted, Throttle.window_start == latest).values(count=Throttle.count - 1)
        )


def forget_old(session: Session) -> None:
    """Delete windows that ended more than a day ago."""
    session.execute(delete(Throttle).where(Throttle.window_start < int(now().timestamp()) - 86_400))


def _end(steps: Sequence[tuple[int, int]], over: int) -> int:
    """The start of the step after which one more try is allowed, once the window has passed it."""
    for start, tries in steps:
        over -= tries
        if over <= 0:
            return start
    return steps[-1][0]


def _key(what: str, who: str) -> str:
    return hashlib.sha256(f"{what}\0{who.casefold()}".encode()).hexdigest()
