"""Errors of the domain, with their sentences. `code` is for programs (contract); the sentence is for people.

InboxError
├── NotAllowed        the role does not permit it
├── NotFound          it does not exist, or is hidden from the actor
├── AlreadyClaimed    someone else has the conversation; `.by` is their handle
├── Changed           it differs from what the actor last saw
├── NewerMessages     messages arrived that the author of a reply has not seen; `.message_ids`
├── BeingWritten      another member is writing the draft; `.by` is their handle
├── DraftChanged      the draft differs from what the actor last saw
├── AlreadySent       the reply is on its way and cannot be changed or cancelled
├── Gone              no copy is left on the mail server
├── UnknownTag        no such tag, and the actor may not create one
├── Invalid           a value that cannot be used; `.field` names it
│   ├── CannotOwn         this person cannot own conversations of the mailbox
│   ├── TagTaken          a tag with that name exists
│   └── NotWatched        the folder is not watched
├── SignInRefused     wrong name or password, or a disabled member
├── TooMany           too many tries; `.retry_after` seconds
└── Busy              too many requests of this kind right now; `.retry_after` seconds

Each sentence is written once, in English, where it is raised. `N_` marks it, so that Babel finds it. `str()` gives it
in English, and web/errors.py in the reader's language.
"""

from __future__ import annotations

from typing import ClassVar


def N_(sentence: str) -> str:  # noqa: N802  as gettext calls it
    """Mark a sentence for translation. Values are written as `%(name)s`."""
    return sentence


def ngettext(one: str, many: str) -> tuple[str, str]:
    """The same for a sentence that counts `%(num)d` of something. Babel searches for this name."""
    return one, many


class InboxError(Exception):
    """`sentence`: not translated yet, with placeholders for `values`. A sentence that counts has two forms, and
    `num`."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str | tuple[str, str], **values: object) -> None:
        self.sentence = sentence
        self.values = values
        form = sentence if isinstance(sentence, str) else sentence[values["num"] != 1]
        super().__init__(form % values if values else form)


class NotAllowed(InboxError):
    code = "not_allowed"

    def __init__(self, action: str = "") -> None:
        super().__init__(
            N_(
                "Your role does not allow this. Ask a manager of the mailbox to do it, or an administrator to change "
                "your role."
            )
        )
        self.action = action


class NotFound(InboxError):
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(N_("Not found, or you don’t have access."))


class AlreadyClaimed(InboxError):
    code = "already_claimed"

    def __init__(self, by: str, name: str) -> None:
        """`by`: the owner's handle; `name`: the owner's name for people."""
        super().__init__(N_("%(name)s has it."), name=name)
        self.by = by
        self.name = name


class Changed(InboxError):
    code = "changed"

    def __init__(self, revision: int) -> None:
        super().__init__(N_("This conversation has changed since you loaded it. Review it and try again."))
        self.revision = revision


class NewerMessages(InboxError):
    code = "newer_messages"

    def __init__(self, message_ids: list[int]) -> None:
        super().__init__(N_("New messages arrived while you were writing. Read them, then send or change your reply."))
        self.message_ids = message_ids


class BeingWritten(InboxError):
    code = "being_written"

    def __init__(self, by: str, name: str) -> None:
        """`by`: the writer's handle; `name`: the writer's name for people."""
        super().__init__(N_("%(name)s is writing this reply. Wait, or take it over."), name=name)
        self.by = by


class DraftChanged(InboxError):
    code = "changed"

    def __init__(self, revision: int) -> None:
        super().__init__(N_("This draft has changed since you loaded it. Your text is kept. Compare the two."))
        self.revision = revision


class AlreadySent(InboxError):
    code = "already_sent"

    def __init__(self) -> None:
        super().__init__(
            N_("This reply is already on its way. It can no longer be changed or cancelled. Write another one.")
        )


class Gone(InboxError):
    code = "gone"

    def __init__(self) -> None:
        super().__init__(
            N_("No copy of this conversation is left on the mail server. You can read it but not change it.")
        )


class UnknownTag(InboxError):
    code = "unknown_tag"

    def __init__(self, name: str) -> None:
        super().__init__(N_("There is no tag “%(name)s”. A manager can create it."), name=name)
        self.name = name


class Invalid(InboxError):
    """A value that cannot be used. `field`: its name in forms and calls."""

    code = "invalid"

    def __init__(self, field: str, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)
        self.field = field


class CannotOwn(Invalid):
    """A member without a role on the mailbox and an unknown member get the same sentence, so that other mailboxes stay
    unknown."""

    def __init__(self, handle: str, field: str = "assignee") -> None:
        super().__init__(
            field,
            N_("“%(handle)s” cannot own conversations in this mailbox. Choose an agent or manager of the mailbox."),
            handle=handle[:50],
        )


class TagTaken(Invalid):
    def __init__(self, name: str) -> None:
        super().__init__("tag", N_("A tag “%(name)s” already exists."), name=name)


class NotWatched(Invalid):
    code = "not_watched"

    def __init__(self, folder: str) -> None:
        super().__init__(
            "folder",
            N_("The folder “%(folder)s” is not watched in this mailbox. Choose a watched folder."),
            folder=folder,
        )
        self.folder = folder


class SignInRefused(InboxError):
    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__(N_("Name or password is wrong. Check both, then try again."))


class TooMany(InboxError):
    code = "too_many"

    def __init__(self, retry_after: int) -> None:
        if retry_after < 100:
            super().__init__(
                ngettext(
                    "Too many tries. Wait %(num)d second, then try again.",
                    "Too many tries. Wait %(num)d seconds, then try again.",
                ),
                num=retry_after,
            )
        else:
            super().__init__(
                ngettext(
                    "Too many tries. Wait %(num)d minute, then try again.",
                    "Too many tries. Wait %(num)d minutes, then try again.",
                ),
                num=-(-retry_after // 60),
            )
        self.retry_after = retry_after


class Busy(InboxError):
    code = "busy"

    def __init__(self, retry_after: int) -> None:
        super().__init__(N_("Signalbox is busy. Wait a few seconds, then try again."))
        self.retry_after = retry_after
