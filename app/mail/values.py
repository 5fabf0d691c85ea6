"""What an ImapSession gives out: plain frozen values, names as people see them, times aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.mail.mime import Node
from app.mail.names import UidSet

Role = Literal["inbox", "sent", "drafts", "junk", "trash", "archive"]


@dataclass(frozen=True)
class FolderInfo:
    """A folder as LIST shows it. `flags` are lower case with their backslash."""

    name: str
    delimiter: str | None
    flags: frozenset[str]
    role: Role | None
    selectable: bool


@dataclass(frozen=True, slots=True)
class FlagRow:
    """The flags of one message as the server spells them, system flags included."""

    uid: int
    flags: tuple[str, ...]
    modseq: int | None


@dataclass(frozen=True, slots=True)
class SizeRow:
    """What one knows of a message before fetching it."""

    uid: int
    size: int
    flags: tuple[str, ...]
    modseq: int | None
    internaldate: datetime | None


@dataclass(frozen=True)
class Changes:
    """What changed since a MODSEQ: apply `rows` first, then `vanished` (Cyrus may name a UID in both).

    Without QRESYNC the server does not tell what vanished and `vanished` is empty: compare `uids()`.
    Ranges in `vanished` may be huge and may name UIDs that never were ours; intersect, never expand.
    """

    rows: list[FlagRow]
    vanished: UidSet


@dataclass(frozen=True)
class Selected:
    """A folder that was opened. `uidnext` 0: the server does not tell it, not even when asked by STATUS.
    `highestmodseq` None: the server keeps no MODSEQ for it.

    `permanent`: flags and keywords that stay once they are written, as the server spells them; None: any.

    `qresync_used`: `changes` and `vanished` are everything since the bookmark that was given; otherwise they
    are empty and mean nothing.
    """

    name: str
    exists: int
    uidvalidity: int
    uidnext: int
    highestmodseq: int | None
    keywords: frozenset[str]
    permanent: frozenset[str] | None
    read_only: bool
    changes: list[FlagRow]
    vanished: UidSet
    qresync_used: bool

    @property
    def lasting(self) -> list[str] | None:
        """`permanent` casefolded, in order: what a folder remembers of it."""
        return None if self.permanent is None else sorted({flag.casefold() for flag in self.permanent})

    @property
    def accepts_new_keywords(self) -> bool:
        return self.permanent is None and not self.read_only


@dataclass(frozen=True)
class FetchedMail:
    """A mail from the server. `complete`: `raw` is all of it; else `raw` is its header block, and `outline`
    its parts, of which those that are read as text carry their content.
    """

    uid: int
    flags: tuple[str, ...]
    modseq: int | None
    internaldate: datetime | None
    size: int
    raw: bytes
    complete: bool
    outline: Node | None = None

    @property
    def weight(self) -> int:
        """Bytes it takes in memory."""
        leaves = self.outline.leaves() if self.outline is not None else ()
        return len(self.raw) + sum(len(leaf.content or b"") for leaf in leaves)
