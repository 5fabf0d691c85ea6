"""Member: a person on the team. Grant: the member's role on one mailbox. `team.py` changes both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import BigInteger, ForeignKey, Select, select
from sqlalchemy.orm import Mapped, Session, make_transient_to_detached, mapped_column, relationship
from sqlalchemy.orm.util import identity_key

from app.clock import now
from app.db import Base, rows
from app.inbox.errors import N_, Invalid
from app.inbox.people.password import check_new_password, hash_password, matches
from app.inbox.permission import Role

#: The roles with which a member can own conversations.
_OWNING = [role for role in Role if role.rank >= Role.AGENT.rank]
_TEAM = """
    SELECT m.id, m.handle, m.name, m.email,
      m.disabled_at IS NULL AND coalesce(g.role = ANY(%(roles)s), false) AS may_own
    FROM member AS m LEFT JOIN "grant" AS g ON g.member_id = m.id AND g.mailbox_id = %(mailbox_id)s
    ORDER BY m.name
"""


class Member(Base):
    """The handle is in keywords on mail servers. It never changes and is never reused, so members are disabled, never
    deleted."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="auto")  # auto: the browser's language
    time_zone: Mapped[str] = mapped_column(default="UTC")
    theme: Mapped[str] = mapped_column(default="auto")  # auto, light, dark
    density: Mapped[str] = mapped_column(default="comfortable")  # comfortable, cosy, compact
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    disabled_at: Mapped[dt.datetime | None]
    # notices up to this event are read, see notice.py
    told_event_id: Mapped[int] = mapped_column(BigInteger, default=0)

    grants: Mapped[list[Grant]] = relationship(back_populates="member", cascade="all, delete-orphan")

    def set_password(self, password: str, names: Sequence[str] = ()) -> None:
        """`names`: words besides the member's own that others might try, such as the names of mailboxes. Raises Invalid
        for a password that is too short or easy to guess, Busy if too many passwords are being hashed."""
        own = (self.handle, self.name, self.email)
        check_new_password(password, [*(name for name in own if name), *names])
        self.password_hash = hash_password(password)

    def role_on(self, mailbox_id: int) -> Role | None:
        return next((Role(grant.role) for grant in self.grants if grant.mailbox_id == mailbox_id), None)

    def may_own(self, mailbox_id: int) -> bool:
        """Whether conversations of the mailbox can be assigned to them."""
        return self.disabled_at is None and self.role_on(mailbox_id) in _OWNING

    def set_preferences(self, *, language: str, time_zone: str, theme: str, density: str) -> None:
        """Set the member's own choices. Raises Invalid for a value that is not offered."""
        offered = {
            "language": (language, {"auto", "en", "es"}),
            "time_zone": (time_zone, available_timezones()),
            "theme": (theme, {"auto", "light", "dark"}),
            "density": (density, {"comfortable", "cosy", "compact"}),
        }
        for field, (value, values) in offered.items():
            if value not in values:
                raise Invalid(field, N_("“%(value)s” is not one of the choices."), value=value)
            setattr(self, field, value)


def admins() -> Select[int]:
    """The ids of the members who administer the installation."""
    return select(Member.id).where(Member.is_admin, Member.disabled_at.is_(None))


def has_admin(session: Session) -> bool:
    """Whether the installation has an administrator."""
    return session.scalar(admins().limit(1)) is not None


class Grant(Base):
    __tablename__ = "grant"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True, index=True)
    role: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    member: Mapped[Member] = relationship(back_populates="grants")


@dataclass(frozen=True)
class MemberRow:
    """A member as others see them."""

    id: int
    handle: str
    name: str


@dataclass(frozen=True)
class TeamRow(MemberRow):
    """`may_own`: whether conversations of the mailbox can be assigned to them."""

    email: str
    may_own: bool


def team(session: Session, mailbox_id: int) -> list[TeamRow]:
    """All members by name, including disabled ones and those who cannot see the mailbox: history and mails name
    them."""
    return rows(session, _TEAM, TeamRow, mailbox_id=mailbox_id, roles=_OWNING)


@dataclass(frozen=True)
class MemberColumns:
    """`roles`: pairs of a mailbox's id and the role on it."""

    id: int
    handle: str
    name: str
    email: str
    password_hash: str | None
    is_admin: bool
    language: str
    time_zone: str
    theme: str
    density: str
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    told_event_id: int
    roles: list[Any]

    @property
    def member(self) -> Member:
        """Like the ORM's, in a third of the time, because every page begins with it."""
        columns = {column.name: getattr(self, column.name) for column in Member.__table__.columns}
        grants = [Grant(member_id=self.id, mailbox_id=mailbox_id, role=role) for mailbox_id, role in self.roles]
        member = Member(**columns, grants=grants)
        for entity in (member, *grants):
            make_transient_to_detached(entity)
        return member


#: The columns that a statement selects for `MemberColumns`.
MEMBER_COLUMNS = f"""
    {", ".join(f"member.{column.name}" for column in Member.__table__.columns)},
    (SELECT coalesce(jsonb_agg(jsonb_build_array(mailbox_id, role)), '[]')
     FROM "grant" WHERE member_id = member.id) AS roles
"""  # noqa: S608  words of ours


def possible_owners(session: Session, mailbox_id: int) -> list[TeamRow]:
    """The members who can own conversations of the mailbox, by name."""
    return [member for member in team(session, mailbox_id) if member.may_own]


def taken_into(session: Session, member: Member) -> Member:
    """The same member as an object of another session, because verbs compare owners by identity. This does not query
    Postgres again. If the session already has the member, its values stay."""
    loaded = session.identity_map.get(identity_key(instance=member))
    return loaded if loaded is not None else session.merge(member, load=False)


def possible_owner(session: Session, mailbox_id: int, handle: str) -> Member | None:
    """The member with this handle, if they can own conversations of the mailbox.

    A handle never changes, so each session queries it once, and without flushing unsaved changes first."""
    known: dict[str, int] = session.info.setdefault("handles", {})
    with session.no_autoflush:
        member = session.get(Member, known[handle]) if handle in known else None
        member = member or session.scalar(select(Member).where(Member.handle == handle))
    if member is not None:
        known[handle] = member.id
    return member if member is not None and member.may_own(mailbox_id) else None


def check_password(member: Member | None, password: str) -> bool:
    """Takes as long for an unknown member or one without a password as for a wrong password. Raises Busy."""
    hashed = member.password_hash if member is not None else None
    return matches(hashed, password) and member is not None and member.disabled_at is None
