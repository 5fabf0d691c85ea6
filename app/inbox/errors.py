"""What the domain refuses, and why. `code` is what programs read (contract); the text is for people.

InboxError
├── NotAllowed        the role does not permit it
├── NotFound          it does not exist, or the asker may not know that it does
├── AlreadyClaimed    someone else has the conversation; `.by` says who
├── Changed           it is not what the asker last saw
├── Gone              no copy is left on the mail server
├── UnknownTag        no such tag, and the asker may not make one
├── Invalid           a value that cannot be used; `.field` says which
├── SignInRefused     wrong name or password, or a disabled member
├── TooMany           asked too often; `.retry_after` seconds
└── Busy              too much of it is going on at this moment; `.retry_after` seconds
"""

from __future__ import annotations

from typing import ClassVar


class InboxError(Exception):
    code: ClassVar[str] = "error"


class NotAllowed(InboxError):
    code = "not_allowed"

    def __init__(self, action: str = "") -> None:
        super().__init__("Your role does not allow this. A manager of the mailbox can do it or change your role.")
        self.action = action


class NotFound(InboxError):
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing here, or it is not yours to see.")


class AlreadyClaimed(InboxError):
    code = "already_claimed"

    def __init__(self, by: str, name: str) -> None:
        """`by`: the owner's handle; `name`: the owner's name for people."""
        super().__init__(f"{name} has it.")
        self.by = by
        self.name = name


class Changed(InboxError):
    code = "changed"

    def __init__(self, revision: int) -> None:
        super().__init__("The conversation has changed since you loaded it. Look again, then repeat.")
        self.revision = revision


class Gone(InboxError):
    code = "gone"

    def __init__(self) -> None:
        super().__init__("No copy of this conversation is left on the mail server; it can be read, not worked on.")


class UnknownTag(InboxError):
    code = "unknown_tag"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no tag “{name}”. A manager can make it.")
        self.name = name


class Invalid(InboxError):
    """`reason` is a short name that pages translate; the text is its English sentence."""

    code = "invalid"

    def __init__(self, field: str, reason: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.reason = reason


class NotWatched(Invalid):
    code = "not_watched"

    def __init__(self, folder: str) -> None:
        super().__init__("folder", "not_watched", f"The folder “{folder}” is not watched in this mailbox.")
        self.folder = folder


class SignInRefused(InboxError):
    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("Name or password is wrong. Check both, then try again.")


class TooMany(InboxError):
    code = "too_many"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many tries. Wait {retry_after} seconds, then try again.")
        self.retry_after = retry_after


class Busy(InboxError):
    code = "busy"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Signalbox is busy at the moment. Wait {retry_after} seconds, then try again.")
        self.retry_after = retry_after
