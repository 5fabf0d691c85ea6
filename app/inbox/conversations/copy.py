"""Copy: a message at one place on the server (folder, UIDVALIDITY, UID), and what we know of its keywords.

A copy has three states, each with its own columns. Only the verbs below change them.

Presence: is the copy on the server? Rows of copies that are gone stay, because they explain where a moved copy came
from.

    here ── unmatch ──▶ unmatched ── matched ──▶ here
      └───────── went ──────┴──▶ gone

Keywords: what did the server show, and what are we writing? `keywords` is what it showed last, in its spelling,
including system flags. `shown` is our part of it (casefolded; `\\flagged` counts as a keyword). `pushing` is the set of
keywords that we have begun to write. It is committed before the first STORE, so that a crash leaves a trace.

    at rest ── begin_write ──▶ writing ── wrote, saw, end_write ──▶ at rest

Place: in which folder is it wanted? Without MOVE a move has two halves: the COPY, and the deletion of the original.

    at rest ── want_in ──▶ wanted ── begin_move ──▶ moving ── moved_to ──▶ at rest
       ▲                     ▲  │                     │ │
       └──── give_up_move ───┼──┘      move_ended ────┘ └── leave_behind ──▶ left behind ── deleted ──▶ at rest
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
    refuses: Mapped[list[str]] = mapped_column(default=list)  # keywords given up after that: they stay as they are
    # part of `shown`, lost together with many others: a person decides
    held: Mapped[list[str]] = mapped_column(default=list)
    # the mailbox's count of pulls when it appeared beside another copy of the same mail
    beside_pull: Mapped[int | None]
    gone_at: Mapped[dt.datetime | None]
    gone_pull: Mapped[int | None]  # the mailbox's count of pulls when it disappeared
    unmatched_since: Mapped[dt.datetime | None]  # not found again after a reset; 24 hours of grace

    wanted_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))
    moving_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))  # committed before our MOVE
    moves_refused: Mapped[int] = mapped_column(default=0)  # consecutive moves that the server rejected
    # our COPY of it was found, so only its deletion is missing
    left_behind: Mapped[bool] = mapped_column(default=False)
    # before its conversation became spam
    came_from_folder_id: Mapped[int | None] = mapped_column(ForeignKey("folder.id"))

    message: Mapped[Message] = relationship(back_populates="copies")
    folder: Mapped[Folder] = relationship(foreign_keys=folder_id)

    @property
    def live(self) -> bool:
        return self.gone_at is None

    # presence -----------------------------------------------------------------------------------------------------

    def unmatch(self) -> None:
        """Its folder was renumbered. It may be found again. A write that we had begun did not happen."""
        self.unmatched_since, self.pushing = now(), None

    def went(self, pull: int | None) -> None:
        """The copy is no longer in its folder. What it showed, and the write we had begun, stay recorded.

        `pull`: the mailbox's count of pulls; None if it disappeared before we knew it."""
        self.gone_at, self.gone_pull = now(), pull
        self.unmatched_since, self.wanted_folder_id = None, None

    def matched(self) -> None:
        """It was found again after its folder was reset, so rejected writes may be tried again."""
        self.unmatched_since = None
        self.refused, self.refuses = 0, []

    # keywords -----------------------------------------------------------------------------------------------------

    def saw(self, keywords: Iterable[str], *, shown: Iterable[str], held: Iterable[str], pull: int) -> None:
        """The server shows these keywords now. This ends any write that we had begun.

        `shown`: the part of it that is ours. `held`: the part of `shown` that the server lost and that waits for a
        person."""
        self.remember(pull)
        self.keywords = [keyword for keyword in keywords if keyword != "\\Recent"]
        self.held, self.shown = sorted(held), sorted(shown)
        self.pushing = None

    def begin_write(self, goal: Iterable[str]) -> None:
        """Commit this before the first STORE."""
        self.pushing = sorted(goal)

    def end_write(self) -> None:
        """The write that we had begun did not happen, or cannot happen."""
        self.pushing = None

    def wrote(self, goal: Collection[str], *, added: Iterable[str], removed: Collection[str], pull: int) -> None:
        """The server accepted this write. `added` in the spelling written, `removed` casefolded.

        Added keywords that the server kept now count as shown, and removed ones do not. Other differences come from a
        client and are left for the next pull."""
        self.remember(pull)
        self.pushing = None
        new = {name.casefold(): name for name in added}
        # tags adopted in the meantime stay
        self.shown = sorted({*self.shown, *new.keys() & set(goal)}.difference(removed))
        kept = [keyword for keyword in self.keywords if keyword.casefold() not in removed]
        there = {keyword.casefold() for keyword in self.keywords}
        self.keywords = kept + sorted(name for folded, name in new.items() if folded not in there)

    def count_refused(self, names: Collection[str], *, most: int) -> None:
        """The server rejected these keywords. After `most` rejections in a row they are given up."""
        self.refused = self.refused + 1 if names else 0
        if self.refused >= most:
            self.refuses, self.refused = sorted({*self.refuses, *names}), 0

    def take_as_shown(self, names: Iterable[str]) -> None:
        """These keywords count as shown: they are not a change, and they are not written."""
        self.shown = sorted(names)

    def take_keywords(self, keywords: Iterable[str]) -> None:
        """Set the keywords to compare the next look with."""
        self.keywords = list(keywords)

    def take_held(self, other: Copy) -> None:
        """Take over another copy's held keywords: the decision follows the mail."""
        self.held, self.shown = list(other.held), list(other.held)

    def stop_holding(self, names: Collection[str], *, lost: bool) -> None:
        """These keywords no longer wait for a person. `lost`: they also no longer count as shown."""
        self.held = [name for name in self.held if name not in names]
        if lost:
            self.shown = [name for name in self.shown if name not in names]

    def remember(self, pull: int) -> None:
        """Before `shown` changes, record what it showed and was to show in the last two full pulls. If the mail appears
        elsewhere with these keywords, it was moved or copied at that time, and they are not a change."""
        left = [list(self.shown)] + ([] if self.pushing is None else [list(self.pushing)])
        self.earlier = [[p, names] for p, names in self.earlier if p >= pull - 1] + [[pull, names] for names in left]

    def came_beside(self, pull: int | None) -> None:
        """Record when it appeared beside another copy of the same mail; None: it did not."""
        self.beside_pull = pull

    # place --------------------------------------------------------------------------------------------------------

    @property
    def destination_id(self) -> int:
        """The folder where it is wanted, or its present folder."""
        return self.wanted_folder_id or self.folder_id

    @property
    def is_to_move(self) -> bool:
        return self.wanted_folder_id is not None or self.left_behind

    def want_in(self, folder_id: int | None) -> None:
        """Set the wanted folder. Earlier rejections do not count for it. None, or its present folder: no move is
        wanted."""
        self.wanted_folder_id = folder_id if folder_id != self.folder_id else None
        self.moves_refused = 0

    def remember_origin(self, folder_id: int | None) -> None:
        """The folder to which it returns if its conversation is no longer spam."""
        self.came_from_folder_id = folder_id

    def begin_move(self) -> None:
        """Commit this before MOVE or COPY. For an original that was left behind, the COPY is done already."""
        if not self.left_behind:
            self.moving_folder_id = self.destination_id

    def moved_to(self, folder_id: int, uidvalidity: int, uid: int) -> None:
        """The server moved it. Not every server keeps the keywords in a move. So a copy without keywords may be our own
        doing, and the next pull finds out."""
        if self.wanted_folder_id is None:  # the wish was withdrawn in the meantime
            self.wanted_folder_id = self.folder_id
        elif self.wanted_folder_id == folder_id:
            self.wanted_folder_id = None
        self.folder_id, self.uidvalidity, self.uid = folder_id, uidvalidity, uid
        self.moving_folder_id, self.pushing, self.moves_refused = None, [], 0

    def move_ended(self) -> None:
        """A move that we had begun did not happen, or only half of it."""
        self.moving_folder_id = None

    def count_refused_move(self) -> None:
        self.moves_refused += 1

    def give_up_move(self, folder_id: int) -> bool:
        """Leave the copy where it is. False if another folder is wanted by now; that wish stays."""
        self.left_behind = False
        if self.wanted_folder_id != folder_id:
            return False
        self.wanted_folder_id, self.moves_refused = None, 0
        return True

    def leave_behind(self) -> None:
        """Our COPY of it was found in the other folder, so only its deletion is missing."""
        self.left_behind = True

    def keep(self) -> None:
        """Do not delete it: no other copy of the mail is known, or the other is a client's copy."""
        self.left_behind = False

    def deleted(self) -> None:
        """The original that was left behind is marked as deleted."""
        self.keywords = [*(name for name in self.keywords if name != "\\Deleted"), "\\Deleted"]
        self.wanted_folder_id, self.left_behind, self.moves_refused = None, False, 0

    def finish_move_of(self, original: Copy) -> None:
        """This copy is `original`, which we moved without receiving the answer.

        Without MOVE the original may still exist. It is then left behind, and this copy takes over the wanted folder,
        which may have changed."""
        self.came_from_folder_id = original.came_from_folder_id
        if not original.live:
            original.wanted_folder_id = original.moving_folder_id = None
            return
        self.want_in(original.destination_id)
        original.leave_behind()

    def replace(self, old: Copy) -> None:
        """After a reset this is the known copy under a new UID."""
        self.held = list(old.held)
        self.came_from_folder_id, self.wanted_folder_id = old.came_from_folder_id, old.wanted_folder_id
        self.left_behind = old.left_behind
