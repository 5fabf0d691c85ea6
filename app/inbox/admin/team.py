"""Verbs that touch a member and the conversations in their name: add, disable, grant, revoke.

A name on the server may belong to a future member. A member who is added or granted a role gets the conversations
assigned to their handle. A member who is disabled or loses the role keeps them only as an assigned name, so others can
claim them."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import Actor
from app.inbox.admin.credentials import end_credentials
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import locked
from app.inbox.errors import N_, Invalid
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.naming import one_line
from app.inbox.people import throttle
from app.inbox.people.address import check_address
from app.inbox.people.member import Grant, Member, admins, check_password
from app.inbox.permission import Role, require_admin, require_own_or_admin

_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


def add_member(session: Session, handle: str, name: str, email: str, *, by: Actor, admin: bool = False) -> Member:
    """Add a member, who gets the conversations assigned to their handle. Raises Invalid for a handle, name or email
    that cannot be used or is already in use."""
    require_admin(by)
    if not _HANDLE.fullmatch(handle):
        raise Invalid(
            "handle",
            N_("“%(handle)s” is not a valid handle. Use a-z, 0-9 and -, at most 24 characters."),
            handle=handle,
        )
    row = {"handle": handle, "name": _checked_name(name), "is_admin": admin}
    member: Member | None = None
    while member is None:  # wait for a concurrent insert of the same member; the name is then in use
        row["email"] = _checked_email(session, email)
        _check_free(session, handle)
        member = session.scalar(insert(Member).values(row).on_conflict_do_nothing().returning(Member))
    record(session, EventKind.MEMBER_ADDED, by=by, after={"id": member.id, "member": handle, "admin": admin})
    return member


def change_member(session: Session, member: Member, *, name: str, email: str, admin: bool, by: Actor) -> None:
    """The handle can never be changed. Raises Invalid, also if no administrator would be left."""
    require_admin(by)
    before = {"name": member.name, "email": member.email, "admin": member.is_admin}
    if member.is_admin and not admin:
        _keep_an_admin(session, member)
    name, email = _checked_name(name), _checked_email(session, email, member)
    member.name, member.is_admin = name, admin
    _change_email(session, member, email)
    after = {"name": member.name, "email": member.email, "admin": admin}
    changed = {field for field in after if before[field] != after[field]}
    if changed:  # the history records which fields changed, never an address
        details = {"member": member.handle, "changed": sorted(changed), "admin": admin}
        record(session, EventKind.MEMBER_CHANGED, by=by, after=details)


def set_password(session: Session, member: Member, password: str, *, by: Actor, with_link: bool = False) -> None:
    """Set a password and end everything that the old one gave access to: sessions, tokens and links. Raises Invalid for
    a password that is easy to guess, NotAllowed for another member's, except for an admin."""
    require_own_or_admin(by, member)
    member.set_password(password, _names_of_mailboxes(session))
    end_credentials(session, member, by=by)
    details = {"member": member.handle} | ({"link": True} if with_link else {})
    record(session, EventKind.PASSWORD_SET, by=by, after=details)


def change_own_password(session: Session, member: Member, present: str, new: str, *, by: Actor) -> None:
    """A member chooses a new password. Raises Invalid if the present password is wrong, TooMany after 10 tries in 10
    minutes."""
    throttle.hit("own password of", str(member.id), limit=10, seconds=600)
    if not check_password(member, present):
        raise Invalid("present", N_("This is not your current password."))
    set_password(session, member, new, by=by)


def disable(session: Session, member: Member, *, by: Actor) -> None:
    """The member can no longer sign in or act. Sessions, tokens and links end permanently: enabling does not restore
    them. Raises Invalid if no administrator would be left."""
    require_admin(by)
    if member.disabled_at is None:
        if by.member is not None:
            _keep_an_admin(session, member)
        member.disabled_at = now()
        end_credentials(session, member, by=by)
        record(session, EventKind.MEMBER_DISABLED, by=by, after={"member": member.handle})
        for grant in member.grants:
            _leave_conversations(session, member, grant.mailbox_id, by)


def enable(session: Session, member: Member, *, by: Actor) -> None:
    """A disabled member returns with their roles, and with the conversations that still name them. They must sign in
    again."""
    require_admin(by)
    if member.disabled_at is not None:
        member.disabled_at = None
        record(session, EventKind.MEMBER_ENABLED, by=by, after={"member": member.handle})
        for grant in member.grants:
            if Role(grant.role).rank >= Role.AGENT.rank:
                _adopt_conversations(session, member, grant.mailbox_id, by)


def handle_of(name: str) -> str:
    """A suggested handle for someone with this name: the first word in plain letters."""
    plain = unicodedata.normalize("NFKD", name.strip().lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9-]", "", (plain.split() or [""])[0]).strip("-")[:24]


def grant(session: Session, member: Member, mailbox: Mailbox, role: Role | None, *, by: Actor) -> None:
    """Set the member's role on a mailbox; None removes it."""
    require_admin(by)
    before = member.role_on(mailbox.id)
    if before == role:
        return
    _set_role(member, mailbox, role)
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


def _set_role(member: Member, mailbox: Mailbox, role: Role | None) -> None:
    present = next((g for g in member.grants if g.mailbox_id == mailbox.id), None)
    if role is None:
        member.grants = [g for g in member.grants if g is not present]
    elif present is not None:
        present.role = role
    else:
        member.grants.append(Grant(mailbox_id=mailbox.id, role=role))


def _names_of_mailboxes(session: Session) -> list[str]:
    return [word for mailbox in session.execute(select(Mailbox.name, Mailbox.address)) for word in mailbox]


def _keep_an_admin(session: Session, member: Member) -> None:
    """Refuse to remove the last administrator. Commands may: `flask member add` creates another."""
    if member.is_admin and session.scalars(admins().with_for_update()).all() == [member.id]:
        raise Invalid(
            "admin",
            N_("%(name)s is the only administrator. Make someone else an administrator first."),
            name=member.name,
        )


def _check_free(session: Session, handle: str) -> None:
    if session.scalar(select(Member).where(Member.handle == handle)):
        raise Invalid(
            "handle",
            N_("The handle “%(handle)s” is taken, and handles are never reused. Choose another one."),
            handle=handle,
        )


def _checked_name(name: str) -> str:
    name = one_line(name)
    if not 1 <= len(name) <= 100:
        raise Invalid("name", N_("A member needs a name of 1 to 100 characters."))
    return name


def _checked_email(session: Session, email: str, member: Member | None = None) -> str:
    email = check_address(email, "email").lower()
    taken = session.scalar(select(Member).where(Member.email == email))
    if taken is not None and taken is not member:
        raise _email_taken(email)
    return email


def _change_email(session: Session, member: Member, email: str) -> None:
    """Somebody else may be taking the address right now: only Postgres knows who was first."""
    try:
        with session.begin_nested():
            member.email = email
    except IntegrityError as error:
        raise _email_taken(email) from error


def _email_taken(email: str) -> Invalid:
    return Invalid(
        "email", N_("A member with the address %(email)s already exists. Enter another address."), email=email
    )


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
