"""Records of sign-ins: lines of history, counters for monitoring, and a log line for each.

A stranger can cause any number of refused sign-ins, and the history never shrinks. So for one source, member and
outcome the history has the 1st, 10th, 100th … within ten minutes. For all sources together it has at most a hundred
lines in that time, and then only every power of ten. A name that no member has is never recorded, because it may be a
mistyped password.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from enum import StrEnum

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base, transaction
from app.inbox.actor import Actor, Source, web
from app.inbox.history.event import Event, EventKind, record
from app.inbox.people import throttle
from app.inbox.people.member import Member
from app.inbox.people.network import address_of, network_of

log = logging.getLogger("signalbox.sign_in")

_WINDOW_SECONDS = 600
_MOST_LINES = 100
_SHOWN_DAYS = 90
_SHOWN = 10


class SignInOutcome(StrEnum):
    GOOD = "good"
    REFUSED = "refused"  # wrong name or password
    THROTTLED = "throttled"  # too many tries before
    BUSY = "busy"  # too many passwords were being hashed


_KINDS = {
    SignInOutcome.GOOD: EventKind.SIGNED_IN,
    SignInOutcome.REFUSED: EventKind.SIGN_IN_REFUSED,
    SignInOutcome.THROTTLED: EventKind.SIGN_IN_THROTTLED,
}


class SignInCount(Base):
    """The number of sign-ins with each outcome since the installation."""

    __tablename__ = "sign_in_count"

    outcome: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


def note_good(session: Session, member: Member, address: str) -> None:
    """Runs in the transaction of the sign-in."""
    log.info("%s signed in from %s", member.handle, address_of(address))
    _count(session, SignInOutcome.GOOD)
    record(
        session, EventKind.SIGNED_IN, by=web(member), after={"member": member.handle, "address": address_of(address)}
    )


def note_failed(outcome: SignInOutcome, member: Member | None, address: str) -> None:
    """Runs in its own transaction, because that of the sign-in is rolled back. `member` None: no member has that
    name."""
    name = member.handle if member else None
    log.warning("Sign-in %s: %s from %s", outcome, name or "unknown name", address_of(address))
    with transaction() as session:
        _count(session, outcome)
        if outcome == SignInOutcome.BUSY:
            return
        tries = throttle.count(session, f"sign-in {outcome}", f"{name} {network_of(address)}", seconds=_WINDOW_SECONDS)
        if _is_power_of_ten(tries) and _has_room(session):
            after = {"member": name, "address": address_of(address), "tries": tries, "seconds": _WINDOW_SECONDS}
            record(session, _KINDS[outcome], by=Actor(Source.WEB), after=after)


def recent_sign_ins(session: Session, member: Member) -> Sequence[Event]:
    """The member's latest sign-ins, successful or not, newest first."""
    query = (
        select(Event)
        .where(Event.kind.in_(list(_KINDS.values())), Event.after["member"].astext == member.handle)
        .where(Event.at > now() - dt.timedelta(days=_SHOWN_DAYS))
    )
    return session.scalars(query.order_by(Event.id.desc()).limit(_SHOWN)).all()


def sign_in_counts(session: Session) -> Iterable[tuple[str, int]]:
    """(outcome, count), for every outcome."""
    counts = {row.outcome: row.count for row in session.scalars(select(SignInCount))}
    return [(outcome, counts.get(outcome, 0)) for outcome in SignInOutcome]


def _count(session: Session, outcome: SignInOutcome) -> None:
    first = insert(SignInCount).values(outcome=outcome, count=1)
    again = {"count": SignInCount.count + 1}
    session.execute(first.on_conflict_do_update(index_elements=["outcome"], set_=again))


def _has_room(session: Session) -> bool:
    lines = throttle.count(session, "lines of failed sign-ins", "", seconds=_WINDOW_SECONDS)
    return lines <= _MOST_LINES or _is_power_of_ten(lines)


def _is_power_of_ten(number: int) -> bool:
    return str(number).rstrip("0") == "1"
