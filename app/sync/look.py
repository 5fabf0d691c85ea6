"""Look: a folder that was opened, between its bookmark and what SELECT said, and what we know to lie in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select

from app.db import transaction
from app.inbox.copy import Copy
from app.inbox.folder import Folder
from app.inbox.mailbox import Mailbox
from app.mail.names import UidSet
from app.mail.values import Selected
from app.sync.arrivals import Place

T = TypeVar("T")

#: Rows of one transaction.
_ROWS = 500


@dataclass(frozen=True)
class Look:
    """A folder that was opened: its bookmark before, and what SELECT said."""

    folder: Folder  # detached: the values of the bookmark, nothing more
    selected: Selected

    @property
    def place(self) -> Place:
        return Place(self.folder.id, self.folder.name, self.folder.role, self.selected.uidvalidity)

    @property
    def live(self) -> tuple[ColumnElement[bool], ...]:
        """Which copies are known to lie here."""
        return (
            Copy.folder_id == self.folder.id,
            Copy.uidvalidity == self.selected.uidvalidity,
            Copy.gone_at.is_(None),
            Copy.unmatched_since.is_(None),
        )

    def last_seen(self, mailbox: Mailbox) -> dt.datetime | None:
        """The last look at the folder that would have shown what is shown now: a round, unless the folder was out of
        sight then, or only its newest mails were compared."""
        known = [mailbox.last_round_at]
        if self.folder.lost_at is not None:
            known.append(self.folder.pulled_at)
        if self.selected.highestmodseq is None:
            known.append(self.folder.compared_at)
        return min((at for at in known if at is not None), default=None)

    def known_in(self, ranges: UidSet) -> list[int]:
        """Known UIDs within ranges that may be huge and may name UIDs that never were ours."""
        found: list[int] = []
        with transaction() as session:
            for some in chunks(ranges):
                lows, highs = [low for low, _ in some], [high for _, high in some]
                spans = func.unnest(lows, highs).table_valued("low", "high").render_derived()
                found += session.scalars(
                    select(Copy.uid).join(spans, Copy.uid.between(spans.c.low, spans.c.high)).where(*self.live)
                )
        return sorted(set(found))

    def known_uids(self) -> list[int]:
        return self.known_in([(1, 2**63 - 1)])

    def known_count(self) -> int:
        with transaction() as session:
            return session.scalar(select(func.count()).select_from(Copy).where(*self.live)) or 0


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _ROWS):
        yield items[start : start + _ROWS]
