"""Errors of mail servers, named for what the caller does next.

    Unreachable    the connection is closed: wait, then try again on a new one (back-off)
      Untrusted    the same, and inform administrators: the certificate cannot be trusted
      Unavailable  the same; the server says that it cannot do it now. The connection still works, so the caller may
                   ask whether the server can do something else
    LoginRefused   stop after a few tries and inform administrators
    FolderGone     the folder no longer exists: forget its bookmark, list the folders again
    Refused        the server rejected this one command; the connection still works
      OverQuota    the same, for lack of space: try again, and inform administrators
    Broken         the server sent something we do not understand: close the connection, try again later

`str(error)` is a sentence for people. The server's own text is in `answer`. It is a stranger's text, so they may go
to the log and the health page, but never into the history.
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
#: Temporary refusals without a code, or with BAD: Exchange ("Request is throttled. Suggested Backoff Time"), Yahoo
#: ("Server error - Please try again later"), Gmail ("Too many simultaneous connections", "bandwidth"), Dovecot.
_WORDS_OF_A_MOMENT = re.compile(
    r"throttl|back-?off|temp[ _-]?fail|temporar(?:y|ily)\b|(?:try|retry) (?:it )?(?:again|later)|over-?load"
    r"|too many (?:\w{1,20} )?(?:connections|commands|requests|sessions|logins)|rate[ -]?limit|bandwidth"
    r"|too busy|(?:server|system|service|backend|store|mailbox|folder) (?:is )?(?:\w{1,20} )?"
    r"(?:busy|locked|in use|unavailable)|not available (?:right now|at th)|timed? ?out\b"
    r"|authenticated but not connected|shutting down|maintenance",
    re.IGNORECASE,
)


#: LIMIT is used for rates and for "the number of flags used in a mailbox" (RFC 5530).
_KEYWORDS = re.compile(r"\b(?:flags?|keywords?)\b", re.IGNORECASE)


class MailError(Exception):
    """Base class of all failures of a mail server."""

    def __init__(self, sentence: str, *, answer: str = "") -> None:
        super().__init__(sentence)
        self.answer = answer


class Unreachable(MailError):
    """The server cannot be reached, or the connection broke. Try again later on a new connection."""


class Untrusted(Unreachable):
    """The server's certificate does not prove its identity. Nothing was sent to it."""


class Unavailable(Unreachable):
    """The server cannot run a command now: it is overloaded, throttles us, or something is locked. `code` is its
    response code (RFC 5530) or empty."""

    def __init__(self, what: str, *, answer: str = "", code: str = "") -> None:
        super().__init__(f"The mail server cannot {what} at the moment: {answer or 'it gave no reason'}", answer=answer)
        self.code = code


class LoginRefused(MailError):
    """The server does not accept the user name or the password."""


class FolderGone(MailError):
    """The folder does not exist, or no longer exists."""

    def __init__(self, folder: str, *, answer: str = "") -> None:
        super().__init__(f"The folder {folder!r} does not exist on the mail server.", answer=answer)
        self.folder = folder


class Refused(MailError):
    """The server answered NO or BAD to one command. `code` is its response code (RFC 5530) or empty."""

    _who: ClassVar[str] = "The mail server"

    def __init__(self, what: str, *, answer: str = "", code: str = "") -> None:
        super().__init__(f"{self._who} refused to {what}: {answer or 'it gave no reason'}", answer=answer)
        self.code = code


class OverQuota(Refused):
    """The account has no space for it (OVERQUOTA, RFC 5530 and RFC 9208)."""

    _who = "The mail account is full (quota). Its server"


class Broken(MailError):
    """The server broke the protocol. Data it sends after that cannot be trusted."""


def code_in(answer: str) -> str:
    """The response code in the text of an answer, or empty."""
    match = _CODE.search(answer)
    return match[1] if match else ""


def refusal(what: str, answer: str) -> Refused | Unavailable:
    """The error for a NO or BAD with this text. `what` completes "The mail server refused to …"."""
    code = code_in(answer)
    if code == "OVERQUOTA":
        return OverQuota(what, answer=answer, code=code)
    if is_of_a_moment(answer):
        return Unavailable(what, answer=answer, code=code)
    return Refused(what, answer=answer, code=code)


def is_of_a_moment(answer: str) -> bool:
    """Whether the refusal is temporary: the server cannot do it now, whatever the command."""
    code = code_in(answer)
    if code == "LIMIT" and _KEYWORDS.search(answer[:1000]):  # a folder that permanently accepts no more keywords
        return False
    if code in _CODES_OF_A_MOMENT or code in _LASTING_CODES:
        return code in _CODES_OF_A_MOMENT
    return _WORDS_OF_A_MOMENT.search(answer[:1000]) is not None
