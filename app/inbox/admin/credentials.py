"""Credentials: everything that gives access in a member's name. They are ended together."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.admin.invitation import Invitation
from app.inbox.people.member import Member
from app.inbox.people.session import end_sessions
from app.inbox.people.token import revoke_tokens


def end_credentials(session: Session, member: Member, *, by: Actor) -> None:
    """End the member's sessions, tokens and links permanently. Raises NotAllowed for another member's, except for an
    admin."""
    end_sessions(session, member, by=by)
    revoke_tokens(session, member, by=by)
    session.execute(delete(Invitation).where(Invitation.member_id == member.id))
