"""Session: a member signed in at one browser. Kept on the server, so that signing out and disabling work at once."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from sqlalchemy import BigInteger, ForeignKey, Identity, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from app.clock import now
from app.db import Base, read_only
from app.inbox.actor import Actor
from app.inbox.errors import N_, Busy, Invalid, SignInRefused, TooMany
from app.inbox.history.event import Event, EventKind, record
from app.inbox.people import throttle
from app.inbox.people.keys import hash_of, new_key
from app.inbox.people.known_browser import is_known
from app.inbox.people.member import Member, check_password
from app.inbox.people.network import network_of
from app.inbox.people.sign_in_history import SignInOutcome, note_failed, note_good
from app.inbox.permission import require_own_or_admin

#: A session ends after this long without a request, and at the latest after `_LONGEST`.
_IDLE = dt.timedelta(days=7)
_LONGEST = dt.timedelta(days=30)
#: How often the last use is written down: a page should not cost a write.
_USE_NOTED = dt.timedelta(minutes=10)
#: For so long after the password was typed, roles, links and servers can be changed.
_PROOF_LASTS = dt.timedelta(minutes=15)


class SignedIn(Base):
    """The browser holds a random key; the table only its SHA-256, so a copy of the table opens nothing."""

    __tablename__ = "session"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)  # by which a page names it
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    user_agent: Mapped[str] = mapped_column(default="")
    proved_at: Mapped[dt.datetime] = mapped_column(default=now)  # when the member typed the password last

    member: Mapped[Member] = relationship()


#: Built once: every page begins with it, and building it takes longer than asking Postgres.
_BY_KEY = (
    select(SignedIn)
    .join(SignedIn.member)
    .where(
        SignedIn.key_hash == bindparam("key_hash"),
        SignedIn.seen_at >= bindparam("idle_since"),
        SignedIn.created_at >= bindparam("oldest"),
        Member.disabled_at.is_(None),
    )
    .options(contains_eager(SignedIn.member).joinedload(Member.grants))
)


def sign_in(
    session: Session, name: str, password: str, *, address: str, user_agent: str = "", browser_key: str = ""
) -> str:
    """Check handle or email with password and return the key for the browser's cookie.

    Raises SignInRefused, Busy, and TooMany after 10 wrong tries for a member from one network, 50 from a network or
    200 for a member in 10 minutes. A browser in which the member has signed in before (`browser_key`) has 10 tries of
    its own instead: nobody else can use them up."""
    name = name.strip().lower()
    with read_only() as look:  # `session` takes no connection before the end: many who wait would hold all of them
        member = look.scalar(select(Member).where(or_(Member.handle == name, Member.email == name)))
        tries = _tries(look, name, member, address, browser_key)
    try:
        for what, who, limit in tries:  # counted before the password is looked at: many at once get no more tries
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
    if member.disabled_at is not None:  # at this moment
        raise SignInRefused
    note_good(session, member, address)
    return open_session(session, member, user_agent=user_agent)


def open_session(session: Session, member: Member, *, user_agent: str = "") -> str:
    """A new session for a member who has proved who they are; the key for the browser's cookie."""
    _begin_notices(session, member)
    key = new_key()
    session.add(SignedIn(key_hash=hash_of(key), member_id=member.id, user_agent=user_agent[:200]))
    return key


def _begin_notices(session: Session, member: Member) -> None:
    """At a member's first sign-in nothing of what happened before is news (admin/notice.py)."""
    if member.told_event_id == 0:
        member.told_event_id = session.scalar(select(func.max(Event.id))) or 0


def find_signed_in(session: Session, key: str) -> SignedIn | None:
    """The session of this key with its member and their roles, in one query. None when it has ended or the member is
    disabled."""
    at = now()
    values = {"key_hash": hash_of(key), "idle_since": at - _IDLE, "oldest": at - _LONGEST}
    return session.scalars(_BY_KEY, values).unique().one_or_none()


def use_is_news(signed_in: SignedIn) -> bool:
    """Whether its last use was written down more than ten minutes ago."""
    return now() - signed_in.seen_at > _USE_NOTED


def note_use(session: Session, signed_in: SignedIn) -> None:
    session.execute(update(SignedIn).where(SignedIn.key_hash == signed_in.key_hash).values(seen_at=now()))


def member_signed_in(session: Session, key: str) -> Member | None:
    """Whose session this is; its use is noted. None when it has ended or the member is disabled."""
    signed_in = find_signed_in(session, key)
    if signed_in is None:
        return None
    if use_is_news(signed_in):
        note_use(session, signed_in)
    return signed_in.member


def is_proved(session: Session, key: str) -> bool:
    """Whether the member typed the password in this session within the last 15 minutes."""
    signed_in = session.get(SignedIn, hash_of(key))
    return signed_in is not None and now() - signed_in.proved_at <= _PROOF_LASTS


def prove(session: Session, member: Member, key: str, password: str, *, address: str) -> None:
    """The member confirms the session with the password. Raises Invalid for a wrong one, Busy, and TooMany after 10
    tries in 10 minutes."""
    throttle.hit("own password of", str(member.id), limit=10, seconds=600)
    if not check_password(member, password):
        note_failed(SignInOutcome.REFUSED, member, address)
        raise Invalid("confirm_password", N_("This is not your current password."))
    throttle.forgive("own password of", str(member.id))
    session.execute(update(SignedIn).where(SignedIn.key_hash == hash_of(key)).values(proved_at=now()))


def sign_out(session: Session, key: str) -> None:
    session.execute(delete(SignedIn).where(SignedIn.key_hash == hash_of(key)))


def sessions_of(session: Session, member: Member) -> Sequence[SignedIn]:
    """Those that are open, the last used first."""
    at = now()
    open_ = (SignedIn.seen_at >= at - _IDLE, SignedIn.created_at >= at - _LONGEST)
    query = select(SignedIn).where(SignedIn.member_id == member.id, *open_)
    return session.scalars(query.order_by(SignedIn.seen_at.desc(), SignedIn.id)).all()


def is_own(signed_in: SignedIn, key: str) -> bool:
    """Whether the browser with this key is signed in by it."""
    return secrets.compare_digest(signed_in.key_hash, hash_of(key))


def end_sessions(
    session: Session, member: Member, *, by: Actor, only: int | None = None, but: str | None = None
) -> int:
    """End the member's sessions, or the one with the id `only`, or all but that of the key `but`; how many ended.
    Raises NotAllowed for another's unless by an admin."""
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
    """What is counted, for whom, and how often it may happen. Handle and email are one: the member's."""
    if member is not None and is_known(session, browser_key, member):
        return (("sign in by a known browser", f"{member.id} {browser_key}", 10),)
    who, network = f"member {member.id}" if member else f"name {name}", network_of(address)
    return ("sign in as, from", f"{who} {network}", 10), ("sign in from", network, 50), ("sign in as", who, 200)


def _forgive(tries: tuple[tuple[str, str, int], ...]) -> None:
    for what, who, _limit in tries:
        throttle.forgive(what, who)
