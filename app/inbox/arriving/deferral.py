"""Deferral: a mail to read again, and when.

The server did not deliver it although it delivered its neighbours, or we could not parse it, or it takes long to parse.
A mail that is not delivered is fetched again after a minute, then less and less often. After three days it is listed as
an unreadable message, and still fetched once a day. A mail that cannot be parsed waits for another version of the
parser, or until somebody asks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.announcements import PullWanted
from app.clock import now
from app.db import Base, announce, session_of
from app.inbox.actor import Actor
from app.inbox.arriving.arrival import Received
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Action, require

#: Minutes until the next try, by number of tries; then once a day.
_PAUSES = (1, 5, 15, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60)
#: A mail that the server has not delivered for this long is listed without its text.
PATIENCE = dt.timedelta(days=3)
_LONGEST_ANSWER = 200
#: Number read again at a time.
_SOME = 20


class Deferral(Base):
    """`folder_id`, `uidvalidity`, `uid`: the mail's place. Without `message_id` it is not stored yet."""

    __tablename__ = "deferral"
    __table_args__ = (
        Index(
            "uq_deferral_place",
            "folder_id",
            "uidvalidity",
            "uid",
            unique=True,
            postgresql_where=text("message_id IS NULL"),
        ),
        Index("uq_deferral_message_id", "message_id", unique=True),
        Index("ix_deferral_mailbox_id", "mailbox_id", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id", ondelete="CASCADE"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    importing: Mapped[bool] = mapped_column(default=False)  # met by an import, which reopens nothing
    answer: Mapped[str] = mapped_column(default="")  # the server's words
    parser: Mapped[str | None]  # the version that could not read it; None: the server did not deliver it
    first_at: Mapped[dt.datetime] = mapped_column(default=now)
    tries: Mapped[int] = mapped_column(default=0)
    slow: Mapped[bool] = mapped_column(default=False)  # others go first; `tries`: how often it took too long
    next_at: Mapped[dt.datetime | None]  # None: when there is another parser, or somebody asks

    @property
    def is_overdue(self) -> bool:
        """Whether the server has not delivered it for so long that people should see it."""
        return self.message_id is None and self.first_at < now() - PATIENCE

    def could_not_be_parsed(self, parser: str) -> None:
        """Record that it was delivered, but this version of the parser cannot read it."""
        self.tries = (self.tries or 0) + 1
        self.parser, self.answer, self.next_at = parser, "", None

    def put_off(self, answer: str) -> None:
        """Record that the server did not deliver it again."""
        self.tries = (self.tries or 0) + 1
        self.parser, self.answer, self.slow = None, _line(answer), False
        self.next_at = now() + _pause(self.tries)


def defer(
    session: Session, mailbox_id: int, numbering: tuple[int, int], refused: Mapping[int, str], *, importing: bool
) -> None:
    """Record that the server did not deliver these mails (UID -> its words) of a folder. `numbering`:
    (folder id, UIDVALIDITY), within which UIDs are unique."""
    values = {"mailbox_id": mailbox_id, "importing": importing, "slow": False, "tries": 1, "next_at": now() + _pause(1)}
    _add(
        session, numbering, [{"uid": uid, "answer": _line(answer), **values} for uid, answer in sorted(refused.items())]
    )


def defer_slow(
    session: Session, mailbox_id: int, numbering: tuple[int, int], tries: Mapping[int, int], *, importing: bool
) -> None:
    """Read these mails after the others, because they are large, or took long to parse before: UID -> number of
    tries."""
    values = {"mailbox_id": mailbox_id, "importing": importing, "slow": True, "answer": "", "next_at": now()}
    _add(session, numbering, [{"uid": uid, "tries": number, **values} for uid, number in tries.items()])


def _add(session: Session, numbering: tuple[int, int], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    folder_id, uidvalidity = numbering
    added = insert(Deferral).values([{"folder_id": folder_id, "uidvalidity": uidvalidity, **row} for row in rows])
    met = ["folder_id", "uidvalidity", "uid"]
    session.execute(added.on_conflict_do_nothing(index_elements=met, index_where=text("message_id IS NULL")))


def note_unreadable(
    session: Session, mailbox_id: int, received: Iterable[Received], parser: str, *, importing: bool
) -> None:
    """Of the mails just stored, have the unreadable ones read again, by another `parser` or when the server delivers
    them."""
    for one in received:
        arrival = one.arrival
        if not (one.new and arrival.unreadable):
            continue
        numbering = (arrival.folder_id, arrival.uidvalidity)
        waited = session.scalar(select(Deferral).where(*_not_stored(*numbering), Deferral.uid == arrival.uid))
        if waited is None:
            waited = Deferral(
                mailbox_id=mailbox_id,
                folder_id=numbering[0],
                uidvalidity=numbering[1],
                uid=arrival.uid,
                answer="",
                importing=importing,
            )
            session.add(waited)
        waited.message_id = one.message_id
        if arrival.source:
            waited.could_not_be_parsed(parser)
        else:
            waited.put_off(waited.answer)


def due(session: Session, mailbox_id: int, parser: str) -> Sequence[Deferral]:
    """The deferrals that are due, or can be tried by another `parser`. Those never tried come first, then those that
    have waited longest."""
    at = now()
    other = Deferral.parser.is_not(None) & (Deferral.parser != parser)
    query = select(Deferral).where(Deferral.mailbox_id == mailbox_id, or_(Deferral.next_at <= at, other))
    return session.scalars(query.order_by(Deferral.tries > 0, Deferral.next_at, Deferral.id).limit(_SOME)).all()


def ask_again(mailbox: Mailbox, message: Message | None = None, *, by: Actor) -> None:
    """Have a mail of the mailbox, or all of them, read again in the next round. Raises NotAllowed below a manager."""
    require(by, Action.READ_AGAIN, mailbox)
    read_now(mailbox, message)


def read_now(mailbox: Mailbox, message: Message | None = None) -> None:
    """The same, as a part of another act."""
    session = session_of(mailbox)
    mine = update(Deferral).where(Deferral.mailbox_id == mailbox.id)
    session.execute((mine if message is None else mine.where(Deferral.message_id == message.id)).values(next_at=now()))
    announce(session, PullWanted(mailbox.id))


def waiting_uids(session: Session, folder_id: int, uidvalidity: int) -> set[int]:
    """UIDs in a folder that are not stored because the server does not deliver them."""
    return set(session.scalars(select(Deferral.uid).where(*_not_stored(folder_id, uidvalidity))))


def forget(session: Session, folder_id: int, uidvalidity: int, uids: Iterable[int]) -> None:
    """Drop deferrals of mails that are stored now, or no longer exist."""
    session.execute(delete(Deferral).where(*_not_stored(folder_id, uidvalidity), Deferral.uid.in_(list(uids))))


def forget_other_numbers(session: Session, folder_id: int, uidvalidity: int) -> None:
    """The folder was renumbered, so its mails are read anew."""
    old = (Deferral.folder_id == folder_id, Deferral.uidvalidity != uidvalidity, Deferral.message_id.is_(None))
    session.execute(delete(Deferral).where(*old))


def _not_stored(folder_id: int, uidvalidity: int) -> tuple[ColumnElement[bool], ...]:
    numbering = (Deferral.folder_id == folder_id, Deferral.uidvalidity == uidvalidity)
    return (*numbering, Deferral.message_id.is_(None))


def _pause(tries: int) -> dt.timedelta:
    return dt.timedelta(minutes=_PAUSES[min(tries, len(_PAUSES)) - 1])


def _line(answer: str) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in answer)
    return " ".join(words.split())[:_LONGEST_ANSWER]
