"""Outcome: records the result of a mailbox's rounds for health, and decides whether it may be tried again."""

from __future__ import annotations

import datetime as dt
import logging

from app.clock import now
from app.db import transaction
from app.inbox.mailboxes.failure import count_failure
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import health, served
from app.mail.errors import MailError
from app.queue import back_off
from app.sync.account import code_of

log = logging.getLogger(__name__)

#: No pause is longer. A later time was written by a wrong clock and is ignored.
_FARTHEST_TRY = dt.timedelta(minutes=30)
_SIGN_IN_TRIES = 3


def may_try(mailbox_id: int) -> bool:
    with transaction() as session:
        mailbox = session.get(Mailbox, mailbox_id)
        if mailbox is None or mailbox.paused_at is not None:
            return False
        waits = mailbox.next_try_at is not None and now() < mailbox.next_try_at < now() + _FARTHEST_TRY
    return not waits and not is_locked_out(mailbox_id)


def is_locked_out(mailbox_id: int) -> bool:
    """The sign-in was refused several times in a row, and one more try might lock the account. An administrator has to
    act."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        return mailbox.error_code == "login_refused" and mailbox.failures >= _SIGN_IN_TRIES


def is_paused(mailbox_id: int) -> bool:
    with transaction() as session:
        return session.get_one(Mailbox, mailbox_id).paused_at is not None


def is_served(mailbox_id: int) -> bool:
    """Whether a worker wrote a heartbeat for it within the last minute."""
    with transaction() as session:
        return served(session.get_one(Mailbox, mailbox_id))


def left_to_push(mailbox_id: int) -> str | None:
    """What could not be written to the server, in one line, or None."""
    with transaction() as session:
        left = health(session, session.get_one(Mailbox, mailbox_id)).waiting_push
    return f"{left} conversations could not be written to the server" if left else None


def note_round(mailbox_id: int, began: dt.datetime, refusal: MailError | None) -> None:
    """Record a successful round. `refusal`: what the server could not do in it; it is retried, and health shows why."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        mailbox.last_round_at = began
        mailbox.failures, mailbox.next_try_at, mailbox.failing_since = 0, None, None
        mailbox.error_code = code_of(refusal) if refusal else None
        mailbox.error_text = line_of(refusal) if refusal else None
        mailbox.tell_health()


def note_failure(mailbox_id: int, error: Exception) -> None:
    """Record a failed round for health. The mailbox is tried again after a growing pause."""
    code = code_of(error)
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        mailbox.failures = mailbox.failures + 1 if mailbox.error_code == code else 1
        mailbox.failing_since = mailbox.failing_since or now()
        pause = back_off(mailbox.failures)
        mailbox.next_try_at = now() + pause
        mailbox.error_code, mailbox.error_text = code, line_of(error)
        mailbox.tell_health()
    with transaction() as session:  # on a full disk a row may be changed, but none added
        count_failure(session, mailbox_id, code)
    log.warning("mailbox %s: %s Next try in about %d s.", mailbox_id, line_of(error), pause.total_seconds())


def line_of(error: BaseException) -> str:
    """The first line of its message, or its name."""
    message = str(getattr(error, "orig", error)).strip()
    return next(iter(message.splitlines()), type(error).__name__)
