"""Mode: whether a mailbox stores owner, status and tags as keywords on the server, or only in the database."""

from __future__ import annotations

from app.announcements import PushWanted
from app.db import announce, session_of
from app.inbox.actor import SYSTEM, Actor
from app.inbox.conversations import bulk
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.permission import require_admin


def change_mode(mailbox: Mailbox, to: Mode, *, by: Actor) -> None:
    """To `database`: the keywords on the server stay unchanged.

    Back: once the worker has found that the server keeps keywords, both sides are compared, and a person decides
    differences (app/sync/pull/returning.py)."""
    require_admin(by)
    session = session_of(mailbox)
    session.refresh(mailbox, ["mode", "returning"], with_for_update={"key_share": True})
    before = mailbox.wanted_mode
    if to == before:
        return
    if to is Mode.DATABASE:
        mailbox.mode, mailbox.returning = Mode.DATABASE, False
        bulk.stop_writing_keywords(session, mailbox.id)
    else:
        mailbox.returning = True
    after = {"mailbox": mailbox.name, "mode": to}
    record(session, EventKind.MAILBOX_MODE, by=by, mailbox_id=mailbox.id, before={"mode": before}, after=after)
    announce(session, PushWanted(mailbox.id))
    mailbox.tell_health()


def freeze_some(mailbox: Mailbox, last: int, many: int) -> int | None:
    """Freeze the next `many` conversations after id `last`. Returns the last id; None if there was none.

    Done in batches before the mailbox switches to keywords, so that claims never wait long."""
    return max(bulk.freeze(session_of(mailbox), mailbox.id, after=last, most=many), default=None)


def return_to_keywords(mailbox: Mailbox) -> None:
    """The server keeps keywords, and every mail was compared since the request. Freeze the remaining conversations."""
    mailbox.mode, mailbox.returning = Mode.KEYWORDS, False
    bulk.freeze(session_of(mailbox), mailbox.id)
    mailbox.tell_health()


def stay_in_database(mailbox: Mailbox) -> None:
    """Somebody requested keywords, but the server does not keep them."""
    mailbox.returning = False
    before, after = {"mode": Mode.KEYWORDS}, {"mailbox": mailbox.name, "mode": Mode.DATABASE}
    session = session_of(mailbox)
    record(session, EventKind.MAILBOX_MODE, by=SYSTEM, mailbox_id=mailbox.id, before=before, after=after)
    mailbox.tell_health()
