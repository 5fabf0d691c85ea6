"""Registers: the part of a conversation that is also on the mail server, and how its changes are announced.

Owner, status, star and each tag are a register. Each has the value here and the value both sides last agreed on
(`agreed_*`); the sync merges them one by one. The verbs that change them are in `conversation.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.announcements import ConversationChanged
from app.clock import now
from app.db import Base, announce, session_of
from app.inbox.actor import Actor
from app.inbox.conversations.tag import Tag
from app.inbox.errors import Changed
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.vocabulary import EVERYTHING, STAR, State, Vocabulary
from app.inbox.people.member import Member
from app.inbox.status import Status

#: In the spelling of the indexes.
FROZEN = "frozen <> '{}'"
NOT_COMPARED = f"'{EVERYTHING}' = ANY(frozen)"


class Registers(Base):
    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))

    # ours
    status: Mapped[str] = mapped_column(default=Status.OPEN)
    snoozed_until: Mapped[dt.datetime | None]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    assigned_name: Mapped[str | None]  # the name on the server, if no member with that handle can own it here
    starred: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)

    # the value on which both sides last agreed
    agreed_owner: Mapped[str | None]
    agreed_status: Mapped[str] = mapped_column(default=Status.OPEN)
    agreed_star: Mapped[bool] = mapped_column(default=False)
    agreed_tags: Mapped[list[str]] = mapped_column(default=list)
    mirrored: Mapped[bool] = mapped_column(default=False)  # from the first act on, its copies are pushed
    push_needed: Mapped[bool] = mapped_column(default=False)
    lacks_room: Mapped[bool] = mapped_column(default=False)  # some of its keywords do not fit into a folder
    #: Registers that wait for a person to choose a side, after the mailbox was in mode `database`; `EVERYTHING`: not
    #: compared yet. They are neither read from copies nor written to them. In mode `database` this means nothing; it
    #: prepares the return to keywords.
    frozen: Mapped[list[str]] = mapped_column(default=list)
    conflict: Mapped[dict[str, Any] | None]  # {"register": "owner", "theirs": "ben", "ours": "carla", "at": …}

    @declared_attr
    def mailbox(cls) -> Mapped[Mailbox]:
        return relationship(lazy="joined", innerjoin=True)

    @declared_attr
    def assignee(cls) -> Mapped[Member | None]:
        return relationship(lazy="joined")

    @declared_attr
    def tags(cls) -> Mapped[list[Tag]]:
        return relationship(secondary="conversation_tag", order_by="Tag.name", viewonly=True)

    # the values of both sides -------------------------------------------------------------------------------------

    @property
    def owner(self) -> str | None:
        """The owner's name as the server shows it: a member's handle or an unknown name."""
        return self.assignee.handle if self.assignee is not None else self.assigned_name

    @property
    def state(self) -> State:
        """The state that the server should show, with our tags only."""
        names = frozenset(tag.name.casefold() for tag in self.tags if tag.adopted)
        return State(owner=self.owner, status=Status(self.status), star=self.starred, tags=names)

    @property
    def agreed(self) -> State:
        return State(self.agreed_owner, Status(self.agreed_status), self.agreed_star, frozenset(self.agreed_tags))

    @property
    def is_pushed(self) -> bool:
        """Whether a push looks at it when its copies change, to write keywords or to compare frozen registers."""
        return self.mirrored or self.has_frozen

    def want_push(self) -> None:
        """Have the worker compare its copies with what they should show, and write the difference."""
        self.push_needed = True

    def want_push_of_copies(self) -> None:
        """The same if only copies changed. Nothing is written for a conversation that nobody acted on."""
        if self.is_pushed:
            self.want_push()

    def pushed(self) -> None:
        """Every copy shows what it should."""
        self.push_needed = False

    def note_lack_of_room(self, lacks: bool) -> None:
        """Record whether some of its keywords do not fit into a folder. Health counts these conversations."""
        if self.lacks_room != lacks:
            self.lacks_room = lacks
            self.mailbox.tell_health()

    @property
    def has_frozen(self) -> bool:
        """Whether any of its registers is frozen."""
        return bool(self.frozen) and self.mailbox.mode == Mode.KEYWORDS

    def is_frozen(self, register: str) -> bool:
        return self.has_frozen and not {EVERYTHING, register}.isdisjoint(self.frozen)

    def unfrozen(self, vocabulary: Vocabulary) -> Vocabulary:
        """The vocabulary of its mailbox without the frozen registers."""
        return vocabulary.without(self.frozen) if self.has_frozen else vocabulary

    def agree(self, state: State) -> None:
        """Both sides now hold this state."""
        self.agreed_owner, self.agreed_status, self.agreed_star = state.owner, state.status, state.star
        self.agreed_tags = sorted(state.tags)

    def agree_on(self, registers: Collection[str]) -> None:
        """Both sides now hold our value of these registers."""
        ours, agreed = self.state, self.agreed
        both = ours.tags | agreed.tags
        self.agree(
            State(
                owner=ours.owner if "owner" in registers else agreed.owner,
                status=ours.status if "status" in registers else agreed.status,
                star=ours.star if STAR in registers else agreed.star,
                tags=frozenset(tag for tag in both if tag in (ours.tags if f"tag {tag}" in registers else agreed.tags)),
            )
        )

    def note_conflict(self, register: str, theirs: str | None, *, by: Actor) -> None:
        """Both sides changed one register. Ours stays and is pushed; theirs is recorded here and in the history."""
        ours = self._value_of(register)
        self.conflict = {"register": register, "theirs": theirs, "ours": ours, "at": now().isoformat()}
        self._act(EventKind.CONFLICT, by, before={register: theirs}, after={register: ours})

    def _value_of(self, register: str) -> str | None:
        return self.owner if register == "owner" else str(self.status)

    # changes ------------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something visible changed: raise the revision and inform open pages and the worker."""
        self.revision += 1
        self.tell()

    def tell(self) -> None:
        """Have open pages reload and the worker push; the revision stays."""
        announce(session_of(self), ConversationChanged(self.mailbox_id, self.id, self.revision, self.push_needed))

    def record(
        self,
        kind: EventKind,
        by: Actor,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Write one line of history, with a new revision."""
        ids = {"mailbox_id": self.mailbox_id, "conversation_id": self.id}
        record(session_of(self), kind, by=by, before=before, after=after, **ids)
        self.changed()

    def require_revision(self, revision: int | None) -> None:
        """Check that the caller saw the present revision. Raises Changed if the caller saw an older revision; None
        checks nothing."""
        if revision is not None and revision != self.revision:
            raise Changed(self.revision)

    def _act(
        self,
        kind: EventKind,
        by: Actor,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        settles: str | None = None,
    ) -> None:
        """Record a change of state that the server should show. A normal act on a register settles its conflict."""
        self.mirrored = True
        self.want_push()
        if self.conflict is not None and settles == self.conflict["register"]:
            self.conflict = None
        self.record(kind, by, before=before, after=after)
