"""Housekeeping: end snoozes that are due, mark conversations that are gone, delete what is old."""

from __future__ import annotations

from app.db import transaction
from app.inbox.admin import attempt, invitation
from app.inbox.arriving import slow_mail
from app.inbox.arriving.thread import mark_gone
from app.inbox.conversations.snooze import wake_due
from app.inbox.people import known_browser, session, throttle
from app.inbox.replies import upload
from app.inbox.server import download
from app.sync.pull.reset import expire_unmatched


def wake_snoozed() -> None:
    with transaction() as db_session:
        wake_due(db_session)


def mark_gone_conversations() -> None:
    """Conversations without a copy, copies not found again, attempts that nobody continued."""
    more = True
    while more:
        with transaction() as db_session:
            more = bool(mark_gone(db_session))
    expire_unmatched()
    with transaction() as db_session:
        attempt.forget_old(db_session)


def clean_up() -> None:
    with transaction() as db_session:
        session.forget_ended(db_session)
        known_browser.forget_old(db_session)
        throttle.forget_old(db_session)
        slow_mail.forget_old(db_session)
        invitation.forget_old(db_session)
        download.trim(db_session)
        upload.forget_loose(db_session)
