"""Message: one mail. Its text is in Body (so that message rows stay narrow), its files in Attachment.

Attachments and the original source stay on the mail server; `download.py` fetches them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from app.db import Base

if TYPE_CHECKING:
    from app.inbox.conversations.conversation import Conversation
    from app.inbox.conversations.copy import Copy


#: Automatic answers of machines. In an ongoing conversation nobody waits for a reply to one.
AUTOMATIC_ANSWERS = ("auto_reply", "bounce", "receipt", "report")
#: Other machine mail may hold a person's request: a ticket system's answer, a form, mail forwarded by a rule, a list.
MACHINES = (*AUTOMATIC_ANSWERS, "generated", "list", "newsletter")


class Message(Base):
    """`identity` is the same in every folder (app/mail/identity.py; for mails stored by earlier versions the former
    one). `received_at` is the server's INTERNALDATE, never the sender's clock."""

    __tablename__ = "message"
    __table_args__ = (
        Index("uq_message_mailbox_id_identity", "mailbox_id", "identity", unique=True),
        Index("ix_message_unreadable", "mailbox_id", postgresql_where=text("unreadable")),
        Index("ix_message_conversation_id_received_at", "conversation_id", "received_at"),
        Index("ix_message_mailbox_id_received_at", "mailbox_id", text("received_at DESC")),
        Index("ix_message_search", "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    identity: Mapped[bytes] = mapped_column(LargeBinary)
    message_id: Mapped[str | None]  # the header field, with angle brackets
    references: Mapped[list[str]] = mapped_column(default=list)  # In-Reply-To and References, oldest first
    direction: Mapped[str]  # in, out
    from_name: Mapped[str]
    from_address: Mapped[str]
    reply_to: Mapped[list[Any]] = mapped_column(default=list)  # [[name, address], …], as are to and cc
    to: Mapped[list[Any]] = mapped_column(default=list)
    cc: Mapped[list[Any]] = mapped_column(default=list)
    addresses: Mapped[list[str]] = mapped_column(default=list)  # all addresses above, lower-case
    subject: Mapped[str]
    preview: Mapped[str]
    date: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime]
    size: Mapped[int] = mapped_column(BigInteger)
    machine: Mapped[str | None]  # the kind of machine that wrote it, one of MACHINES; None: a person
    machine_sign: Mapped[str] = mapped_column(default="")  # the deciding sign: "Auto-Submitted: auto-replied"
    #: For a bounce: {"address", "status", "reason", "delayed", "others"}, and the "subject" of the mail it is about if
    #: it says so; None if it names no recipient.
    undelivered: Mapped[dict[str, Any] | None]
    # its sender is in none of the addresses of the mail it answers
    newcomer: Mapped[bool] = mapped_column(default=False)
    own_address: Mapped[bool] = mapped_column(default=False)  # inbound with our own address as sender
    authentication: Mapped[str | None]  # pass, fail or none, by a server that the mailbox trusts; None without one
    unreadable: Mapped[bool] = mapped_column(default=False)
    has_attachments: Mapped[bool] = mapped_column(default=False)
    # Registers of the message itself, synced both ways with \Seen, \Answered and $Forwarded.
    seen: Mapped[bool] = mapped_column(default=False)
    answered: Mapped[bool] = mapped_column(default=False)
    forwarded: Mapped[bool] = mapped_column(default=False)
    search: Mapped[Any] = deferred(mapped_column(TSVECTOR, nullable=True))

    @property
    def is_automatic_answer(self) -> bool:
        return self.machine in AUTOMATIC_ANSWERS

    conversation: Mapped[Conversation] = relationship(back_populates="messages")
    body: Mapped[Body | None] = relationship(uselist=False, back_populates="message", cascade="all, delete-orphan")
    attachments: Mapped[list[Attachment]] = relationship(
        back_populates="message", order_by="Attachment.id", cascade="all, delete-orphan"
    )
    copies: Mapped[list[Copy]] = relationship(back_populates="message", order_by="Copy.id")


class Body(Base):
    """The text of a mail and its displayed form, prepared once, during parsing.

    `html_form`: `shown`, the mail is shown by its safe HTML. In the other forms it is shown as text: `none`, it has no
    HTML; `tangled`, its HTML takes too long to clean and is not stored; `raw`, its HTML is from before mails were
    cleaned at import, and the worker has not cleaned it yet. In safe HTML a picture has no `src` but `data-part`, the
    number of its part, or `data-remote`, its address. `quote_at`: the offset in the text where the quote at its end
    begins. `truncated`: the mail has more text than is stored here; its source has all of it."""

    __tablename__ = "body"
    __table_args__ = (Index("ix_body_raw", text("message_id DESC"), postgresql_where=text("html_form = 'raw'")),)

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str]
    html: Mapped[str | None]
    html_form: Mapped[str]
    has_remote_images: Mapped[bool] = mapped_column(default=False)
    quote_at: Mapped[int | None]
    truncated: Mapped[bool] = mapped_column(default=False)
    #: [{"kind", "title", "begins", "ends", "zone", "repeats", "place", "organiser", "people", "words"}], as
    #: app/mail/calendar.py describes them.
    appointments: Mapped[list[Any]] = mapped_column(default=list)
    source: Mapped[bytes | None] = mapped_column(LargeBinary)  # only for unreadable mails

    @property
    def shown_html(self) -> str | None:
        """The HTML that is displayed; None if the mail is shown as text."""
        return self.html if self.html_form == "shown" else None

    message: Mapped[Message] = relationship(back_populates="body")


class Attachment(Base):
    """A part of a mail that is not its text. `part` is numbered as in IMAP (RFC 3501 section 6.4.5): "2.1"."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    part: Mapped[str]
    filename: Mapped[str]
    type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    encoding: Mapped[str]  # Content-Transfer-Encoding, to decode the part when it is fetched
    content_id: Mapped[str | None]  # without angle brackets
    inline: Mapped[bool] = mapped_column(default=False)

    message: Mapped[Message] = relationship(back_populates="attachments")
