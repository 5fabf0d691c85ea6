"""Reply: a mail that the team writes, from draft to sent.

              ┌───────────── cancel, news ─────────────┐
              ▼                                        │
    draft ── send ─▶ scheduled ── due ─▶ queued ── due ┴▶ connecting ─▶ handed ─▶ sent
      ▲                                    ▲                  │           │
      │                                    └─ deferred ───────┤           ├─▶ unknown ─┐
      └────────── cancel ───── failed ◀────── refused ────────┴───────────┘            │
                                 │                                                     │
                                 └──────────── retry ──▶ queued ◀────────── retry ─────┘

Until `queued` ends anybody who may reply can cancel. Between `connecting` and `handed` nothing has been sent, so a
crash or a broken connection only delays the mail. In `handed` the server may have taken it: if the connection breaks
there, the reply is `unknown` until its copy turns up in Sent or a person decides. The mail is built once, at the first
connection; every retry sends the same bytes under the same Message-ID.

Each recipient has a state of its own. One that the server accepted is never sent to again.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from app.announcements import PushWanted, SendingWanted
from app.clock import now, rfc3339
from app.db import Base, announce, session_of
from app.inbox.actor import SYSTEM, Actor
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.errors import N_, AlreadySent, BeingWritten, DraftChanged, Invalid, NotAllowed
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.permission import Action, require
from app.inbox.replies.recipient import Recipient, RecipientState
from app.queue import Queued

#: After so many attempts at a server that refuses for now, or is away, the reply has failed: about three days.
_MOST_ATTEMPTS = 80
_WRITER_LEASE = dt.timedelta(seconds=30)
_PAUSES = (5, 15, 60, 120, 300, 600, 1200, 3600)


class ReplyState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    CONNECTING = "connecting"
    HANDED = "handed"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Filing(StrEnum):
    """Whether the copy in Sent is there."""

    NONE = "none"  # not sent yet, or the mailbox has no Sent folder
    WAITING = "waiting"  # the worker puts it there
    DONE = "done"


class Reply(Queued, Base):
    """`to`, `cc`, `bcc`: [[name, address], …]. `seen_message_id`: the newest message that the author had seen."""

    __tablename__ = "reply"
    __table_args__ = (
        UniqueConstraint("author_id", "key"),
        Index("ix_reply_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_reply_filing", "mailbox_id", postgresql_where=text("filing = 'waiting'")),
        Index("ix_reply_unknown", "mailbox_id", postgresql_where=text("state = 'unknown'")),
        Index("ix_reply_conversation_id", "conversation_id"),
    )

    #: Longer than the server may take to accept a mail (RFC 5321 4.5.3.2.6).
    LEASE: ClassVar[dt.timedelta] = dt.timedelta(minutes=25)
    MOST_TRIES: ClassVar[int] = _MOST_ATTEMPTS

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    answered_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    seen_message_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    #: Given by the form or the program: the same key by the same author is the same reply, sent again.
    key: Mapped[str | None]

    sender: Mapped[str]  # the mailbox's address or an alias
    to: Mapped[list[Any]] = mapped_column(default=list)
    cc: Mapped[list[Any]] = mapped_column(default=list)
    bcc: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    quote: Mapped[str] = mapped_column(default="")  # HTML of what is quoted below the author's own words
    status_after: Mapped[str | None]
    #: Rises with each save. A save that knows an older one is refused.
    revision: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[dt.datetime] = mapped_column(default=now)
    #: Only this member can save it until then, unless another takes over.
    writer_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    writer_until: Mapped[dt.datetime | None]

    state: Mapped[str] = mapped_column(default=ReplyState.DRAFT)
    message_id: Mapped[str | None]  # with angle brackets; given when it is first sent
    raw: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # without Bcc; built at the first connection
    code: Mapped[int | None]  # what the SMTP server said last, and its words
    error: Mapped[str | None]
    in_doubt: Mapped[bool] = mapped_column(default=False)  # was `unknown` once
    sent_at: Mapped[dt.datetime | None]
    sent_message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    filing: Mapped[str] = mapped_column(default=Filing.NONE)

    mailbox: Mapped[Mailbox] = relationship(lazy="joined", innerjoin=True)
    conversation: Mapped[Conversation] = relationship()
    author: Mapped[Member] = relationship(foreign_keys=author_id, lazy="joined", innerjoin=True)
    writer: Mapped[Member | None] = relationship(foreign_keys=writer_id, lazy="joined")
    answered: Mapped[Message | None] = relationship(foreign_keys=answered_id)
    recipients: Mapped[list[Recipient]] = relationship(order_by="Recipient.position", cascade="all, delete-orphan")

    # what members do ----------------------------------------------------------------------------------------------

    def write(self, *, revision: int, by: Actor, take_over: bool = False) -> None:
        """Before its content changes: the actor is its writer for the next 30 seconds, and its revision rises.

        Raises BeingWritten when another member is, DraftChanged when `revision` is old."""
        require(by, Action.REPLY, self.mailbox)
        self._require(ReplyState.DRAFT)
        if by.member is None:
            raise NotAllowed(Action.REPLY)
        writer = self.writer_now
        if writer is not None and writer.id != by.member.id and not take_over:
            raise BeingWritten(writer.handle, writer.name)
        if revision != self.revision:
            raise DraftChanged(self.revision)
        changes_hands = writer is None or writer.id != by.member.id
        self.writer, self.writer_id, self.writer_until = by.member, by.member.id, now() + _WRITER_LEASE
        self.revision, self.saved_at = self.revision + 1, now()
        if changes_hands:
            self.conversation.changed()

    @property
    def writer_now(self) -> Member | None:
        """Who writes it at this moment."""
        return self.writer if self.writer_until is not None and self.writer_until > now() else None

    def discard(self, *, by: Actor) -> None:
        """Delete the draft. Raises AlreadySent for what is on its way."""
        require(by, Action.REPLY, self.mailbox)
        self._require(ReplyState.DRAFT)
        self.conversation.record(EventKind.REPLY, by, before={"state": self.state}, after={"reply": self.id})
        session_of(self).delete(self)

    def send(self, at: dt.datetime, *, by: Actor, later: bool = False) -> None:
        """Let it go at this time, which leaves a moment to cancel. `later`: a time that the author chose; any message
        that arrives before it returns the reply to the drafts. Raises Invalid for a draft that cannot be sent."""
        require(by, Action.REPLY, self.mailbox)
        self._require(ReplyState.DRAFT)
        if self.mailbox.smtp_host is None:
            raise Invalid("mailbox", N_("This mailbox has no server for outgoing mail. An administrator can add one."))
        if self.message_id is None:
            self.message_id = new_message_id(self.sender)
        self.enqueue()
        self.due_at = at
        self._stand(ReplyState.SCHEDULED if later else ReplyState.QUEUED, by, at=rfc3339(at) if later else None)

    def cancel(self, *, by: Actor) -> None:
        """It is a draft again. Raises AlreadySent once it is on its way."""
        require(by, Action.REPLY, self.mailbox)
        if self.state == ReplyState.DRAFT:
            return
        self._require(ReplyState.SCHEDULED, ReplyState.QUEUED, ReplyState.FAILED)
        if self.in_doubt or any(one.state == RecipientState.ACCEPTED for one in self.recipients):
            raise AlreadySent
        self.finish()
        self._forget_mail()
        self.writer_id, self.writer_until = by.member.id if by.member else None, None  # who called it back goes on
        self._stand(ReplyState.DRAFT, by)

    def retry_now(self, *, by: Actor) -> None:
        """A person decides to send it, or what is left of it, once more."""
        require(by, Action.REPLY, self.mailbox)
        self._require(ReplyState.FAILED, ReplyState.UNKNOWN)
        for one in self.recipients:
            if one.state != RecipientState.ACCEPTED:
                one.state = RecipientState.WAITING
        self.enqueue()
        self._stand(ReplyState.QUEUED, by)

    # what the worker does -----------------------------------------------------------------------------------------

    def return_to_draft(self) -> None:
        """Something came that its author has not seen."""
        self.finish()
        self._forget_mail()
        self._stand(ReplyState.DRAFT, SYSTEM, reason="news")

    def begin(self, raw: bytes) -> None:
        """The worker connects. The mail and its recipients stay as they are now."""
        if self.raw is None:
            self.raw = raw
            self.recipients = [
                Recipient(position=number, address=address, state=RecipientState.WAITING)
                for number, address in enumerate(self.addresses)
            ]
        self._stand(ReplyState.CONNECTING, SYSTEM)

    def note_handed(self) -> None:
        """The server waits for the body: from now on it may have the mail."""
        self._stand(ReplyState.HANDED, SYSTEM)

    def note_answers(self, answers: Mapping[str, tuple[int, str]], *, accepted: bool) -> None:
        """What the server said to the recipients; `accepted`: it then took the mail, for those to whom it said yes."""
        for one in self.recipients:
            if one.address in answers:
                one.note(*answers[one.address], accepted=accepted)

    def note_sent(self, code: int) -> None:
        """The server has it. Recipients that it refused for now are tried again."""
        self.code, self.error = code, None
        if self.sent_at is None:
            self.sent_at = now()
        if self.mailbox.folder("sent") is not None and self.filing == Filing.NONE:
            self.filing = Filing.WAITING
            announce(session_of(self), PushWanted(self.mailbox_id))
        if self._waiting() and self.tries < self.MOST_TRIES:
            self._wait()
            self._stand(ReplyState.QUEUED, SYSTEM, code=code)
        else:
            self.finish()
            self._stand(ReplyState.SENT, SYSTEM, code=code)

    def note_deferred(self, code: int | None, words: str) -> None:
        """Nothing was sent, for a reason that may pass."""
        if self.tries >= self.MOST_TRIES:
            self.note_failed(code, words)
            return
        self.code, self.error = code, words
        self._wait()
        self._stand(ReplyState.QUEUED, SYSTEM, code=code)

    def note_failed(self, code: int | None, words: str) -> None:
        """Trying again would not help. If an earlier try reached some recipients, it was sent, but for the others."""
        self.finish()
        self.code = code
        if self.sent_at is None:
            self.error = words
            self._stand(ReplyState.FAILED, SYSTEM, code=code)
            return
        for one in self.recipients:
            if one.state in (RecipientState.WAITING, RecipientState.DEFERRED):
                one.state, one.code, one.words = RecipientState.REFUSED, code, words
        self._stand(ReplyState.SENT, SYSTEM, code=code)

    def note_unknown(self, words: str) -> None:
        """It may have been sent."""
        self.finish()
        self.code, self.error, self.in_doubt = None, words, True
        self._stand(ReplyState.UNKNOWN, SYSTEM)

    def note_found(self, message_id: int) -> None:
        """Its copy turned up in Sent, so it was sent."""
        self.sent_message_id, self.error, self.filing = message_id, None, Filing.DONE
        self.sent_at = self.sent_at or now()
        for one in self.recipients:
            if one.state == RecipientState.WAITING:
                one.state = RecipientState.ACCEPTED
        self._stand(ReplyState.SENT, SYSTEM)

    def give_up(self) -> None:
        """The queue took it too often."""
        if self.state == ReplyState.HANDED:
            self.note_unknown(self.error or "")
        else:
            self.note_failed(self.code, self.error or "")

    # how it does it -----------------------------------------------------------------------------------------------

    @property
    def addresses(self) -> list[str]:
        """Whom it goes to, each once."""
        everybody = [address for people in (self.to, self.cc, self.bcc) for _, address in people]
        return list({address.lower(): address for address in reversed(everybody)}.values())[::-1]

    def _forget_mail(self) -> None:
        self.recipients, self.raw, self.message_id = [], None, None

    def _waiting(self) -> bool:
        return any(one.state in (RecipientState.WAITING, RecipientState.DEFERRED) for one in self.recipients)

    def _wait(self) -> None:
        seconds = _PAUSES[min(max(self.tries, 1), len(_PAUSES)) - 1]
        self.due_at, self.lease = now() + dt.timedelta(seconds=seconds), None

    def _require(self, *states: ReplyState) -> None:
        if self.state not in states:
            raise (
                AlreadySent
                if self.state != ReplyState.DRAFT
                else Invalid("state", N_("This reply is a draft. Send it instead."))
            )

    def _stand(self, state: ReplyState, by: Actor, **facts: Any) -> None:
        before = self.state
        if state == before:
            return
        self.state = state
        after = {"reply": self.id, "state": state, **{name: value for name, value in facts.items() if value}}
        self.conversation.record(EventKind.REPLY, by, before={"state": before}, after=after)
        if state == ReplyState.QUEUED:
            announce(session_of(self), SendingWanted(self.mailbox_id))


def new_message_id(sender: str) -> str:
    """An id that no other mail has, in the domain of its sender, of at most 77 characters: longer ones are folded, and
    some programs cannot read that."""
    try:
        domain = sender.rpartition("@")[2].encode("idna").decode("ascii")
    except UnicodeError:  # no name that mail could come from
        domain = ""
    return f"<{secrets.token_hex(12)}@{domain if 0 < len(domain) <= 50 else 'signalbox.invalid'}>"
