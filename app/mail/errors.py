"""What can go wrong with a mail server, named for what the caller does next.

    Unreachable    wait and try again on a new connection (back-off); the connection is closed
      Untrusted    the same, and tell the admins: the certificate is not to be trusted
      Unavailable  the same; the server itself says that it cannot do it now. The connection still works, so that one
                   may ask whether it can do something else
    LoginRefused   stop after a few tries and tell the admins
    FolderGone     the folder is no longer there: forget its bookmark, list the folders again
    Refused        the server said no to this one command; the connection lives on
      OverQuota    the same, for want of space: try again, and tell the admins
    Broken         the server said something we do not understand: drop the connection, try again later

`str(error)` is a sentence for people. The server's own words are in `said`, kept apart because they are a
stranger's text: they may go to the log and the health page, never into the history.
"""

from __future__ import annotations

import re
from typing import ClassVar

#: The response code of an answer (RFC 5530), in brackets before its text.
_CODE = re.compile(r"\[([A-Z0-9-]+)[^\]]*\]")
_CODES_OF_A_MOMENT = frozenset({"UNAVAILABLE", "SERVERBUG", "INUSE", "LIMIT", "THROTTLED", "TEMPFAIL", "OVERLOADED"})
_LASTING_CODES = frozenset(
    {
        "NOPERM", "CANNOT", "NONEXISTENT", "TRYCREATE", "ALREADYEXISTS", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED",
        "EXPIRED", "PRIVACYREQUIRED", "CONTACTADMIN", "CLIENTBUG", "BADCHARSET", "OVERQUOTA", "READ-ONLY",
    }
)  # fmt: skip
#: What servers say without a code, or with BAD: Exchange ("Request is throttled. Suggested Backoff Time"), Yahoo
#: ("Server error - Please try again later"), Gmail ("Too many simultaneous connections", "bandwidth"), Dovecot.
_WORDS_OF_A_MOMENT = re.compile(
    r"throttl|back-?off|temp[ _-]?fail|temporar(?:y|ily)\b|(?:try|retry) (?:it )?(?:again|later)|over-?load"
    r"|too many (?:\w{1,20} )?(?:connections|commands|requests|sessions|logins)|rate[ -]?limit|bandwidth"
    r"|too busy|(?:server|system|service|backend|store|mailbox|folder) (?:is )?(?:\w{1,20} )?"
    r"(?:busy|locked|in use|unavailable)|not available (?:right now|at th)|timed? ?out\b"
    r"|authenticated but not connected|shutting down|maintenance",
    re.IGNORECASE,
)


#: LIMIT is for rates as for "the number of flags used in a mailbox" (RFC 5530).
_KEYWORDS = re.compile(r"\b(?:flags?|keywords?)\b", re.IGNORECASE)


class MailError(Exception):
    """Anything a mail server can do to us."""

    def __init__(self, sentence: str, *, said: str = "") -> None:
        super().__init__(sentence)
        self.said = said


class Unreachable(MailError):
    """The server cannot be reached, or the connection broke: try again later on a new one."""


class Untrusted(Unreachable):
    """The server's certificate does not prove who it is; nothing was sent to it."""


class Unavailable(Unreachable):
    """The server refused a command only for now: it is overloaded, throttles us, or something in it is locked.
    `code` is its response code (RFC 5530) or empty."""

    def __init__(self, what: str, *, said: str = "", code: str = "") -> None:
        super().__init__(f"The mail server cannot {what} at the moment: {said or 'it gave no reason'}", said=said)
        self.code = code


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


def code_in(said: str) -> str:
    """The response code in the text of an answer, or empty."""
    found = _CODE.search(said)
    return found[1] if found else ""


def refusal(what: str, said: str) -> Refused | Unavailable:
    """The error for a NO or BAD with this text. `what` completes "The mail server refused to …"."""
    code = code_in(said)
    if code == "OVERQUOTA":
        return OverQuota(what, said=said, code=code)
    if is_of_a_moment(said):
        return Unavailable(what, said=said, code=code)
    return Refused(what, said=said, code=code)


def is_of_a_moment(said: str) -> bool:
    """Whether a refusal in these words says nothing about what was asked: the server cannot do it now."""
    code = code_in(said)
    if code == "LIMIT" and _KEYWORDS.search(said[:1000]):  # a folder that permanently accepts no more keywords
        return False
    if code in _CODES_OF_A_MOMENT or code in _LASTING_CODES:
        return code in _CODES_OF_A_MOMENT
    return _WORDS_OF_A_MOMENT.search(said[:1000]) is not None
