"""Conversation: messages that belong together, their owner and their status.

Every verb checks what the actor may do, changes the state, writes one line of history and raises the revision, in
the caller's transaction. The caller locks the row (`find.conversation(..., lock=True)`). So of simultaneous claims
exactly one wins, and the others raise AlreadyClaimed.

`registers.py` has the part that is also on the mail server, and how its changes are announced.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import session_of
from app.inbox.actor import SYSTEM, Actor
from app.inbox.conversations import moves
from app.inbox.conversations.derived import waiting_since
from app.inbox.conversations.indexes import indexes
from app.inbox.conversations.note import LONGEST_KEY, Note, check_note, searched_note
from app.inbox.conversations.registers import Registers
from app.inbox.conversations.tag import ConversationTag, Tag, adopt_tag, find_tag, tag_to_use
from app.inbox.errors import N_, AlreadyClaimed, CannotOwn, Gone, Invalid, NotAllowed, NotWatched, UnknownTag
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.vocabulary import State
from app.inbox.people.member import Member, possible_owner
from app.inbox.permission import Action, may, require
from app.inbox.status import Status

if TYPE_CHECKING:
    from app.inbox.conversations.message import Message

#: Postgres accepts years that Python cannot represent. A row with one could never be read again.
_LONGEST_SNOOZE = dt.timedelta(days=3660)


class Conversation(Registers):
    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("mailbox_id", "number"), *indexes())

    number: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    handled_at: Mapped[dt.datetime | None]  # last closed: messages before that no longer wait
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    split_from_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))  # mail never joins the two again

    # from here: set by `thread.refresh` from messages and copies
    subject: Mapped[str] = mapped_column(default="")
    preview: Mapped[str] = mapped_column(default="")
    from_name: Mapped[str] = mapped_column(default="")
    from_address: Mapped[str] = mapped_column(default="")
    message_count: Mapped[int] = mapped_column(default=0)
    has_attachments: Mapped[bool] = mapped_column(default=False)
    last_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_direction: Mapped[str] = mapped_column(default="in")
    last_machine: Mapped[str | None]  # kind of machine that wrote the newest message, see Message.machine
    last_in_at: Mapped[dt.datetime | None]
    waiting_since: Mapped[dt.datetime | None]
    unseen: Mapped[bool] = mapped_column(default=False)  # has an inbound message without \Seen
    place: Mapped[str] = mapped_column(default="here")  # here, trash, gone, merged

    messages: Mapped[list[Message]] = relationship(
        back_populates="conversation",
        # The server's clock has whole seconds. Of two messages in one second, the answer names more references.
        order_by="(Message.received_at, func.cardinality(Message.references), Message.identity)",
    )
    notes: Mapped[list[Note]] = relationship(back_populates="conversation", order_by="Note.id")
    # owner --------------------------------------------------------------------------------------------------------

    def claim(self, *, by: Actor) -> None:
        """Become its owner. Raises AlreadyClaimed if someone else owns it."""
        if by.member is None:
            raise NotAllowed(Action.CLAIM)
        self.assign(by.member, by=by)

    def assign(self, to: Member, *, by: Actor, take_over: bool = False) -> None:
        """Assign it to a member. A member can only assign unowned conversations or their own; managers may `take_over`.

        Raises AlreadyClaimed if someone else owns it, and NotAllowed if the role is too low. Raises Invalid if `to` may
        not own conversations of this mailbox, and Gone if no copy is left on the server."""
        is_claim = by.member is not None and to.id == by.member.id
        require(by, Action.CLAIM, self.mailbox)
        if self.assignee_id == to.id:
            return
        kind = self._check_owner(by, take_over)  # check first whether someone else owns it
        require(by, Action.CLAIM if is_claim else Action.ASSIGN_OTHERS, self.mailbox)
        if not to.may_own(self.mailbox_id):
            raise CannotOwn(to.handle)
        self._require_present()
        self._own(to, to.handle, kind or (EventKind.CLAIMED if is_claim else EventKind.ASSIGNED), by)

    def assign_name(self, name: str, *, by: Actor) -> None:
        """A mail client assigned it to a name. The member with that handle becomes the owner, if they may. Otherwise
        the name is stored as the assigned name, and the conversation counts as unassigned."""
        if by.member is not None:
            raise NotAllowed(Action.ASSIGN_OTHERS)
        if self.owner == name:
            return
        self._own(possible_owner(session_of(self), self.mailbox_id, name), name, EventKind.ASSIGNED, by)

    def release(self, *, by: Actor, take_over: bool = False) -> None:
        """Remove the owner. Raises AlreadyClaimed if someone else owns it (see `assign`)."""
        require(by, Action.RELEASE, self.mailbox)
        if self.owner is None:
            return
        self._check_owner(by, take_over)
        self._own(None, None, EventKind.RELEASED, by)

    # status -------------------------------------------------------------------------------------------------------

    def reopen(self, *, by: Actor, kind: EventKind = EventKind.STATUS) -> None:
        self._stand(Status.OPEN, by, kind=kind)

    def set_pending(self, *, by: Actor) -> None:
        self._stand(Status.PENDING, by)

    def snooze(self, until: dt.datetime | None = None, *, by: Actor) -> None:
        """Snooze until a time, by default 09:00 on the next working day. Raises Invalid for a time in the past or too
        far away."""
        until = until or self.mailbox.next_working_day()
        if until.tzinfo is None:
            raise Invalid("until", N_("The wake-up time needs a time zone, as in 2026-11-02T09:00:00Z."))
        if until <= now():
            raise Invalid("until", N_("The wake-up time is in the past. Choose a later time."))
        if until - now() > _LONGEST_SNOOZE:
            raise Invalid("until", N_("The wake-up time is more than ten years away. Choose an earlier time."))
        self._stand(Status.SNOOZED, by, until=until)

    def close(self, *, by: Actor) -> None:
        self._stand(Status.CLOSED, by)

    def mark_spam(self, *, by: Actor) -> None:
        """Its inbound copies move to the Junk folder."""
        self._stand(Status.SPAM, by)

    def change_status(self, to: Status, *, by: Actor, until: dt.datetime | None = None) -> None:
        """Set a status given as a value (a form, the API, a keyword)."""
        verbs = {
            Status.OPEN: self.reopen,
            Status.PENDING: self.set_pending,
            Status.CLOSED: self.close,
            Status.SPAM: self.mark_spam,
        }
        if to is Status.SNOOZED:
            self.snooze(until, by=by)
        else:
            verbs[to](by=by)

    def wake(self, *, by: Actor) -> None:
        """End the snooze."""
        self._stand(Status.OPEN, by, kind=EventKind.WOKEN)

    # conflicts, import --------------------------------------------------------------------------------------------

    def decide_conflict(self, *, take_theirs: bool, by: Actor) -> None:
        """Settle the conflict: keep our value, or take theirs with the usual verb."""
        if self.conflict is None:
            return
        register, theirs = self.conflict["register"], self.conflict["theirs"]
        ours = self._value_of(register)
        require(by, Action.CLAIM if register == "owner" else Action.STATUS, self.mailbox)
        if not take_theirs or theirs == ours:
            self._act(EventKind.SETTLED, by, before={register: theirs}, after={register: ours}, settles=register)
        elif register == "status":
            self.change_status(Status(theirs or Status.OPEN), by=by)
        elif theirs is None:
            self.release(by=by, take_over=True)
        elif member := possible_owner(session_of(self), self.mailbox_id, theirs):
            self.assign(member, by=by, take_over=True)
        else:
            raise CannotOwn(theirs)

    def take(self, state: State) -> None:
        """For import and rebuild: take the server's state, on which both sides then agree."""
        before = {"assignee": self.owner, "status": self.status}
        self.assignee = possible_owner(session_of(self), self.mailbox_id, state.owner) if state.owner else None
        self.assigned_name = None if self.assignee else state.owner
        self.status, self.starred = state.status, state.star
        self.snoozed_until = self.mailbox.next_working_day() if state.status is Status.SNOOZED else None
        self.handled_at = self.last_at if state.status is Status.CLOSED else None
        self.agree(state)
        after = {"assignee": self.owner, "status": self.status}
        if after != before:
            self.record(EventKind.IMPORTED, SYSTEM, before=before, after=after)

    # tags, notes, reading -----------------------------------------------------------------------------------------

    def tag(self, name: str, *, by: Actor) -> None:
        """Add a tag, created if necessary. Raises UnknownTag if it does not exist and the actor may not create it,
        Invalid for a bad name."""
        require(by, Action.TAG, self.mailbox)
        session = session_of(self)
        tag = tag_to_use(session, self.mailbox, name, by=by)
        adopted_now = adopt_tag(session, self.mailbox, tag, by=by)
        if self._has_tag(tag) and not adopted_now:
            return
        if not self._has_tag(tag):
            session.add(ConversationTag(conversation_id=self.id, tag_id=tag.id, last_at=self.last_at))
        self._act(EventKind.TAGGED, by, after={"tag": tag.name})
        session.expire(self, ["tags"])

    def untag(self, name: str, *, by: Actor) -> None:
        """Remove a tag. Raises UnknownTag if there is no tag with this name."""
        require(by, Action.TAG, self.mailbox)
        session = session_of(self)
        tag = find_tag(session, self.mailbox, name)
        if tag is None:
            raise UnknownTag(name)
        if not self._has_tag(tag):
            return
        adopt_tag(session, self.mailbox, tag, by=by)
        session.delete(session.get_one(ConversationTag, (self.id, tag.id)))
        self._act(EventKind.UNTAGGED, by, before={"tag": tag.name})
        session.expire(self, ["tags"])

    def star(self, *, by: Actor) -> None:
        require(by, Action.STAR, self.mailbox)
        if not self.starred:
            self.starred = True
            self._act(EventKind.STARRED, by, before={"starred": False}, after={"starred": True})

    def unstar(self, *, by: Actor) -> None:
        require(by, Action.STAR, self.mailbox)
        if self.starred:
            self.starred = False
            self._act(EventKind.UNSTARRED, by, before={"starred": True}, after={"starred": False})

    def add_note(self, text: str, *, by: Actor, key: str | None = None) -> Note:
        """Add a note, once for each `key`: a double click or a retry returns the existing note.

        The caller locks the conversation, so that two requests with one key run one after the other. Raises Invalid for
        an empty note or one of more than 20,000 characters."""
        require(by, Action.NOTE, self.mailbox)
        if by.member is None:
            raise NotAllowed(Action.NOTE)
        session = session_of(self)
        text, key = check_note(text), key[:LONGEST_KEY] if key else None
        if key and (sent := self._note_sent(by.member.id, key, text)):
            return sent
        note = Note(conversation_id=self.id, author_id=by.member.id, text=text, search=searched_note(text), key=key)
        session.add(note)
        session.flush()
        self.record(EventKind.NOTED, by, after={"note": note.id})
        session.expire(self, ["notes"])
        return note

    def _note_sent(self, author_id: int, key: str, text: str) -> Note | None:
        same = select(Note).filter_by(conversation_id=self.id, author_id=author_id, key=key, text=text)
        return session_of(self).scalar(same.limit(1))

    def mark_seen(self, *, by: Actor) -> None:
        """Mark every inbound message as \\Seen. This records no event, because reading does not change the state."""
        require(by, Action.MARK_SEEN, self.mailbox)
        unseen = [m for m in self.messages if m.direction == "in" and not m.seen]
        if unseen and self.mailbox.marks_seen:
            for message in unseen:
                message.seen = True
            self.unseen = False
            self.want_push()
            self.tell()

    # folder -------------------------------------------------------------------------------------------------------

    def move(self, folder: Folder, *, by: Actor) -> None:
        """Move its inbound copies to another watched folder of the mailbox. Raises NotWatched if it is not watched.

        A move into Junk marks it as spam; a move out of Junk unmarks it."""
        require(by, Action.MOVE, self.mailbox)
        if folder.mailbox_id != self.mailbox_id or not folder.watched or folder.lost_at is not None:
            raise NotWatched(folder.name)
        self._require_present()
        if folder.role == "junk":
            self.mark_spam(by=by)
            return
        if self.status == Status.SPAM:
            self.reopen(by=by)
        if left := moves.send_to(self, folder):
            self.want_push()
            self.record(EventKind.MOVED, by, before={"folders": left}, after={"folder": folder.name})

    # helpers of the verbs -----------------------------------------------------------------------------------------

    def _check_owner(self, by: Actor, take_over: bool) -> EventKind | None:
        """Check that the actor may take it from its owner. Returns the kind of event if that is a takeover."""
        if self.assignee is None or by.member is None or self.assignee_id == by.member.id:
            return None
        if not take_over or not may(by, Action.TAKE_OVER, self.mailbox):
            raise AlreadyClaimed(by=self.assignee.handle, name=self.assignee.name)
        return EventKind.TAKEN_OVER

    def _own(self, member: Member | None, name: str | None, kind: EventKind, by: Actor) -> None:
        before = self.owner
        self.assignee = member
        self.assignee_id = member.id if member else None
        self.assigned_name = None if member else name
        self._act(kind, by, before={"assignee": before}, after={"assignee": name}, settles="owner")

    def _stand(
        self,
        status: Status,
        by: Actor,
        *,
        until: dt.datetime | None = None,
        kind: EventKind = EventKind.STATUS,
    ) -> None:
        require(by, Action.STATUS, self.mailbox)
        if status == self.status and until == self.snoozed_until:
            return
        if by.member is not None:
            self._require_present()
        before: dict[str, Any] = {"status": self.status}
        after: dict[str, Any] = {"status": status}
        if self.snoozed_until is not None:
            before["until"] = self.snoozed_until.isoformat()
        if until is not None:
            after["until"] = until.isoformat()
        moves.follow_status(self, status)
        self._note_handled(status, kind)
        self.status, self.snoozed_until = status, until
        self._act(kind, by, before=before, after=after, settles="status")

    def _note_handled(self, status: Status, kind: EventKind) -> None:
        """Closing counts as handling. If a person reopens it, it no longer counts as handled; new mail does not change
        that."""
        if status is Status.CLOSED:
            self.handled_at, self.waiting_since = now(), None
        elif self.status == Status.CLOSED and kind is not EventKind.REOPENED:
            with session_of(self).no_autoflush:
                self.handled_at, self.waiting_since = None, waiting_since(self.messages, None)

    def _require_present(self) -> None:
        if self.place == "gone":
            raise Gone

    def _has_tag(self, tag: Tag) -> bool:
        return session_of(self).get(ConversationTag, (self.id, tag.id)) is not None
