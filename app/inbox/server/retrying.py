"""Retrying: tries rejected keywords, and those without room, again."""

from __future__ import annotations

from app.announcements import PushWanted
from app.db import announce, session_of
from app.inbox.actor import Actor
from app.inbox.arriving.deferral import read_now
from app.inbox.conversations import bulk
from app.inbox.errors import N_, Invalid
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.mailbox import KEYWORD_LIMITS, Mailbox
from app.inbox.permission import require_admin


def resume(mailbox: Mailbox, *, by: Actor) -> None:
    """End a pause. Also clear the failures, so that the worker tries at once, and try rejected keywords again."""
    require_admin(by)
    bulk.try_refused_again(session_of(mailbox), mailbox.id)  # conversations are locked before the mailbox
    if mailbox.paused_at is not None:
        mailbox.paused_at = None
        mailbox.record(EventKind.MAILBOX_RESUMED, by)
    mailbox.failures, mailbox.next_try_at, mailbox.failing_since = 0, None, None
    mailbox.error_code = mailbox.error_text = None
    read_now(mailbox)


def limit_keywords(mailbox: Mailbox, limit: int | None, *, by: Actor) -> None:
    """Set how many keywords its folders hold, if an administrator knows the server's limit.

    Keywords that did not fit are written if they fit now. Keywords on the server stay. Raises Invalid."""
    require_admin(by)
    if limit not in KEYWORD_LIMITS:
        raise Invalid("keyword_limit", N_("“%(value)s” is not one of the choices."), value=limit)
    if limit != mailbox.keyword_limit:
        mailbox.keyword_limit = limit
        mailbox.record(EventKind.MAILBOX_CHANGED, by, changed=["keyword_limit"], keyword_limit=limit)
        push_what_lacked_room(mailbox)


def push_what_lacked_room(mailbox: Mailbox) -> None:
    """Write keywords that had no room in a folder before."""
    bulk.push_what_lacked_room(session_of(mailbox), mailbox.id)
    announce(session_of(mailbox), PushWanted(mailbox.id))
