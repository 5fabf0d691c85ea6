"""Verbs that touch a member and the conversations in their name: add, disable, grant, revoke.

A name on the server may wait for its member: whoever is added or granted adopts the conversations assigned to their
handle; whoever is disabled or loses the role leaves them as an assigned name, free to be claimed."""

from __future__ import annotations

import re

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import Actor
from app.inbox.conversation import Conversation
from app.inbox.errors import Invalid
from app.inbox.event import EventKind, record
from app.inbox.locking import locked
from app.inbox.mailbox import Mailbox
from app.inbox.member import Grant, Member
from app.inbox.permission import Role, require_admin
from app.inbox.session import SignedIn

_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def add_member(session: Session, handle: str, name: str, email: str, *, by: Actor, admin: bool = False) -> Member:
    """Raises Invalid for a handle, name or email that cannot be used or is taken."""
    require_admin(by)
    name, email = " ".join(name.split()), email.strip().lower()
    if not _HANDLE.fullmatch(handle):
        raise Invalid("handle", "handle", f"“{handle}” cannot be a handle: use a-z, 0-9 and -, at most 24.")
    if not 1 <= len(name) <= 100:
        raise Invalid("name", "empty", "A member needs a name of 1 to 100 characters.")
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        raise Invalid("email", "email", f"“{email}” is not an email address.")
    if session.scalar(select(Member).where(Member.handle == handle)):
        raise Invalid("handle", "taken", f"The handle “{handle}” is taken; handles are never reused.")
    if session.scalar(select(Member).where(Member.email == email)):
        raise Invalid("email", "taken", f"A member with the address {email} exists.")
    member = Member(handle=handle, name=name, email=email, is_admin=admin, grants=[])
    session.add(member)
    session.flush()
    record(session, EventKind.MEMBER_ADDED, by=by, after={"member": handle, "admin": admin})
    return member


def set_password(session: Session, member: Member, password: str, *, by: Actor) -> None:
    """Also ends the member's sessions in browsers. Raises Invalid for a password that is too short."""
    require_admin(by)
    member.set_password(password)
    session.execute(delete(SignedIn).where(SignedIn.member_id == member.id))
    record(session, EventKind.PASSWORD_SET, by=by, after={"member": member.handle})


def disable(session: Session, member: Member, *, by: Actor) -> None:
    """The member can no longer sign in or act."""
    require_admin(by)
    if member.disabled_at is None:
        member.disabled_at = now()
        record(session, EventKind.MEMBER_DISABLED, by=by, after={"member": member.handle})
        for grant in member.grants:
            _leave_conversations(session, member, grant.mailbox_id, by)


def grant(session: Session, member: Member, mailbox: Mailbox, role: Role | None, *, by: Actor) -> None:
    """Set the member's role on a mailbox; None takes it away."""
    require_admin(by)
    before = member.role_on(mailbox.id)
    if before == role:
        return
    held = next((g for g in member.grants if g.mailbox_id == mailbox.id), None)
    if role is None:
        member.grants = [g for g in member.grants if g is not held]
    elif held is not None:
        held.role = role
    else:
        member.grants.append(Grant(mailbox_id=mailbox.id, role=role))
    session.flush()
    record(
        session,
        EventKind.GRANTED,
        by=by,
        mailbox_id=mailbox.id,
        before={"member": member.handle, "role": before},
        after={"member": member.handle, "role": role},
    )
    if role is not None and role.rank >= Role.AGENT.rank and member.disabled_at is None:
        _adopt_conversations(session, member, mailbox.id, by)
    else:
        _leave_conversations(session, member, mailbox.id, by)


def _adopt_conversations(session: Session, member: Member, mailbox_id: int, by: Actor) -> None:
    name = member.handle
    named = select(Conversation.id).where(Conversation.mailbox_id == mailbox_id, Conversation.assigned_name == name)
    for conversation in locked(session, session.scalars(named)):
        if conversation.assigned_name == name:
            conversation.assignee, conversation.assigned_name = member, None
            before, after = {"assignee": None, "assigned_name": name}, {"assignee": name}
            conversation.record(EventKind.ASSIGNED, by, before=before, after=after)


def _leave_conversations(session: Session, member: Member, mailbox_id: int, by: Actor) -> None:
    name = member.handle
    owned = select(Conversation.id).where(Conversation.mailbox_id == mailbox_id, Conversation.assignee_id == member.id)
    for conversation in locked(session, session.scalars(owned)):
        if conversation.assignee_id == member.id:
            conversation.assignee, conversation.assigned_name = None, name
            before, after = {"assignee": name}, {"assignee": None, "assigned_name": name}
            conversation.record(EventKind.RELEASED, by, before=before, after=after)
