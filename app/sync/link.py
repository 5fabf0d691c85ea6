"""Link: what a round over one mailbox works with. One mailbox, one worker, one connection, one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.mail.child import MailParser
from app.mail.errors import MailError, OverQuota, Unavailable
from app.mail.imap import ImapSession
from app.sync.pace import Pace, Progress


@dataclass
class Link:
    """What a round has at hand.

    `reopen` gives a second, fresh connection, to make sure of what the first one said. `between` is called between
    two batches of a long import: it does what cannot wait and says whether the import may go on. `serve` does what
    members wait for, and says whether nothing else is due; it may open another folder. `check` raises
    LockLost when another worker may serve the mailbox: it is called in every transaction that keeps what the server
    said, because what a worker saw before it was frozen is no longer so. `waiting`: why something could not be done
    in this round though the round goes on; it is tried again in the next."""

    mailbox_id: int
    imap: ImapSession
    parser: MailParser
    reopen: Callable[[], ImapSession]
    between: Callable[[], bool]
    check: Callable[[], None] = lambda: None
    serve: Callable[[], bool] = lambda: True
    listed_at: float | None = None  # when its folders were listed, by the monotonic clock
    pace: Pace = field(default_factory=Pace)
    progress: Progress = field(default_factory=Progress)
    waiting: OverQuota | Unavailable | None = None
    passed_over: int = 0  # rounds in a row that left mail which is to be read again

    def note_refusal(self, error: MailError) -> None:
        """Something waits for the next round: the account is full, or the server cannot do this one thing now. Raises
        the second Unavailable of a round: then the server is unwell, and every further command makes it worse."""
        if isinstance(error, Unavailable) and isinstance(self.waiting, Unavailable):
            raise error
        if isinstance(error, OverQuota | Unavailable):
            self.waiting = error
