"""Link: the objects that a round over one mailbox needs. One mailbox, one worker, one connection, one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.mail.child import MailParser
from app.mail.errors import MailError, OverQuota, Unavailable
from app.mail.imap import ImapSession
from app.sync.pace import Pace, Progress


@dataclass
class Link:
    """Connection and state of one round.

    `reopen` opens a second, fresh connection, to confirm what the first one showed. `between` is called between two
    batches of a long import. It does urgent work and returns whether the import may continue. `serve` carries out
    members' changes and returns whether nothing else is due. It may open another folder. `check` raises LockLost if
    another worker may serve the mailbox. Every transaction that records the server's state calls it, because a worker
    that was suspended has outdated state. `waiting`: why something was postponed although the round continues. The next
    round tries it again."""

    mailbox_id: int
    imap: ImapSession
    parser: MailParser
    reopen: Callable[[], ImapSession]
    between: Callable[[], bool]
    check: Callable[[], None] = lambda: None
    serve: Callable[[], bool] = lambda: True
    listed_at: float | None = None  # when its folders were last listed, by the monotonic clock
    pace: Pace = field(default_factory=Pace)
    progress: Progress = field(default_factory=Progress)
    waiting: OverQuota | Unavailable | None = None
    passed_over: int = 0  # rounds in a row that left mail to be read again

    def note_refusal(self, error: MailError) -> None:
        """Postpone something to the next round: the account is full, or the server cannot do one thing now. Raises the
        second Unavailable of a round. The server is then overloaded, and further commands would make it worse."""
        if isinstance(error, Unavailable) and isinstance(self.waiting, Unavailable):
            raise error
        if isinstance(error, OverQuota | Unavailable):
            self.waiting = error
