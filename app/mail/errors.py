"""What can go wrong with a mail server, named for what the caller does next.

    Unreachable    wait and try again on a new connection (back-off); the connection is closed
      Untrusted    the same, and tell the admins: the certificate is not to be trusted
    LoginRefused   stop after a few tries and tell the admins
    FolderGone     the folder is no longer there: forget its bookmark, list the folders again
    Refused        the server said no to this one command; the connection lives on
      OverQuota    the same, for want of space: try again, and tell the admins
    Broken         the server said something we do not understand: drop the connection, try again later

`str(error)` is a sentence for people. The server's own words are in `said`, kept apart because they are a
stranger's text: they may go to the log and the health page, never into the history.
"""

from __future__ import annotations

from typing import ClassVar


class MailError(Exception):
    """Anything a mail server can do to us."""

    def __init__(self, sentence: str, *, said: str = "") -> None:
        super().__init__(sentence)
        self.said = said


class Unreachable(MailError):
    """The server cannot be reached, or the connection broke: try again later on a new one."""


class Untrusted(Unreachable):
    """The server's certificate does not prove who it is; nothing was sent to it."""


class LoginRefused(MailError):
    """The server does not accept the user name or the password."""


class FolderGone(MailError):
    """The folder does not exist (any more)."""

    def __init__(self, folder: str, *, said: str = "") -> None:
        super().__init__(f"The folder {folder!r} is not on the mail server.", said=said)
        self.folder = folder


class Refused(MailError):
    """The server answered NO or BAD to one command. `code` is its response code (RFC 5530) or empty."""

    _who: ClassVar[str] = "The mail server"

    def __init__(self, what: str, *, said: str = "", code: str = "") -> None:
        super().__init__(f"{self._who} refused to {what}: {said or 'it gave no reason'}", said=said)
        self.code = code


class OverQuota(Refused):
    """The account has no space for it (OVERQUOTA, RFC 5530 and RFC 9208)."""

    _who = "The mail account is full (quota): its server"


class Broken(MailError):
    """The server broke the protocol; what it sent after that cannot be trusted."""
