"""Failure: counts failed rounds of a mailbox by kind. Health shows the present problem; this counts all since the
mailbox was created, for monitoring."""

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
