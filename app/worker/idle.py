"""Mail listeners: separate connections that notice when something happens on the server. They give hints, never data.

IDLE (RFC 2177) covers the inbox, NOTIFY (RFC 5465), if the server has it, the other watched folders. Dovecot did not
report flags of a folder that was not open, so NOTIFY only supplements the timetable, which looks at every folder
anyway. A fault here delays mail and never loses any.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from app.mail.errors import MailError
from app.mail.imap import ImapSession
from app.worker.holder import LockLost
from app.worker.wakeup import Wakeup

log = logging.getLogger(__name__)

#: Renewed far more often than the nine minutes after which servers and firewalls drop an idle connection, so that a
#: stopping thread notices soon.
_LISTEN_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0


class MailListener(threading.Thread, ABC):
    """Sets `pull` at every hint, until `stop`."""

    def __init__(self, name: str, open_session: Callable[[], ImapSession], folders: list[str], wakeup: Wakeup) -> None:
        super().__init__(name=name, daemon=True)
        self._open = open_session
        self._folders = folders
        self._wakeup = wakeup
        self._stopping = threading.Event()
        self._pause = _FIRST_PAUSE

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._open() as imap:
                    self._listen(imap)
            except LockLost:
                return
            except MailError as error:
                log.info("%s: the listener's connection ended: %s", self.name, error)
            except Exception:
                log.exception("%s: the listener failed", self.name)
            self._stopping.wait(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _listen(self, imap: ImapSession) -> None:
        heard = self._begin(imap)
        self._wakeup.set("pull")  # events while nobody listened
        while not self._stopping.is_set():
            if heard(_LISTEN_SECONDS):
                self._wakeup.set("pull")
            self._pause = _FIRST_PAUSE

    @abstractmethod
    def _begin(self, imap: ImapSession) -> Callable[[float], bool]:
        """Open the folders to listen to. Returns a function that listens for a number of seconds."""


class InboxListener(MailListener):
    """IDLE on the first of the folders."""

    def _begin(self, imap: ImapSession) -> Callable[[float], bool]:
        imap.select(self._folders[0], read_only=True)
        return imap.idle


class FoldersListener(MailListener):
    """NOTIFY for all of the folders."""

    def _begin(self, imap: ImapSession) -> Callable[[float], bool]:
        imap.notify(self._folders)
        return imap.notified


def mail_listeners(
    name: str, server: ImapSession, open_session: Callable[[], ImapSession], folders: list[str], wakeup: Wakeup
) -> list[MailListener]:
    """The listeners that `server` supports, for these folders, the inbox first; not started yet."""
    listeners: list[MailListener] = []
    if server.has_idle and folders:
        listeners.append(InboxListener(f"{name}-inbox", open_session, folders, wakeup))
    others = folders[1:] if listeners else folders
    if server.has_notify and others:
        listeners.append(FoldersListener(f"{name}-folders", open_session, others, wakeup))
    return listeners
