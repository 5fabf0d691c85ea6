"""Throttle: how often something may be tried, counted in Postgres so that every process sees the same.

Ours, because the usual library has no Postgres storage: one table, one upsert.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import BigInteger, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base, transaction
from app.inbox.errors import TooMany


class Throttle(Base):
    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)  # a hash: no address or name is kept
    window_start: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # seconds since 1970
    count: Mapped[int]


def hit(what: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one try of `what` by `who`. Raises TooMany beyond `limit` in a window of `seconds`.

    Runs in a transaction of its own: a refused try must count although everything else is rolled back."""
    at = int(now().timestamp())
    window = at - at % seconds
    statement = insert(Throttle).values(key=_key(what, who), window_start=window, count=1)
    statement = statement.on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"count": Throttle.count + 1}
    )
    with transaction() as session:
        count = session.scalar(statement.returning(Throttle.count))
    if count is not None and count > limit:
        raise TooMany(retry_after=window + seconds - at)


def forgive(what: str, who: str, *, seconds: int) -> None:
    """The try just counted was a good one: it does not count."""
    at = int(now().timestamp())
    counted = update(Throttle).where(Throttle.key == _key(what, who), Throttle.window_start == at - at % seconds)
    with transaction() as session:
        session.execute(counted.where(Throttle.count > 0).values(count=Throttle.count - 1))


def forget_old(session: Session) -> None:
    """Windows of more than a day ago count for nothing."""
    session.execute(delete(Throttle).where(Throttle.window_start < int(now().timestamp()) - 86_400))


def _key(what: str, who: str) -> str:
    return hashlib.sha256(f"{what}\0{who.casefold()}".encode()).hexdigest()
