"""Service: the thread that keeps one mailbox in sync while this worker holds it.

It has one connection for rounds and up to two for listening. It waits for its wakeup: `pull` starts a full round,
`push` only writes pending changes. Any abort, timeout or protocol error closes the connection. After a growing pause
the service starts again. It stops after three refused sign-ins, before the server locks us out.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import psycopg
from psycopg.errors import DiskFull, QueryCanceled
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import db
from app.clock import now
from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.mail.errors import MailError
from app.mail.imap import ImapSession
from app.secrets import SecretError
from app.sync.account import server_of
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.pull import pull, watched
from app.sync.pull.renewing import note_version, renew_stored
from app.sync.pull.rereading import read_again, read_all_again
from app.sync.pull.returning import try_to_return
from app.sync.push.downloads import fetch_downloads
from app.sync.push.filing import file_sent
from app.sync.push.push import push
from app.worker.holder import Holder, LockLost
from app.worker.idle import MailListener, mail_listeners
from app.worker.outcome import (
    is_locked_out,
    is_paused,
    is_served,
    left_to_push,
    line_of,
    may_try,
    note_failure,
    note_round,
)
from app.worker.wakeup import Wakeup
from config import Config

log = logging.getLogger(__name__)

#: In this many rounds in a row new mail may go before deferred mail; then deferred mail gets a turn.
_PASSED_OVER = 3
#: The answer of `once` if another worker has the mailbox.
SERVED_ELSEWHERE = "another worker serves it: leave it to that worker, or stop that worker first"
#: A worker that was killed loses its lock within this time. After it, a lock with a heartbeat belongs to a live worker.
_LOCK_SETTLES = 3.0
_ASK_AGAIN = 3.0  # seconds between tries to get a mailbox that another worker holds
#: Not every server announces changes in folders other than the inbox, so we look at them this often.
_LOOK_AGAIN = 30.0
#: The mailbox is not at fault then; the thread waits for Postgres.
_DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError)


class Service(threading.Thread):
    """Serves one mailbox until `stop`; with several workers it waits for its turn."""

    def __init__(self, mailbox_id: int, config: Config, parser: MailParser) -> None:
        super().__init__(name=f"mailbox-{mailbox_id}", daemon=True)
        self.mailbox_id = mailbox_id
        self.wakeup = Wakeup()
        self.holder = Holder(db.engine(), mailbox_id)
        self._config = config
        self._parser = parser
        self._stopping = threading.Event()
        self._listeners: list[MailListener] = []
        self._listened_to: list[str] = []

    def stop(self) -> None:
        self._stopping.set()
        self.wakeup.set("pull")

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        finally:
            self.holder.release()

    def _turn(self) -> None:
        """Serve the mailbox if we hold it. No error ends the thread."""
        try:
            if not may_try(self.mailbox_id):
                self.holder.release()
                self._stopping.wait(_ASK_AGAIN)
            elif not self.holder.take():
                self._stopping.wait(_ASK_AGAIN)
            else:
                self._stay_and_tell()
        except LockLost:
            self.holder.release()
            log.warning("mailbox %s: another worker may serve it now; this one waits", self.mailbox_id)
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("mailbox %s: the database does not answer: %s", self.mailbox_id, line_of(error))
            self._stopping.wait(2)

    def _stay_and_tell(self) -> None:
        """Health shows errors of the mail server. Raises errors of the database."""
        try:
            self._stay()
        except LockLost:
            raise
        except _DATABASE_AWAY as error:
            # Postgres answers, but a statement takes too long or its disk is full. Every round would end like this, so
            # health must show it.
            if not isinstance(getattr(error, "orig", error), QueryCanceled | DiskFull):
                raise
            note_failure(self.mailbox_id, error)
        except (MailError, SecretError) as error:
            note_failure(self.mailbox_id, error)
        except Exception as error:
            log.exception("mailbox %s: a round failed", self.mailbox_id)
            note_failure(self.mailbox_id, error)

    def once(self, patience: float, *, writing: bool = True) -> str | None:
        """One full round, import and push included; with `writing` off it only reads. Returns the error in one line, or
        None."""
        if is_locked_out(self.mailbox_id):
            return "the sign-in was refused three times: mend it, then `flask mailbox resume`"
        if not self._take_within(patience):
            return SERVED_ELSEWHERE
        try:
            with self._link() as link:
                if not writing:
                    self._read(link)
                    return None
                self._round(link)
                if not link.imap.has_uidplus and left_to_push(self.mailbox_id):
                    # such a server does not report the new UIDs of moved messages, so we have to look
                    self._round(link)
                self._finish(link)
            return left_to_push(self.mailbox_id)
        except (MailError, SecretError) as error:
            note_failure(self.mailbox_id, error)
            return line_of(error)
        except LockLost:
            return "another worker took it over"
        except Exception as error:
            log.exception("mailbox %s: the round failed", self.mailbox_id)
            return line_of(error)
        finally:
            self.holder.release()

    # rounds on one connection -------------------------------------------------------------------------------------

    def _take_within(self, patience: float) -> bool:
        """Wait for the mailbox, unless a live worker holds it."""
        began = time.monotonic()
        while not self.holder.take():
            waited = time.monotonic() - began
            if waited > patience or (waited > _LOCK_SETTLES and is_served(self.mailbox_id)):
                return False
            time.sleep(0.2)
        return True

    def _stay(self) -> None:
        """Run rounds on one connection, until something ends it."""
        with self._link() as link:
            self._renew_listeners(link)
            try:
                reasons, due = frozenset({"pull"}), 0.0
                while not self._stopping.is_set():
                    if "push" in reasons:
                        self._push(link)  # first, because a member waits, and other work may take a moment
                    if is_paused(self.mailbox_id):
                        break
                    # However often members act, a full round is never delayed beyond its time.
                    if "pull" in reasons or time.monotonic() >= due:
                        self._round(link)
                        self._renew_listeners(link)
                        due = time.monotonic() + min(self._config.sync_seconds, _LOOK_AGAIN)
                    else:
                        fetch_downloads(link)
                    reasons = self.wakeup.wait(max(0.0, due - time.monotonic()))
            finally:
                self._stop_listeners()

    @contextlib.contextmanager
    def _link(self) -> Iterator[Link]:
        with transaction() as session:
            server = server_of(session.get_one(Mailbox, self.mailbox_id), self._config.seal_key)

        def open_session() -> ImapSession:
            return ImapSession.open(server, guard=self.holder.check)

        with open_session() as imap:
            log.info("mailbox %s: connected to %s:%s", self.mailbox_id, server.host, server.port)
            link = Link(self.mailbox_id, imap, self._parser, open_session, lambda: True, self.holder.check)
            link.serve, link.between = lambda: self._serve_members(link), lambda: self._import_may_go_on(link)
            yield link

    def _read(self, link: Link) -> None:
        began = now()
        note_version(link)
        self._pull(link)
        importing.go_on(link)
        read_all_again(link)
        note_round(self.mailbox_id, began, link.waiting)

    def _round(self, link: Link) -> None:
        """Pull, then push. Changes seen in it happened after the last successful round began."""
        began, link.waiting = now(), None
        note_version(link)
        self._pull(link)
        self._push(link)
        fetch_downloads(link)
        if not importing.go_on(link):
            self.wakeup.set("pull")  # interrupted by urgent work; continue after it
        else:
            self._push(link)
        left = read_again(link, at_least=int(link.passed_over == _PASSED_OVER))
        link.passed_over = (link.passed_over + 1) % (_PASSED_OVER + 1) if left else 0
        if left:
            self.wakeup.set("pull")
        else:
            renew_stored(link)
        note_round(self.mailbox_id, began, link.waiting)

    def _finish(self, link: Link) -> None:
        """Do the work after a round."""
        read_all_again(link)
        while "push" in self.wakeup.wait(0):
            self._push(link)

    def _pull(self, link: Link) -> None:
        try_to_return(self.mailbox_id, self._config.seal_key)
        pull(link)

    def _push(self, link: Link) -> None:
        """Remaining comparisons continue after all other work has had its turn."""
        if push(link):
            self.wakeup.set("push")
        if file_sent(link):  # members' changes go first
            self.wakeup.set("pull")

    def _import_may_go_on(self, link: Link) -> bool:
        """Between two batches of an import: requests of pages come first, and a due pull interrupts the import."""
        return self._serve_members(link) and not is_paused(self.mailbox_id)

    def _serve_members(self, link: Link) -> bool:
        """Handle requests of pages, while mail is parsed or between two batches. False if a pull is due."""
        if self.wakeup.clear("push"):
            self._push(link)
            fetch_downloads(link)
        return not self._stopping.is_set() and not self.wakeup.is_set("pull")

    def _renew_listeners(self, link: Link) -> None:
        """For the folders that are watched now: since the last round one may have been renamed or added."""
        folders = [folder.name for folder in watched(link) if folder.lost_at is None]
        if folders == self._listened_to:
            return
        self._stop_listeners()
        self._listened_to = folders
        self._listeners = mail_listeners(f"listener-{self.mailbox_id}", link.imap, link.reopen, folders, self.wakeup)
        for listener in self._listeners:
            listener.start()

    def _stop_listeners(self) -> None:
        for listener in self._listeners:
            listener.stop()
        self._listeners, self._listened_to = [], []
