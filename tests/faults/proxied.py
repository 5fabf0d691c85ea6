"""The commands that reach a server behind a proxy on a day, and what people are told."""

from __future__ import annotations

from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from tests.faults.day import Days
from tests.proxy import Proxy
from tests.sync.stage import Stage


def commands_of_a_day(days: Days, proxy: Proxy) -> list[str]:
    """The commands of a round after everything that happens on a day."""
    days.morning()
    days.noon()
    proxy.arm(None)
    assert days.stage.service().once(30) is None
    return list(proxy.heard)


def told(stage: Stage) -> tuple[str | None, str]:
    """(code, sentence) of the mailbox's health."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        return mailbox.error_code, mailbox.error_text or ""
