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

#: As the indexes say it.
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
    assigned_name: Mapped[str | None]  # the name on the server, where it is nobody who could own it here
    starred: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)

    # kept the same as the server
    agreed_owner: Mapped[str | None]
    agreed_status: Mapped[str] = mapped_column(default=Status.OPEN)
    agreed_star: Mapped[bool] = mapped_column(default=False)
    agreed_tags: Mapped[list[str]] = mapped_column(default=list)
    mirrored: Mapped[bool] = mapped_column(default=False)  # from its first act on its copies are pushed
    push_needed: Mapped[bool] = mapped_column(default=False)
    lacks_room: Mapped[bool] = mapped_column(default=False)  # of its names some do not fit into a folder
    #: Registers that wait for a person to choose a side, after the mailbox was in mode `database`; `EVERYTHING`:
    #: not compared yet. Nothing of them is read from copies or written to them. In mode `database` it means nothing:
    #: there it is made ready for the way back.
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

    # what both sides hold -----------------------------------------------------------------------------------------

    @property
    def owner(self) -> str | None:
        """The owner's name as the server shows it: a member's handle or an unknown name."""
        return self.assignee.handle if self.assignee is not None else self.assigned_name

    @property
    def state(self) -> State:
        """As the server should show it: only tags of ours."""
        names = frozenset(tag.name.casefold() for tag in self.tags if tag.adopted)
        return State(owner=self.owner, status=Status(self.status), star=self.starred, tags=names)

    @property
    def agreed(self) -> State:
        return State(self.agreed_owner, Status(self.agreed_status), self.agreed_star, frozenset(self.agreed_tags))

    @property
    def is_pushed(self) -> bool:
        """Whether a push looks at it when its copies change: to write its names, or to see whether it still differs."""
        return self.mirrored or self.has_frozen

    def want_push(self) -> None:
        """The worker is to compare its copies with what they should show, and to write what differs."""
        self.push_needed = True

    def want_push_of_copies(self) -> None:
        """The same where only copies changed: nothing is written on those of a conversation nobody acted on."""
        if self.is_pushed:
            self.want_push()

    def pushed(self) -> None:
        """Every copy shows what it should."""
        self.push_needed = False

    def note_lack_of_room(self, lacks: bool) -> None:
        """Whether some of its names do not fit into a folder. Health counts these conversations."""
        if self.lacks_room != lacks:
            self.lacks_room = lacks
            self.mailbox.tell_health()

    @property
    def has_frozen(self) -> bool:
        """Whether any of its registers is frozen."""
        return bool(self.frozen) and self.mailbox.mode == Mode.KEYWORDS

    def is_frozen(self, register: str) -> bool:
        return self.has_frozen and not {EVERYTHING, register}.isdisjoint(self.frozen)

    def in_words(self, words: Vocabulary) -> Vocabulary:
        """Its mailbox's vocabulary, without what is frozen of it."""
        return words.without(self.frozen) if self.has_frozen else words

    def agree(self, state: State) -> None:
        """Both sides hold this value now."""
        self.agreed_owner, self.agreed_status, self.agreed_star = state.owner, state.status, state.star
        self.agreed_tags = sorted(state.tags)

    def agree_on(self, registers: Collection[str]) -> None:
        """Both sides hold our value of these registers now."""
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
        """Both sides changed one register. Ours stays and is pushed; theirs is kept here and in the history."""
        ours = self._value_of(register)
        self.conflict = {"register": register, "theirs": theirs, "ours": ours, "at": now().isoformat()}
        self._act(EventKind.CONFLICT, by, before={register: theirs}, after={register: ours})

    def _value_of(self, register: str) -> str | None:
        return self.owner if register == "owner" else str(self.status)

    # a change of it -----------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something people can see is different: raise the revision and tell open pages and the worker."""
        self.revision += 1
        self.tell()

    def tell(self) -> None:
        """Open pages look again and the worker pushes what is new; the revision stays."""
        announce(session_of(self), ConversationChanged(self.mailbox_id, self.id, self.revision, self.push_needed))

    def record(
        self,
        kind: EventKind,
        by: Actor,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """One line of history, and a new revision with it."""
        ids = {"mailbox_id": self.mailbox_id, "conversation_id": self.id}
        record(session_of(self), kind, by=by, before=before, after=after, **ids)
        self.changed()

    def require_revision(self, revision: int | None) -> None:
        """Raises Changed when the caller looked at an older one; None asks for nothing."""
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
        """A change of state that the server is to show. A normal act on a register settles its conflict."""
        self.mirrored = True
        self.want_push()
        if self.conflict is not None and settles == self.conflict["register"]:
            self.conflict = None
        self.record(kind, by, before=before, after=after)
