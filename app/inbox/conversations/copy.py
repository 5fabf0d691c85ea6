"""Copy: a message at one place on the server (folder, UIDVALIDITY, UID), and what we know of its keywords.

A copy has three states, each with its own columns. Only the verbs below change them.

Presence: is it there? Rows of copies that are gone stay: they explain where a moved one came from.

    here ── unmatch ──▶ unmatched ── matched ──▶ here
      └───────── went ──────┴──▶ gone

Names: what did the server show, and what are we writing? `keywords` is what it showed last, as it spelt it, system
flags included. `shown` is the part of it that is ours (casefolded; `\\flagged` counts as a name). `pushing` is what
we had begun to write: committed before the first STORE, so that a crash leaves a trace.

    at rest ── begin_write ──▶ writing ── wrote, saw, end_write ──▶ at rest

Place: where is it wanted? Without MOVE a move has two halves: the COPY, and the deletion of what was left behind.

    settled ── want_in ──▶ wanted ── begin_move ──▶ moving ── moved_to ──▶ settled
       ▲                     ▲  │                     │ │
       └──── give_up_move ───┼──┘      move_ended ────┘ └── leave_behind ──▶ left behind ── deleted ──▶ settled
                             └──────────────┘
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import Base
from app.inbox.mailboxes.folder import Folder

if TYPE_CHECKING:
    from app.inbox.conversations.message import Message

LIVE = "gone_at IS NULL"


class Copy(Base):
    __tablename__ = "copy"
    __table_args__ = (
        Index(
            "uq_copy_place",
            "folder_id",
            "uidvalidity",
            "uid",
            unique=True,
            postgresql_where=text(f"{LIVE} AND unmatched_since IS NULL"),
        ),
        Index("ix_copy_live", "folder_id", "uid", postgresql_where=text(LIVE)),
        Index("ix_copy_gone_at", "gone_at", postgresql_where=text("gone_at IS NOT NULL")),
        Index("ix_copy_pushing", "folder_id", postgresql_where=text("pushing IS NOT NULL")),
        Index("ix_copy_refusing", "folder_id", postgresql_where=text("refuses <> '{}'")),
        Index("ix_copy_holding", "folder_id", postgresql_where=text("held <> '{}'")),
        Index("ix_copy_moving", "folder_id", postgresql_where=text("moving_folder_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    keywords: Mapped[list[str]] = mapped_column(default=list)

    shown: Mapped[list[str]] = mapped_column(default=list)
    pushing: Mapped[list[str] | None]
    earlier: Mapped[list[Any]] = mapped_column(default=list)  # [[pull, [names]], …]: see `remember`
    refused: Mapped[int] = mapped_column(default=0)  # consecutive writes with keywords that the server rejected
    refuses: Mapped[list[str]] = mapped_column(default=list)  # names given up after that: they stay as they are
    held: Mapped[list[str]] = mapped_column(default=list)  # of `shown`, lost with many others: a person decides
    beside_pull: Mapped[int | None]  # the mailbox's count of pulls when it turned up beside another of the same mail
    gone_at: Mapped[dt.datetime | None]
    gone_pull: Mapped[int | None]  # the mailbox's count of pulls when it went
    unmatched_since: Mapped[dt.datetime | None]  # not found again after a reset; 24 hours of grace

    wanted_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))
    moving_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))  # committed before our MOVE
    moves_refused: Mapped[int] = mapped_column(default=0)  # moves in a row that the server refused
    left_behind: Mapped[bool] = mapped_column(default=False)  # our COPY of it was found: only its deletion is missing
    came_from_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))  # before spam took it to Junk

    message: Mapped[Message] = relationship(back_populates="copies")
    folder: Mapped[Folder] = relationship(foreign_keys=folder_id)

    @property
    def live(self) -> bool:
        return self.gone_at is None

    # presence -----------------------------------------------------------------------------------------------------

    def unmatch(self) -> None:
        """Its folder was renumbered. It may be found again, and what we had begun to write never came."""
        self.unmatched_since, self.pushing = now(), None

    def went(self, pull: int | None) -> None:
        """It is no longer in its folder. What it showed, and what we had begun to write on it, stays.

        `pull`: the mailbox's count of pulls; None if it went before we knew."""
        self.gone_at, self.gone_pull = now(), pull
        self.unmatched_since, self.wanted_folder_id = None, None

    def matched(self) -> None:
        """It was found again after its folder was reset: what the server refused may be tried again."""
        self.unmatched_since = None
        self.refused, self.refuses = 0, []

    # names --------------------------------------------------------------------------------------------------------

    def saw(self, keywords: Iterable[str], *, shown: Iterable[str], held: Iterable[str], pull: int) -> None:
        """The server shows these keywords now. Whatever we had begun to write is done with.

        `shown`: what of it counts as ours. `held`: what of `shown` is lost there and waits for a person."""
        self.remember(pull)
        self.keywords = [keyword for keyword in keywords if keyword != "\\Recent"]
        self.held, self.shown = sorted(held), sorted(shown)
        self.pushing = None

    def begin_write(self, goal: Iterable[str]) -> None:
        """Commit this before the first STORE."""
        self.pushing = sorted(goal)

    def end_write(self) -> None:
        """What we had begun to write never came, or cannot be written."""
        self.pushing = None

    def wrote(self, goal: Collection[str], *, added: Iterable[str], removed: Collection[str], pull: int) -> None:
        """The server took this. `added` as it was written, `removed` casefolded.

        What was added and kept is shown now, and what was removed is not. The rest of what came back, or did not, is a
        client's act: it is left for the next pull."""
        self.remember(pull)
        self.pushing = None
        new = {name.casefold(): name for name in added}
        self.shown = sorted({*self.shown, *new.keys() & set(goal)}.difference(removed))  # tags adopted meanwhile stay
        kept = [keyword for keyword in self.keywords if keyword.casefold() not in removed]
        there = {keyword.casefold() for keyword in self.keywords}
        self.keywords = kept + sorted(name for folded, name in new.items() if folded not in there)

    def count_refused(self, names: Collection[str], *, most: int) -> None:
        """The server refused to write these names. After `most` times in a row they are given up."""
        self.refused = self.refused + 1 if names else 0
        if self.refused >= most:
            self.refuses, self.refused = sorted({*self.refuses, *names}), 0

    def take_as_shown(self, names: Iterable[str]) -> None:
        """Names that count as shown: nothing of them is news, and nothing of them is written."""
        self.shown = sorted(names)

    def take_keywords(self, keywords: Iterable[str]) -> None:
        """Keywords to compare the next look with."""
        self.keywords = list(keywords)

    def take_held(self, other: Copy) -> None:
        """What waits for a person waits wherever the mail lies."""
        self.held, self.shown = list(other.held), list(other.held)

    def stop_holding(self, names: Collection[str], *, lost: bool) -> None:
        """These names no longer wait for a person. `lost`: they no longer count as shown either."""
        self.held = [name for name in self.held if name not in names]
        if lost:
            self.shown = [name for name in self.shown if name not in names]

    def remember(self, pull: int) -> None:
        """Before `shown` changes: what it showed and was to show in the last two full pulls. A mail that turns up
        elsewhere with such names was moved or copied then, and tells nothing new."""
        left = [list(self.shown)] + ([] if self.pushing is None else [list(self.pushing)])
        self.earlier = [[p, names] for p, names in self.earlier if p >= pull - 1] + [[pull, names] for names in left]

    def came_beside(self, pull: int | None) -> None:
        """When it turned up beside another copy of the same mail; None: it did not."""
        self.beside_pull = pull

    # place --------------------------------------------------------------------------------------------------------

    @property
    def destination_id(self) -> int:
        """The folder where it is wanted, or lies if it is wanted nowhere else."""
        return self.wanted_folder_id or self.folder_id

    @property
    def is_to_move(self) -> bool:
        return self.wanted_folder_id is not None or self.left_behind

    def want_in(self, folder_id: int | None) -> None:
        """A new wish: what the server refused says nothing about it. None, or its current folder: no move is wanted."""
        self.wanted_folder_id = folder_id if folder_id != self.folder_id else None
        self.moves_refused = 0

    def remember_origin(self, folder_id: int | None) -> None:
        """Where it goes back to if its conversation is spam no longer."""
        self.came_from_folder_id = folder_id

    def begin_move(self) -> None:
        """Commit this before MOVE or COPY. Of what was left behind the copy is made."""
        if not self.left_behind:
            self.moving_folder_id = self.destination_id

    def moved_to(self, folder_id: int, uidvalidity: int, uid: int) -> None:
        """The server moved it. Not every server takes the names along: bare is our own doing then, and the next pull
        says which it is."""
        if self.wanted_folder_id is None:  # meanwhile it was called back
            self.wanted_folder_id = self.folder_id
        elif self.wanted_folder_id == folder_id:
            self.wanted_folder_id = None
        self.folder_id, self.uidvalidity, self.uid = folder_id, uidvalidity, uid
        self.moving_folder_id, self.pushing, self.moves_refused = None, [], 0

    def move_ended(self) -> None:
        """A move that we had begun never came, or only half of it."""
        self.moving_folder_id = None

    def count_refused_move(self) -> None:
        self.moves_refused += 1

    def give_up_move(self, folder_id: int) -> bool:
        """It stays where it is. False if it is wanted elsewhere by now: that wish stays."""
        self.left_behind = False
        if self.wanted_folder_id != folder_id:
            return False
        self.wanted_folder_id, self.moves_refused = None, 0
        return True

    def leave_behind(self) -> None:
        """Our COPY of it was found in the other folder: only its deletion is missing."""
        self.left_behind = True

    def keep(self) -> None:
        """It is not to be deleted: no other copy of the mail is known, or what was found is a client's copy."""
        self.left_behind = False

    def deleted(self) -> None:
        """What was left behind is marked as deleted."""
        self.keywords = [*(name for name in self.keywords if name != "\\Deleted"), "\\Deleted"]
        self.wanted_folder_id, self.left_behind, self.moves_refused = None, False, 0

    def finish_move_of(self, original: Copy) -> None:
        """This is `original`, moved by us, though we heard no answer.

        Without MOVE the original may still be there. Then it is left behind, and the wish, which may be another by
        now, is this copy's."""
        self.came_from_folder_id = original.came_from_folder_id
        if not original.live:
            original.wanted_folder_id = original.moving_folder_id = None
            return
        self.want_in(original.destination_id)
        original.leave_behind()

    def replace(self, old: Copy) -> None:
        """After a reset this is the copy that we knew under another UID."""
        self.held = list(old.held)
        self.came_from_folder_id, self.wanted_folder_id = old.came_from_folder_id, old.wanted_folder_id
        self.left_behind = old.left_behind
