"""Invitation: a link that works once, for a day. With it a member sets their own password. The very first invitation
has no member: the person who opens it becomes the first administrator. The table stores only its SHA-256.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import now
from app.db import Base
from app.inbox.actor import Actor
from app.inbox.errors import NotFound
from app.inbox.history.event import EventKind, record
from app.inbox.people.keys import hash_of, new_key
from app.inbox.people.member import Member, has_admin
from app.inbox.permission import require_admin

_LASTS = dt.timedelta(hours=24)


class Invitation(Base):
    __tablename__ = "invitation"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), unique=True)  # None: the first administrator
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    member: Mapped[Member | None] = relationship(lazy="joined")


def invite_first(session: Session, *, by: Actor) -> str | None:
    """The key of a new link for the first administrator; None if there is an administrator. Earlier links no longer
    work."""
    require_admin(by)
    if has_admin(session):
        return None
    session.execute(delete(Invitation).where(Invitation.member_id.is_(None)))
    return _new_key(session, None)


def invite(session: Session, member: Member, *, by: Actor) -> str:
    """The key of a new link with which the member sets a password. An earlier link no longer works."""
    require_admin(by)
    session.execute(delete(Invitation).where(Invitation.member_id == member.id))
    record(session, EventKind.MEMBER_INVITED, by=by, after={"member": member.handle})
    return _new_key(session, member)


def find_invitation(session: Session, key: str, *, lock: bool = False) -> Invitation:
    """The invitation with this key. Raises NotFound if it is unknown, used or too old, if its member is disabled, or if
    there is an administrator already. `lock`: if several people use it at once, only one succeeds."""
    # The lookup is by hash, so its duration reveals nothing about a key: nobody can choose the first letters of a hash.
    query = select(Invitation).where(Invitation.key_hash == hash_of(key), Invitation.created_at > now() - _LASTS)
    invitation = session.scalar(query.with_for_update(of=Invitation) if lock else query)
    if invitation is None or (invitation.member.disabled_at is not None if invitation.member else has_admin(session)):
        raise NotFound
    return invitation


def forget_old(session: Session) -> None:
    session.execute(delete(Invitation).where(Invitation.created_at < now() - _LASTS))


def _new_key(session: Session, member: Member | None) -> str:
    key = new_key()
    session.add(Invitation(key_hash=hash_of(key), member_id=member.id if member else None))
    session.flush()
    return key
