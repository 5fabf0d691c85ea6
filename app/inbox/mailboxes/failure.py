"""Failure: how often rounds of a mailbox failed, by kind. Health says what is wrong now; this counts since the mailbox
is there, for who watches it over time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base


class Failure(Base):
    __tablename__ = "failure"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # as `error_code` of the mailbox
    count: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[dt.datetime]


def count_failure(session: Session, mailbox_id: int, kind: str) -> None:
    first = insert(Failure).values(mailbox_id=mailbox_id, kind=kind, count=1, last_at=now())
    again = {"count": Failure.count + 1, "last_at": first.excluded.last_at}
    session.execute(first.on_conflict_do_update(index_elements=["mailbox_id", "kind"], set_=again))
