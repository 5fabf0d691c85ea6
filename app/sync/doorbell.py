"""Doorbell: a connection of its own that hears when something happens on the server. A hint to look, never data.

NOTIFY (RFC 5465) tells of every watched folder; where it is not offered, IDLE (RFC 2177) tells of the inbox and the
timetable looks at the other folders. Whatever goes wrong here only makes news later, never lost.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.mail.errors import MailError, Refused
from app.mail.imap import ImapSession
from app.sync.bell import Bell
from app.sync.holder import LockLost

log = logging.getLogger(__name__)

#: Renewed far more often than the nine minutes after which servers and firewalls forget an idle connection, so that a
#: thread that is to stop finds out soon.
_LISTEN_SECONDS = 15.0
_LONGEST_PAUSE = 300.0


class Doorbell(threading.Thread):
    """Rings `bell` with `pull` at every hint, until `stop`."""

    def __init__(self, name: str, open_session: Callable[[], ImapSession], folders: list[str], bell: Bell) -> None:
        super().__init__(name=name, daemon=True)
        self._open = open_session
        self._folders = folders  # the inbox first
        self._bell = bell
        self._stopping = threading.Event()
        self._pause = 5.0
        self.hears_all_folders = False

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._open() as imap:
                    self._bell.ring("pull")  # what happened while nobody listened
                    self._listen(imap)
            except LockLost:
                return
            except MailError as error:
                log.info("%s: the doorbell's connection ended: %s", self.name, error)
            except Exception:
                log.exception("%s: the doorbell failed", self.name)
            finally:
                self.hears_all_folders = False
            self._stopping.wait(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _listen(self, imap: ImapSession) -> None:
        imap.select(self._folders[0], read_only=True)
        self.hears_all_folders = self._notified(imap)
        if not self.hears_all_folders and not imap.has_idle:
            self._stopping.wait()
            return
        heard = imap.notified if self.hears_all_folders else imap.idle
        while not self._stopping.is_set():
            if heard(_LISTEN_SECONDS):
                self._bell.ring("pull")
            self._pause = 5.0

    def _notified(self, imap: ImapSession) -> bool:
        if not imap.has_notify:
            return False
        try:
            imap.unselect()
            imap.notify(self._folders)
        except Refused:
            imap.select(self._folders[0], read_only=True)
            return False
        return True
