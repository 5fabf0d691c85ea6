"""Joining: the person who opened an invitation becomes a member, or sets a password."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.inbox.actor import Actor, Source, web
from app.inbox.admin import team
from app.inbox.admin.invitation import find_invitation
from app.inbox.errors import NotFound
from app.inbox.people.member import Member


def accept_first(session: Session, key: str, *, handle: str, name: str, email: str, password: str) -> Member:
    """The first administrator. Raises NotFound, Invalid."""
    invitation = find_invitation(session, key, lock=True)
    if invitation.member is not None:
        raise NotFound
    console = Actor(Source.WEB)  # the link was printed on the machine's own console
    member = team.add_member(session, handle, name, email, by=console, admin=True)
    team.set_password(session, member, password, by=console)
    session.delete(invitation)
    return member


def accept(session: Session, key: str, password: str) -> Member:
    """The invited member, with the password they chose. Raises NotFound, Invalid."""
    invitation = find_invitation(session, key, lock=True)
    if invitation.member is None:
        raise NotFound
    member = invitation.member
    session.delete(invitation)
    team.set_password(session, member, password, by=web(member), with_link=True)
    return member
