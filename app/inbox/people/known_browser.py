"""KnownBrowser: a browser in which a member has signed in before.

Somebody who guesses a member's password uses up the tries for that name. The member's own browsers have their own
tries, so a stranger cannot lock the member out. The browser holds a random key that gives no access; the table holds
its SHA-256.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.db import Base
from app.inbox.people.keys import hash_of, new_key
from app.inbox.people.member import Member

#: The longest time that browsers keep a cookie.
LASTS = dt.timedelta(days=400)
#: A program that signs in without cookies creates one each time, so the member's older ones are dropped.
_MOST = 50


class KnownBrowser(Base):
    """One browser may be known for several members, with one key."""

    __tablename__ = "known_browser"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True, index=True)
    seen_at: Mapped[dt.datetime] = mapped_column(default=now)


def is_known(session: Session, key: str, member: Member) -> bool:
    """Whether the member has signed in before in the browser with this key."""
    browser = session.get(KnownBrowser, (hash_of(key), member.id)) if key else None
    return browser is not None and now() - browser.seen_at <= LASTS


def remember_browser(session: Session, key: str, member: Member) -> str:
    """Record a successful sign-in in the browser with this key, or without one. Returns the browser's new key, so a key
    that somebody else planted or copied becomes useless."""
    renewed = new_key()
    if key:
        session.execute(
            update(KnownBrowser).where(KnownBrowser.key_hash == hash_of(key)).values(key_hash=hash_of(renewed))
        )
    seen_at = now()
    row = insert(KnownBrowser).values(key_hash=hash_of(renewed), member_id=member.id, seen_at=seen_at)
    session.execute(row.on_conflict_do_update(index_elements=["key_hash", "member_id"], set_={"seen_at": seen_at}))
    of_member = select(KnownBrowser.key_hash).where(KnownBrowser.member_id == member.id)
    older = of_member.order_by(KnownBrowser.seen_at.desc()).offset(_MOST)
    session.execute(delete(KnownBrowser).where(KnownBrowser.member_id == member.id, KnownBrowser.key_hash.in_(older)))
    return renewed


def forget_old(session: Session) -> None:
    session.execute(delete(KnownBrowser).where(KnownBrowser.seen_at < now() - LASTS))
