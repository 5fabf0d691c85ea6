"""A queue for tests: a separate table in a test's database."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app import db
from app.queue import Queued


class _Base(DeclarativeBase):
    type_annotation_map = db.Base.type_annotation_map


class Errand(Queued, _Base):
    __tablename__ = "errand"

    LEASE = dt.timedelta(seconds=60)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int | None]
    result: Mapped[str | None]

    def give_up(self) -> None:
        self.finish()
        self.result = "given up"


def make_table() -> None:
    _Base.metadata.create_all(db.engine())


def add(*mailboxes: int | None) -> list[int]:
    """An errand for each of these mailboxes; returns their ids."""
    errands = [Errand(mailbox_id=mailbox) for mailbox in mailboxes]
    with db.transaction() as session:
        for errand in errands:
            errand.enqueue()
        session.add_all(errands)
    return [errand.id for errand in errands]
