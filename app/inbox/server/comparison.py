"""Comparison: the differences between a mail server and the database, requested by an administrator on a page.

The page requests it, a worker compares and stores the lines, and the page follows. An administrator chooses a side for
a line. The worker then looks at that place again, and applies the choice only if the difference is still as shown.
Nothing changes on either side before somebody chooses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.announcements import ComparisonWaits
from app.clock import now
from app.db import Base, announce, session_of
from app.inbox.actor import Actor
from app.inbox.errors import N_, Invalid, NotFound
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.permission import require_admin
from app.queue import SEE_LOG, Queued

#: Nobody decides more lines than this one by one; the command takes all at once.
KEPT = 300


class ComparisonStage(StrEnum):
    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class Outcome(StrEnum):
    """The result of a choice."""

    DONE = "done"
    SAME = "same"  # both sides held the same by then
    CHANGED = "changed"  # something else differed by then: the line shows it, and can be decided again
    GONE = "gone"  # the folder no longer exists, or was renumbered
    REFUSED = "refused"  # the person who chose is no longer an administrator
    AWAY = "away"  # the mail server did not answer: nothing was done, and it can be decided again


#: The line can still be decided.
_OPEN = (Outcome.CHANGED, Outcome.REFUSED, Outcome.AWAY)


class Comparison(Queued, Base):
    """One for each mailbox: the latest request. A worker compares as a job."""

    __tablename__ = "comparison"

    LEASE = dt.timedelta(minutes=30)

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(default=ComparisonStage.ASKED)
    compared_at: Mapped[dt.datetime | None]
    total: Mapped[int] = mapped_column(default=0)  # lines found, of which KEPT are stored
    error_code: Mapped[str | None]  # as for a mailbox
    error_text: Mapped[str | None]

    def note_found(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """`lines`: in the shape of `mailbox drift --json`."""
        differences = list(lines)
        self.finish()
        self.stage, self.total, self.compared_at = ComparisonStage.DONE, len(differences), now()
        self.error_code = self.error_text = None
        session_of(self).add_all(_difference(self.mailbox_id, line) for line in differences[:KEPT])

    def note_failed(self, code: str, text: str) -> None:
        self.finish()
        self.stage, self.error_code, self.error_text = ComparisonStage.FAILED, code, text

    def give_up(self) -> None:
        self.note_failed("internal", SEE_LOG)


class Difference(Queued, Base):
    """One line of a comparison. `values`: the values of both sides under "server" and "ours". A worker applies the
    choice as a job."""

    __tablename__ = "difference"
    __table_args__ = (
        Index("ix_difference_mailbox_id", "mailbox_id"),
        Index("ix_difference_waiting", "mailbox_id", postgresql_where=text("due_at IS NOT NULL")),
    )

    LEASE = dt.timedelta(minutes=3)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("comparison.mailbox_id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    number: Mapped[int | None]
    folder: Mapped[str]
    uid: Mapped[int | None] = mapped_column(BigInteger)
    what: Mapped[str]
    values: Mapped[dict[str, Any]]
    on_its_way: Mapped[bool]
    sides: Mapped[list[str]]  # the sides that can be chosen

    chosen: Mapped[str | None]
    chosen_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    outcome: Mapped[str | None]

    chosen_by: Mapped[Member | None] = relationship(lazy="joined")

    @property
    def is_open(self) -> bool:
        return not self.waits and (self.outcome is None or self.outcome in _OPEN)

    def note_outcome(self, outcome: Outcome) -> None:
        """Record the result of the choice."""
        self.finish()
        self.outcome = outcome

    def give_up(self) -> None:
        self.note_outcome(Outcome.AWAY)
        comparison = session_of(self).get_one(Comparison, self.mailbox_id)
        comparison.error_code, comparison.error_text = "internal", SEE_LOG


def ask(session: Session, mailbox: Mailbox, *, by: Actor) -> None:
    """Have a worker compare (again); earlier results are deleted. Raises Invalid while a returning mailbox has not been
    compared."""
    require_admin(by)
    if mailbox.returning:
        raise Invalid("mode", N_("The worker must check every message first. Compare after its next sync."))
    session.execute(delete(Difference).where(Difference.mailbox_id == mailbox.id))
    comparison = find(session, mailbox) or Comparison(mailbox_id=mailbox.id)
    comparison.stage, comparison.error_code, comparison.error_text = ComparisonStage.ASKED, None, None
    comparison.enqueue()
    session.add(comparison)
    announce(session, ComparisonWaits())


def find(session: Session, mailbox: Mailbox) -> Comparison | None:
    return session.get(Comparison, mailbox.id)


def differences(session: Session, mailbox: Mailbox) -> list[Difference]:
    query = select(Difference).where(Difference.mailbox_id == mailbox.id).order_by(Difference.id)
    return list(session.scalars(query))


def choose(session: Session, mailbox: Mailbox, difference_id: int, side: str, *, by: Actor) -> None:
    """Have a worker apply a side to all copies of the conversation with the same difference. Raises NotFound for a line
    that no longer exists or is already decided, Invalid for a side that is not offered."""
    require_admin(by)
    query = select(Difference).where(Difference.id == difference_id, Difference.mailbox_id == mailbox.id)
    line = session.scalar(query.with_for_update(of=Difference))
    if line is None or not line.is_open:
        raise NotFound
    if side not in line.sides:
        raise Invalid("use", N_("“%(value)s” is not one of the choices."), value=side)
    _wait(session, [other for other in differences(session, mailbox) if _same(line, other)], side, by)


def put_back(session: Session, mailbox_id: int, code: str, text: str) -> None:
    """The mail server does not answer, so nothing was done, and every line can be decided again."""
    for line in session.scalars(select(Difference).filter_by(mailbox_id=mailbox_id).with_for_update(of=Difference)):
        if line.waits:
            line.note_outcome(Outcome.AWAY)
    comparison = session.get_one(Comparison, mailbox_id)
    comparison.error_code, comparison.error_text = code, text


def _wait(session: Session, lines: Iterable[Difference], side: str, by: Actor) -> None:
    for line in lines:
        line.chosen, line.chosen_by, line.outcome = side, by.member, None
        line.enqueue()
        comparison = session.get_one(Comparison, line.mailbox_id)
        comparison.error_code = comparison.error_text = None
        announce(session, ComparisonWaits())


def _same(line: Difference, other: Difference) -> bool:
    """Whether a decision on one is also a decision on the other."""
    if other is line:
        return True
    about, others = ((one.conversation_id, one.what, one.values, one.sides) for one in (line, other))
    return line.conversation_id is not None and other.is_open and about == others


def _difference(mailbox_id: int, line: Mapping[str, Any]) -> Difference:
    return Difference(
        mailbox_id=mailbox_id,
        conversation_id=line["conversation"],
        number=line["number"],
        folder=line["folder"],
        uid=line["uid"],
        what=line["what"],
        values={"server": line["server"], "ours": line["ours"]},
        on_its_way=line["waiting"],
        sides=list(line["sides"]),
    )
