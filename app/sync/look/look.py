"""Look: an opened folder, its changes since the bookmark, and the copies that we know in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select

from app.db import transaction
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.names import UidSet
from app.mail.values import FlagRow, Selected
from app.sync.look.arrivals import FolderAt

T = TypeVar("T")

#: Rows of one transaction.
ROWS = 500
#: A person deletes at most this many at once, or a tenth of the folder.
MANY = 20


@dataclass(frozen=True)
class Look:
    """An opened folder: its previous bookmark, the answer to SELECT, and what follows from both."""

    folder: Folder  # detached: only the values of the bookmark
    selected: Selected
    rows: Sequence[FlagRow] = ()  # rows that differ from what we know, in the order in which they changed
    gone: Sequence[int] = ()
    lowest: int = 1  # the lowest UID this look covers

    @property
    def folder_at(self) -> FolderAt:
        return FolderAt(self.folder.id, self.folder.name, self.folder.role, self.selected.uidvalidity)

    @property
    def live(self) -> tuple[ColumnElement[bool], ...]:
        """The condition for copies that are known to be in this folder."""
        return (
            Copy.folder_id == self.folder.id,
            Copy.uidvalidity == self.selected.uidvalidity,
            Copy.gone_at.is_(None),
            Copy.unmatched_since.is_(None),
        )

    @property
    def unchanged(self) -> bool:
        """With MODSEQ the server itself reports that nothing changed since the bookmark."""
        folder, selected = self.folder, self.selected
        return (
            selected.highestmodseq is not None
            and selected.highestmodseq == folder.highestmodseq
            and selected.uidnext == folder.uidnext
            and selected.exists == folder.server_count
            and (selected.read_only, selected.lasting) == (folder.read_only, folder.permanent)
            and folder.missing == 0
            and folder.lost_at is None
        )

    def last_seen(self, mailbox: Mailbox) -> dt.datetime | None:
        """When the folder was last compared. Without MODSEQ only its newest mails may have been compared since."""
        seen, compared = self.folder.last_seen(mailbox.last_round_at), self.folder.compared_at
        if self.selected.highestmodseq is not None or seen is None or compared is None:
            return seen
        return min(seen, compared)

    def known_in(self, ranges: UidSet) -> list[int]:
        """The known UIDs within ranges, which may be huge and may name UIDs that we never had."""
        uids: list[int] = []
        with transaction() as session:
            for some in chunks(ranges):
                lows, highs = [low for low, _ in some], [high for _, high in some]
                spans = func.unnest(lows, highs).table_valued("low", "high").render_derived()
                uids += session.scalars(
                    select(Copy.uid).join(spans, Copy.uid.between(spans.c.low, spans.c.high)).where(*self.live)
                )
        return sorted(set(uids))

    def known_uids(self) -> list[int]:
        return self.known_in([(1, 2**63 - 1)])

    def known_count(self) -> int:
        with transaction() as session:
            return session.scalar(select(func.count()).select_from(Copy).where(*self.live)) or 0


def too_many(count: int, of: int) -> bool:
    """Whether so many losses are an accident rather than a person's act."""
    return count > max(MANY, of // 10)


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), ROWS):
        yield items[start : start + ROWS]
