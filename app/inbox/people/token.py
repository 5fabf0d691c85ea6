"""Token: the key with which a program uses the API. Shown once; the table stores only its SHA-256."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ForeignKey, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from app.clock import now
from app.db import Base
from app.inbox.actor import Actor
from app.inbox.errors import N_, Invalid
from app.inbox.history.event import EventKind, record
from app.inbox.naming import one_line
from app.inbox.people.keys import hash_of, new_key
from app.inbox.people.member import Member
from app.inbox.permission import require_own_or_admin

#: A token that nobody has used for this long expires.
_UNUSED = dt.timedelta(days=365)
#: Days for which a token can be valid; 0: until somebody ends it.
LASTS_DAYS = (30, 90, 365, 0)
_LONGEST_NAME = 60
#: How often the last use is recorded, so that not every call writes.
_USE_NOTED = dt.timedelta(minutes=10)


class Token(Base):
    """`reads_only`: calls that change something are refused. `expires_at` None: valid until somebody ends it."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    revoked_at: Mapped[dt.datetime | None]
    name: Mapped[str] = mapped_column(default="")
    reads_only: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[dt.datetime | None]
    used_at: Mapped[dt.datetime | None]

    member: Mapped[Member] = relationship()


_GOOD = (
    Token.revoked_at.is_(None),
    or_(Token.expires_at.is_(None), Token.expires_at > bindparam("at")),
    func.coalesce(Token.used_at, Token.created_at) > bindparam("unused_since"),
)
#: Built once: every API call begins with this query, and building it takes longer than Postgres needs for it.
_BY_KEY = (
    select(Token)
    .join(Token.member)
    .where(Token.key_hash == bindparam("key_hash"), Member.disabled_at.is_(None), *_GOOD)
    .options(contains_eager(Token.member).joinedload(Member.grants))
)


def make_token(
    session: Session, member: Member, *, by: Actor, name: str = "", days: int = 0, reads_only: bool = False
) -> str:
    """A new token for the member, to be shown once. `days`: one of `LASTS_DAYS`. Raises Invalid for another number,
    NotAllowed for another member's token, except for an admin."""
    require_own_or_admin(by, member)
    if days not in LASTS_DAYS:
        raise Invalid(
            "days", N_("A token can last %(days)s days, or 0 for no expiry."), days=", ".join(map(str, LASTS_DAYS[:-1]))
        )
    key = "sb_" + new_key()
    token = Token(
        member_id=member.id,
        key_hash=hash_of(key),
        name=one_line(name)[:_LONGEST_NAME],
        reads_only=reads_only,
        expires_at=now() + dt.timedelta(days=days) if days else None,
    )
    session.add(token)
    session.flush()
    details = {"member": member.handle, "token": token.id, "days": days, "reads_only": reads_only}
    record(session, EventKind.TOKEN_MADE, by=by, after=details)
    return key


def tokens_of(session: Session, member: Member) -> Sequence[Token]:
    """The valid tokens, newest first."""
    good = select(Token).where(Token.member_id == member.id, *_GOOD).order_by(Token.id.desc())
    return session.scalars(good, _moments()).all()


def revoke_tokens(session: Session, member: Member, *, by: Actor, only: int | None = None) -> int:
    """End all tokens of the member, or the one with the id `only`. Returns how many ended. Raises NotAllowed for
    another member's, except for an admin."""
    require_own_or_admin(by, member)
    good = update(Token).where(Token.member_id == member.id, Token.revoked_at.is_(None))
    if only is not None:
        good = good.where(Token.id == only)
    revoked = list(session.scalars(good.values(revoked_at=now()).returning(Token.id)))
    if revoked:
        details = {"member": member.handle, "tokens": sorted(revoked)}
        record(session, EventKind.TOKENS_REVOKED, by=by, after=details)
    return len(revoked)


def valid_token(session: Session, key: str) -> Token | None:
    """The token with this key, with its member and their roles, in one query. None if it is unknown or has ended, or if
    the member is disabled."""
    return session.scalars(_BY_KEY, {"key_hash": hash_of(key), **_moments()}).unique().one_or_none()


def use_is_news(token: Token) -> bool:
    """Whether its last use was recorded more than ten minutes ago."""
    return token.used_at is None or now() - token.used_at > _USE_NOTED


def note_use(session: Session, token: Token) -> None:
    session.execute(update(Token).where(Token.id == token.id).values(used_at=now()))


def _moments() -> dict[str, dt.datetime]:
    """The parameters of `_GOOD`."""
    return {"at": now(), "unused_since": now() - _UNUSED}
