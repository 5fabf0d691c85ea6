"""Token: what a program signs in with at the API. Shown once; the table keeps its SHA-256 only."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column

from app.clock import now
from app.db import Base
from app.inbox.actor import Actor
from app.inbox.event import EventKind, record
from app.inbox.member import Member
from app.inbox.permission import require_admin


class Token(Base):
    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    revoked_at: Mapped[dt.datetime | None]


def make_token(session: Session, member: Member, *, by: Actor) -> str:
    """A new token for the member, to be shown once. Raises NotAllowed for another's unless by an admin."""
    if by.member is None or by.member.id != member.id:
        require_admin(by)
    key = "sb_" + secrets.token_urlsafe(32)
    token = Token(member_id=member.id, key_hash=_hash(key))
    session.add(token)
    session.flush()
    record(session, EventKind.TOKEN_MADE, by=by, after={"member": member.handle, "token": token.id})
    return key


def revoke_tokens(session: Session, member: Member, *, by: Actor) -> int:
    """None of the member's tokens opens anything any more; returns how many did. Raises NotAllowed for another's unless
    by an admin."""
    if by.member is None or by.member.id != member.id:
        require_admin(by)
    good = update(Token).where(Token.member_id == member.id, Token.revoked_at.is_(None))
    revoked = list(session.scalars(good.values(revoked_at=now()).returning(Token.id)))
    if revoked:
        told = {"member": member.handle, "tokens": sorted(revoked)}
        record(session, EventKind.TOKENS_REVOKED, by=by, after=told)
    return len(revoked)


def holder(session: Session, key: str) -> Member | None:
    """The member whose token this is, with their roles; None when unknown, revoked, or the member is disabled. One
    query: every call of the API begins with it."""
    held = select(Member).join(Token, Token.member_id == Member.id).where(Token.key_hash == _hash(key))
    held = held.where(Token.revoked_at.is_(None), Member.disabled_at.is_(None)).options(joinedload(Member.grants))
    return session.scalars(held).unique().one_or_none()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
