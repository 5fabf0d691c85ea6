"""The values that an ImapSession returns: plain and frozen, with names as people see them and aware times in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.mail.mime import Node
from app.mail.names import UidSet

Role = Literal["inbox", "sent", "drafts", "junk", "trash", "archive"]


@dataclass(frozen=True)
class FolderInfo:
    """A folder from LIST. `flags` are lower case with their backslash."""

    name: str
    delimiter: str | None
    flags: frozenset[str]
    role: Role | None
    selectable: bool


@dataclass(frozen=True, slots=True)
class FlagRow:
    """The flags of one message in the server's spelling, including system flags."""

    uid: int
    flags: tuple[str, ...]
    modseq: int | None


@dataclass(frozen=True, slots=True)
class SizeRow:
    """What we know of a message before fetching it."""

    uid: int
    size: int
    flags: tuple[str, ...]
    modseq: int | None
    internaldate: datetime | None


@dataclass(frozen=True)
class Changes:
    """What changed since a MODSEQ: apply `rows` first, then `vanished` (Cyrus may name a UID in both).

    Without QRESYNC the server does not report vanished messages, and `vanished` is empty: compare `uids()`. Ranges in
    `vanished` may be huge and may name UIDs that we never had. Intersect them, never expand them.
    """

    rows: list[FlagRow]
    vanished: UidSet


@dataclass(frozen=True)
class Selected:
    """A folder that was opened. `uidnext` 0: the server does not report it, not even by STATUS. `highestmodseq` None:
    the server has no MODSEQ for it.

    `permanent`: flags and keywords that the server stores, in its spelling; None: any.

    `qresync_used`: `changes` and `vanished` are complete since the given bookmark. Otherwise they are empty and mean
    nothing.
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
        """`permanent` in lower case, in order, as we store it for a folder."""
        return None if self.permanent is None else sorted({flag.casefold() for flag in self.permanent})

    @property
    def accepts_new_keywords(self) -> bool:
        return self.permanent is None and not self.read_only


@dataclass(frozen=True)
class FetchedMail:
    """A mail from the server. `complete`: `raw` is the whole mail. Otherwise `raw` is its header block and `outline`
    its parts, where text parts have their content.
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
        """Bytes it uses in memory."""
        leaves = self.outline.leaves() if self.outline is not None else ()
        return len(self.raw) + sum(len(leaf.content or b"") for leaf in leaves)
