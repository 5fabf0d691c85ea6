"""Folder: a folder of a mailbox, and its bookmark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import Base

if TYPE_CHECKING:
    from app.inbox.mailboxes.mailbox import Mailbox

_LONGEST_REFUSAL = 200


def keeps(name: str, *, read_only: bool, permanent: Collection[str] | None) -> bool:
    """Whether the server stores a flag or keyword in the folder. `permanent`: see `Folder`."""
    return not read_only and (permanent is None or name.casefold() in permanent)


class FolderColumns(Protocol):
    @property
    def read_only(self) -> bool: ...

    @property
    def permanent(self) -> list[str] | None: ...

    @property
    def lost_at(self) -> dt.datetime | None: ...

    @property
    def refusal(self) -> str | None: ...


class FolderRules:
    """Rules for the columns of a folder, shared by the row that verbs change and the one that pages read."""

    def takes(self: FolderColumns, name: str) -> bool:
        """Whether the server stores this flag or keyword here."""
        return keeps(name, read_only=self.read_only, permanent=self.permanent)

    def takes_names(self: FolderColumns, mode: str) -> bool:
        """Whether the state of a conversation can be written there: keywords, or in mode `database` the star."""
        if mode == "database" or self.permanent is None:
            return keeps("\\Flagged", read_only=self.read_only, permanent=self.permanent)
        return not self.read_only and any(not flag.startswith("\\") for flag in self.permanent)

    @property
    def gone(self: FolderColumns) -> bool:
        return self.lost_at is not None and self.refusal is None

    @property
    def refused(self: FolderColumns) -> bool:
        return self.refusal is not None


class Folder(FolderRules, Base):
    """A folder's known copies are the server's UIDs from `start_uid` on; older ones are counted in `left_out`.

    The first import goes downwards: UIDs from `import_uid` on are known, those down to `start_uid` not yet. `import_uid
    <= start_uid` means the import is done."""

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    name: Mapped[str]
    role: Mapped[str | None]  # inbox, sent, junk, trash, archive, drafts
    watched: Mapped[bool] = mapped_column(default=False)
    read_only: Mapped[bool] = mapped_column(default=False)
    permanent: Mapped[list[str] | None]  # flags that the server keeps there, casefolded; None: any (RFC 3501 7.1)
    lost_at: Mapped[dt.datetime | None]  # when the server no longer had it, or refused to show it
    refusal: Mapped[str | None]  # the server's words if it refuses, possibly empty; None: the folder no longer exists

    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    uidnext: Mapped[int | None] = mapped_column(BigInteger)  # new mail has this UID or a higher one
    highestmodseq: Mapped[int | None] = mapped_column(BigInteger)
    start_uid: Mapped[int] = mapped_column(BigInteger, default=1)
    import_uid: Mapped[int] = mapped_column(BigInteger, default=1)
    keywords: Mapped[list[str]] = mapped_column(default=list)  # keywords known in the folder, casefolded, for the limit
    server_count: Mapped[int | None]  # its number of messages at the last pull
    reset_at: Mapped[dt.datetime | None]  # when its UIDs changed and it had to be read again: mail since then is new
    pulled_at: Mapped[dt.datetime | None]
    compared_at: Mapped[dt.datetime | None]  # last time all its flags were compared (servers without CONDSTORE)

    missing: Mapped[int] = mapped_column(default=0)  # UIDs on the server that we lack
    unmatched: Mapped[int] = mapped_column(default=0)  # copies that the server lacks after a reset
    left_out: Mapped[int] = mapped_column(default=0)
    drops: Mapped[int] = mapped_column(default=0)  # how often the connection ended at the same mails
    drop_uid: Mapped[int | None] = mapped_column(BigInteger)  # the lowest of their UIDs
    waiting: Mapped[int] = mapped_column(default=0)  # new mails that the worker has not read yet
    waiting_since: Mapped[dt.datetime | None]

    mailbox: Mapped[Mailbox] = relationship(back_populates="folders")

    def lose(self, refusal: str | None = None) -> None:
        """Mark it as lost: gone from the server, or refused with this answer."""
        self.lost_at = self.lost_at or now()
        if refusal is not None:
            words = "".join(letter if letter.isprintable() else " " for letter in refusal)
            refusal = " ".join(words.split())[:_LONGEST_REFUSAL]
        self.refusal = refusal

    def show(self) -> None:
        """The server shows the folder again."""
        self.pulled_at = now()
        self.lost_at = self.refusal = None

    def note_drop(self, uids: Sequence[int]) -> None:
        """The connection ended while these mails were fetched."""
        if self.drop_uid not in uids:
            self.drops, self.drop_uid = 0, min(uids)
        self.drops += 1

    def wait_for(self, count: int) -> None:
        """Record the number of new mails to be read, and since when they wait."""
        self.waiting_since = (self.waiting_since or now()) if count else None
        self.waiting = count

    def allow(self, *, read_only: bool, permanent: list[str] | None) -> bool:
        """Record what the server allows us to write there. Returns whether that is more than before."""
        more = {"*"} if permanent is None else set(permanent)
        is_more = self.read_only or (self.permanent is not None and not more <= set(self.permanent))
        self.read_only, self.permanent = read_only, permanent
        return is_more and not read_only

    def begin_again(self, last_round_at: dt.datetime | None) -> None:
        """Its UIDs changed. Keep the time of its last look until all of it is read again, in however many rounds."""
        self.reset_at = self.reset_at or self.last_seen(last_round_at) or now()

    def forget(self) -> None:
        """Forget the bookmark. If the folder is watched again, it is imported again."""
        self.uidvalidity = self.uidnext = self.highestmodseq = self.server_count = None
        self.start_uid = self.import_uid = 1
        self.reset_at = self.pulled_at = self.compared_at = self.lost_at = self.refusal = None
        self.missing = self.unmatched = self.left_out = 0
        self.drops, self.drop_uid = 0, None
        self.wait_for(0)
        self.read_only, self.permanent = False, None

    def last_seen(self, last_round_at: dt.datetime | None) -> dt.datetime | None:
        """The last look that would have shown the present state: the last successful round, unless the folder was
        hidden then. None if unknown; a time in the future comes from a wrong clock."""
        if last_round_at is not None and last_round_at > now():
            return None
        if self.lost_at is None or last_round_at is None or self.pulled_at is None:
            return last_round_at
        return min(last_round_at, self.pulled_at)

    @property
    def importing(self) -> bool:
        return self.import_uid > self.start_uid
