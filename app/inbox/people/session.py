"""Session: a member signed in at one browser. Stored on the server, so that signing out and disabling take effect at
once."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ForeignKey, Identity, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import now
from app.db import Base, first_row, read_only
from app.inbox.actor import Actor
from app.inbox.errors import N_, Busy, Invalid, SignInRefused, TooMany
from app.inbox.history.event import Event, EventKind, record
from app.inbox.people import throttle
from app.inbox.people.keys import hash_of, new_key
from app.inbox.people.known_browser import is_known
from app.inbox.people.member import MEMBER_COLUMNS, Member, MemberColumns, check_password, taken_into
from app.inbox.people.network import network_of
from app.inbox.people.sign_in_history import SignInOutcome, note_failed, note_good
from app.inbox.permission import require_own_or_admin

#: A session ends after this long without a request, and at the latest after `_LONGEST`.
_IDLE = dt.timedelta(days=7)
_LONGEST = dt.timedelta(days=30)
#: How often the last use is recorded, so that not every page writes.
_USE_NOTED = dt.timedelta(minutes=10)
#: For this long after entering the password, a member can change roles, links and servers.
_PROOF_LASTS = dt.timedelta(minutes=15)


class SignedIn(Base):
    """The browser holds a random key, the table only its SHA-256. So a copy of the table gives no access."""

    __tablename__ = "session"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)  # pages use it to name the session
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    user_agent: Mapped[str] = mapped_column(default="")
    proved_at: Mapped[dt.datetime] = mapped_column(default=now)  # when the member last entered the password

    member: Mapped[Member] = relationship()


@dataclass(frozen=True)
class Visit(MemberColumns):
    """The session of a browser, with its member."""

    seen_at: dt.datetime


_BY_KEY = f"""
    SELECT {MEMBER_COLUMNS}, session.seen_at FROM session JOIN member ON member.id = session.member_id
    WHERE session.key_hash = %(key_hash)s AND session.seen_at >= %(idle_since)s AND session.created_at >= %(oldest)s
      AND member.disabled_at IS NULL
"""  # noqa: S608  words of ours


def sign_in(
    session: Session, name: str, password: str, *, address: str, user_agent: str = "", browser_key: str = ""
) -> str:
    """Check the password for a handle or email and return the key for the browser's cookie.

    Raises SignInRefused and Busy. Raises TooMany after 10 wrong tries for a member from one network, 50 from a network
    or 200 for a member, in 10 minutes. A browser in which the member has signed in before (`browser_key`) has its own
    10 tries instead, which nobody else can use up."""
    name = name.strip().lower()
    # `session` takes a connection only at the end; otherwise many waiting requests would hold all of them
    with read_only() as look:
        member = look.scalar(select(Member).where(or_(Member.handle == name, Member.email == name)))
        tries = _tries(look, name, member, address, browser_key)
    try:
        # counted before the password is checked, so that many requests at once get no additional tries
        for what, who, limit in tries:
            throttle.hit(what, who, limit=limit, seconds=600)
        is_right = check_password(member, password)
    except TooMany:
        note_failed(SignInOutcome.THROTTLED, member, address)
        raise
    except Busy:
        _forgive(tries)
        note_failed(SignInOutcome.BUSY, member, address)
        raise
    if member is None or not is_right:
        note_failed(SignInOutcome.REFUSED, member, address)
        raise SignInRefused
    _forgive(tries)
    member = session.get_one(Member, member.id)
    if member.disabled_at is not None:  # disabled just now
        raise SignInRefused
    note_good(session, member, address)
    return open_session(session, member, user_agent=user_agent)


def open_session(session: Session, member: Member, *, user_agent: str = "") -> str:
    """A new session for a member whose identity is proved. Returns the key for the browser's cookie."""
    _begin_notices(session, member)
    key = new_key()
    session.add(SignedIn(key_hash=hash_of(key), member_id=member.id, user_agent=user_agent[:200]))
    return key


def _begin_notices(session: Session, member: Member) -> None:
    """At a member's first sign-in, mark all earlier notices as read (admin/notice.py)."""
    if member.told_event_id == 0:
        member.told_event_id = session.scalar(select(func.max(Event.id))) or 0


