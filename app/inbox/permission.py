"""What each role may do: the one table of permissions. Verbs call `require`; pages call `may` to decide which buttons
to show.

Only members are limited: mail clients, rules, the system and commands act with the rights of the machine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from app.inbox.actor import Actor
from app.inbox.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from app.inbox.people.member import Member


class Role(StrEnum):
    """A member's role on a mailbox, from least to most."""

    OBSERVER = "observer"
    AGENT = "agent"
    MANAGER = "manager"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Action(StrEnum):
    SEE = "see"
    CLAIM = "claim"
    RELEASE = "release"
    STATUS = "status"
    TAG = "tag"
    STAR = "star"
    NOTE = "note"
    REPLY = "reply"
    MOVE = "navigate"
    MERGE = "merge"
    MARK_SEEN = "mark seen"
    ASSIGN_OTHERS = "assign others"
    TAKE_OVER = "take over"
    MAKE_TAGS = "make tags"
    READ_AGAIN = "read again"


_LEAST: dict[Action, Role] = {
    Action.SEE: Role.OBSERVER,
    Action.CLAIM: Role.AGENT,
    Action.RELEASE: Role.AGENT,
    Action.STATUS: Role.AGENT,
    Action.TAG: Role.AGENT,
    Action.STAR: Role.AGENT,
    Action.NOTE: Role.AGENT,
    Action.REPLY: Role.AGENT,
    Action.MOVE: Role.AGENT,
    Action.MERGE: Role.AGENT,
    Action.MARK_SEEN: Role.AGENT,
    Action.ASSIGN_OTHERS: Role.AGENT,  # or manager, if the mailbox says so
    Action.TAKE_OVER: Role.MANAGER,
    Action.MAKE_TAGS: Role.MANAGER,
    Action.READ_AGAIN: Role.MANAGER,
}


class GovernedMailbox(Protocol):
    """The facts about a mailbox that decide, in a row for verbs or one that a page only reads."""

    @property
    def id(self) -> int: ...
    @property
    def agents_assign(self) -> bool: ...


def may(by: Actor, action: Action, mailbox: GovernedMailbox) -> bool:
    """Whether the actor may do this on the mailbox."""
    if by.member is None:
        return True
    role = by.member.role_on(mailbox.id)
    if role is None or by.member.disabled_at is not None:
        return False
    least = _LEAST[action]
    if action is Action.ASSIGN_OTHERS and not mailbox.agents_assign:
        least = Role.MANAGER
    return role.rank >= least.rank


def require(by: Actor, action: Action, mailbox: GovernedMailbox) -> None:
    """Check that the actor may do this on the mailbox. Raises NotFound if the actor may not know of the mailbox,
    NotAllowed if the role is too low."""
    if not may(by, Action.SEE, mailbox):
        raise NotFound
    if not may(by, action, mailbox):
        raise NotAllowed(action)


def require_admin(by: Actor) -> None:
    """Check that the actor may administer the installation. Raises NotAllowed unless the actor is an admin of the
    installation or the machine itself."""
    if by.member is not None and not (by.member.is_admin and by.member.disabled_at is None):
        raise NotAllowed("administer")


def require_own_or_admin(by: Actor, member: Member) -> None:
    """For things that belong to a member: sessions and tokens. Raises NotAllowed for another member's, except for an
    admin."""
    if by.member is None or by.member.id != member.id:
        require_admin(by)
