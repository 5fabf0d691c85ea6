"""Outbox: a thread for each mailbox that has replies to send, so that a slow SMTP server delays no other mailbox."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import func, select

from app.clock import now
from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.replies.reply import Reply

log = logging.getLogger(__name__)


#: Sends what is due of one mailbox, while its second argument says so, and returns.
Send = Callable[[int, Callable[[], bool]], None]


class Outbox:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._threads: dict[int, threading.Thread] = {}
        self._stopping = threading.Event()

    def send_due(self) -> None:
        """Begin with every mailbox that has something due and is not at it already."""
        for mailbox_id in _mailboxes_with_due_replies():
            thread = self._threads.get(mailbox_id)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(
                    target=self._send_safely, args=[mailbox_id], name=f"outbox-{mailbox_id}", daemon=True
                )
                self._threads[mailbox_id] = thread
                thread.start()

    def stop(self, seconds: float) -> None:
        """Begin no further reply, and wait for those that are being sent."""
        self._stopping.set()
        ends = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, ends - time.monotonic()))

    def _send_safely(self, mailbox_id: int) -> None:
        try:
            self._send(mailbox_id, lambda: not self._stopping.is_set())
        except Exception:  # what is left is due again when its lease ends
            log.exception("mailbox %s: sending replies failed", mailbox_id)


def send_all(send: Send, seconds: float) -> None:
    """Send what is due, or will be within so many seconds, and return when it is done."""
    soon = now() + dt.timedelta(seconds=seconds)
    waiting = select(func.max(Reply.due_at)).join(Mailbox)
    waiting = waiting.where(Reply.due_at <= soon, Reply.tries == 0, Mailbox.paused_at.is_(None))
    while True:
        for mailbox_id in _mailboxes_with_due_replies():
            send(mailbox_id, lambda: True)
        with transaction() as session:
            last = session.scalar(waiting)
        if last is None:
            return
        time.sleep(max(0.1, min(seconds, (last - now()).total_seconds())))


def _mailboxes_with_due_replies() -> list[int]:
    due = select(Reply.mailbox_id).join(Mailbox).where(Reply.due_at <= now(), Mailbox.paused_at.is_(None)).distinct()
    with transaction() as session:
        return list(session.scalars(due))