def find_visit(session: Session, key: str) -> Visit | None:
    """The session of this key with its member and their roles, in one query. None if it has ended or the member is
    disabled."""
    at = now()
    values = {"key_hash": hash_of(key), "idle_since": at - _IDLE, "oldest": at - _LONGEST}
    return first_row(session, _BY_KEY, Visit, **values)


def use_is_news(visit: Visit) -> bool:
    """Whether its last use was recorded more than ten minutes ago."""
    return now() - visit.seen_at > _USE_NOTED


def note_use(session: Session, key: str) -> None:
    session.execute(update(SignedIn).where(SignedIn.key_hash == hash_of(key)).values(seen_at=now()))


def member_signed_in(session: Session, key: str) -> Member | None:
    """The member of this session; records its use. None if it has ended or the member is disabled."""
    visit = find_visit(session, key)
    if visit is None:
        return None
    if use_is_news(visit):
        note_use(session, key)
    return taken_into(session, visit.member)


def is_proved(session: Session, key: str) -> bool:
    """Whether the member entered the password in this session within the last 15 minutes."""
    signed_in = session.get(SignedIn, hash_of(key))
    return signed_in is not None and now() - signed_in.proved_at <= _PROOF_LASTS


def prove(session: Session, member: Member, key: str, password: str, *, address: str) -> None:
    """Confirm the session with the member's password. Raises Invalid for a wrong one, Busy, and TooMany after 10 tries
    in 10 minutes."""
    throttle.hit("own password of", str(member.id), limit=10, seconds=600)
    if not check_password(member, password):
        note_failed(SignInOutcome.REFUSED, member, address)
        raise Invalid("confirm_password", N_("This is not your current password."))
    throttle.forgive("own password of", str(member.id))
    session.execute(update(SignedIn).where(SignedIn.key_hash == hash_of(key)).values(proved_at=now()))


def sign_out(session: Session, key: str) -> None:
    session.execute(delete(SignedIn).where(SignedIn.key_hash == hash_of(key)))


def sessions_of(session: Session, member: Member) -> Sequence[SignedIn]:
    """The open sessions, last used first."""
    at = now()
    open_ = (SignedIn.seen_at >= at - _IDLE, SignedIn.created_at >= at - _LONGEST)
    query = select(SignedIn).where(SignedIn.member_id == member.id, *open_)
    return session.scalars(query.order_by(SignedIn.seen_at.desc(), SignedIn.id)).all()


def is_own(signed_in: SignedIn, key: str) -> bool:
    """Whether this is the session of the browser with this key."""
    return secrets.compare_digest(signed_in.key_hash, hash_of(key))


def end_sessions(
    session: Session, member: Member, *, by: Actor, only: int | None = None, but: str | None = None
) -> int:
    """End all sessions of the member, the one with the id `only`, or all except that of the key `but`. Returns how many
    ended. Raises NotAllowed for another member's, except for an admin."""
    require_own_or_admin(by, member)
    ended = delete(SignedIn).where(SignedIn.member_id == member.id)
    if only is not None:
        ended = ended.where(SignedIn.id == only)
    if but is not None:
        ended = ended.where(SignedIn.key_hash != hash_of(but))
    count = len(session.scalars(ended.returning(SignedIn.id)).all())
    if count:
        record(session, EventKind.SESSIONS_ENDED, by=by, after={"member": member.handle, "sessions": count})
    return count


def forget_ended(session: Session) -> None:
    at = now()
    session.execute(delete(SignedIn).where(or_(SignedIn.seen_at < at - _IDLE, SignedIn.created_at < at - _LONGEST)))


def _tries(
    session: Session, name: str, member: Member | None, address: str, browser_key: str
) -> tuple[tuple[str, str, int], ...]:
    """(what is counted, for whom, limit) for each kind of try. Handle and email count together for the member."""
    if member is not None and is_known(session, browser_key, member):
        return (("sign in by a known browser", f"{member.id} {browser_key}", 10),)
    who, network = f"member {member.id}" if member else f"name {name}", network_of(address)
    return ("sign in as, from", f"{who} {network}", 10), ("sign in from", network, 50), ("sign in as", who, 200)


def _forgive(tries: tuple[tuple[str, str, int], ...]) -> None:
    for what, who, _limit in tries:
        throttle.forgive(what, who)
