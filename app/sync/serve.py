"""Serve: one thread keeps one mailbox the same, as long as this worker holds it.

Holding it, it has one connection for rounds and one as doorbell. It waits for the bell and does what it was rung for:
`pull` is a full round, `push` only what is on its way out. Any abort, timeout or protocol error drops the connection;
after a pause that grows it starts again. A refused sign-in stops after three tries, before the server locks us out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import random
import threading
import time
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import DBAPIError

from app import db
from app.clock import now
from app.db import transaction
from app.inbox.mailbox import Mailbox
from app.mail.child import MailParser
from app.mail.errors import Broken, FolderGone, LoginRefused, MailError, Refused, Unreachable, Untrusted
from app.mail.imap import ImapSession
from app.secrets import SecretError
from app.sync import importing
from app.sync.bell import Bell
from app.sync.connect import server_of
from app.sync.doorbell import Doorbell
from app.sync.downloads import fetch_downloads
from app.sync.holder import Holder, LockLost
from app.sync.link import Link
from app.sync.pull import pull, watched
from app.sync.push import push
from config import Config

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 15 * 60.0
_LOGIN_TRIES = 3
_ASK_AGAIN = 3.0  # how often a worker that does not hold a mailbox asks for it
#: Without NOTIFY nobody tells of folders other than the inbox: they are looked at this often.
_OTHER_FOLDERS = 30.0
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (Untrusted, "untrusted"),
    (Unreachable, "unreachable"),
    (LoginRefused, "login_refused"),
    (FolderGone, "folder_gone"),
    (Refused, "refused"),
    (Broken, "broken"),
    (SecretError, "secret"),
)


class Service(threading.Thread):
    """Serves one mailbox until `stop`; with other workers around it waits for its turn."""

    def __init__(self, mailbox_id: int, config: Config, parser: MailParser) -> None:
        super().__init__(name=f"mailbox-{mailbox_id}", daemon=True)
        self.mailbox_id = mailbox_id
        self.bell = Bell()
        self.holder = Holder(db.engine(), mailbox_id)
        self._config = config
        self._parser = parser
        self._stopping = threading.Event()
        self._doorbell: Doorbell | None = None

    def stop(self) -> None:
        self._stopping.set()
        self.bell.ring("pull")

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._may_try() or not self.holder.take():
                    self._stopping.wait(_ASK_AGAIN)
                    continue
                self._stay()
            except LockLost:
                log.warning("mailbox %s: another worker may serve it now; this one waits", self.mailbox_id)
            except (MailError, SecretError) as error:
                self._failed(error)
            except (DBAPIError, psycopg.Error) as error:
                log.warning("mailbox %s: the database does not answer: %s", self.mailbox_id, _line(error))
                self._stopping.wait(2)
            except Exception as error:
                log.exception("mailbox %s: a round failed", self.mailbox_id)
                with contextlib.suppress(DBAPIError):
                    self._failed(error)
        self.holder.release()

    def once(self, patience: float) -> str | None:
        """One full round, import and push included. Returns what went wrong, in one line, or None."""
        ends = time.monotonic() + patience
        while not self.holder.take():
            if time.monotonic() > ends:
                return "another worker serves it"
            time.sleep(0.2)
        try:
            with self._link() as link:
                link.between = lambda: self._serve_bell(link)
                self._round(link)
        except (MailError, SecretError) as error:
            self._failed(error)
            return str(error)
        except LockLost:
            return "another worker took it over"
        finally:
            self.holder.release()
        return None

    # staying with it ----------------------------------------------------------------------------------------------

    def _stay(self) -> None:
        """Rounds on one connection, until something ends it."""
        with self._link() as link:
            link.between = lambda: self._serve_bell(link)
            self._start_doorbell(link)
            try:
                reasons = frozenset({"pull"})
                while not self._stopping.is_set() and not self._paused():
                    if "pull" in reasons or not reasons:
                        self._round(link)
                    else:
                        push(link)
                        fetch_downloads(link)
                    reasons = self.bell.wait(self._patience())
            finally:
                self._stop_doorbell()
        if self._paused():
            self.holder.release()

    @contextlib.contextmanager
    def _link(self) -> Iterator[Link]:
        with transaction() as session:
            mailbox = session.get_one(Mailbox, self.mailbox_id)
            server, address = server_of(mailbox, self._config.seal_key), mailbox.address

        def open_session() -> ImapSession:
            return ImapSession.open(server, guard=self.holder.check)

        with open_session() as imap:
            yield Link(self.mailbox_id, address, imap, self._parser, open_session, lambda: True, self.holder.check)

    def _round(self, link: Link) -> None:
        """Pull, then push. What was seen in it happened after the last good one began."""
        began = now()
        pull(link)
        push(link)
        fetch_downloads(link)
        if not importing.go_on(link):
            self.bell.ring("pull")  # interrupted by something due; go on after it
        else:
            push(link)
        self._went_well(began)

    def _serve_bell(self, link: Link) -> bool:
        """Between two batches of an import: what a page asks for comes first; a due pull ends this stretch."""
        if self.bell.rung("push"):
            push(link)
            fetch_downloads(link)
        return not self._stopping.is_set() and not self.bell.rung("pull")

    def _patience(self) -> float:
        seconds = float(self._config.sync_seconds)
        hears_all = self._doorbell is not None and self._doorbell.hears_all_folders
        return seconds if hears_all else min(seconds, _OTHER_FOLDERS)

    def _start_doorbell(self, link: Link) -> None:
        folders = [folder.name for folder in watched(link) if folder.lost_at is None]
        if folders:
            self._doorbell = Doorbell(f"doorbell-{self.mailbox_id}", link.reopen, folders, self.bell)
            self._doorbell.start()

    def _stop_doorbell(self) -> None:
        if self._doorbell is not None:
            self._doorbell.stop()
            self._doorbell = None

    # how it goes --------------------------------------------------------------------------------------------------

    def _may_try(self) -> bool:
        with transaction() as session:
            mailbox = session.get(Mailbox, self.mailbox_id)
            if mailbox is None or mailbox.paused_at is not None:
                return False
            if mailbox.error_code == "login_refused" and mailbox.failures >= _LOGIN_TRIES:
                return False  # until an administrator has looked: `mailbox resume` or new settings
            return mailbox.next_try_at is None or mailbox.next_try_at <= now()

    def _paused(self) -> bool:
        with transaction() as session:
            return session.get_one(Mailbox, self.mailbox_id).paused_at is not None

    def _went_well(self, began: dt.datetime) -> None:
        with transaction() as session:
            mailbox = session.get_one(Mailbox, self.mailbox_id)
            mailbox.last_round_at = began
            mailbox.failures, mailbox.next_try_at, mailbox.failing_since = 0, None, None
            mailbox.error_code = mailbox.error_text = None
            mailbox.tell_health()

    def _failed(self, error: Exception) -> None:
        """Say so on the health page, and try again later: 5 s, 10 s, … 15 min, with some chance in it, so that many
        workers do not knock at once."""
        code = next((code for kind, code in _CODES if isinstance(error, kind)), "internal")
        with transaction() as session:
            mailbox = session.get_one(Mailbox, self.mailbox_id)
            mailbox.failures += 1
            mailbox.failing_since = mailbox.failing_since or now()
            pause = min(_FIRST_PAUSE * 2 ** (min(mailbox.failures, 20) - 1), _LONGEST_PAUSE)
            mailbox.next_try_at = now() + dt.timedelta(seconds=pause * random.uniform(0.8, 1.2))
            mailbox.error_code, mailbox.error_text = code, _line(error)
            mailbox.tell_health()
        log.warning("mailbox %s: %s Next try in about %d s.", self.mailbox_id, _line(error), pause)


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
