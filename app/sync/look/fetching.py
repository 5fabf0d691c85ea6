"""Fetches the mails of a step, and finds out which of them the server refuses.

An overloaded server refuses every mail for a while; a damaged mail is refused while its neighbours are delivered. So
after a refusal the mails are fetched one by one. A mail counts as refused only if another one is delivered after it,
from the same step or one that could be read before. If no mail is delivered, the server has a problem: the round ends,
and the bookmark stays. A mail at which the server ends the connection counts as refused, too (see drops.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.mail.errors import Broken, Refused, Unavailable, Unreachable
from app.mail.values import FetchedMail
from app.sync.link import Link
from app.sync.look.drops import Drops

log = logging.getLogger(__name__)

#: After this many refusals in a row, test whether the server delivers any mail at all.
_IN_A_ROW = 3
_NO_TEXT = "it gave no text"


class Fetching:
    """The mails of one open folder. `refused`: UID -> the server's words."""

    def __init__(self, link: Link, folder_id: int, uidvalidity: int) -> None:
        self._link = link
        self._folder = (Copy.folder_id == folder_id, Copy.uidvalidity == uidvalidity)
        self._drops = Drops(link, folder_id, self._known_uid)
        self._came: int | None = None
        self._pending: dict[int, str] = {}
        self.refused: dict[int, str] = {}

    def mails(self, uids: Sequence[int]) -> Iterator[FetchedMail]:
        """The mails of these UIDs that exist and are delivered. Raises Unavailable if the server has a problem."""
        ending = self._drops.found(uids)
        self.refused |= ending
        left = [uid for uid in uids if uid not in ending]
        try:
            yield from self._some(left) if left else ()
        except Unreachable as error:
            if not isinstance(error, Unavailable):
                self._drops.note(left)
            raise

    def careful(self, uids: Sequence[int]) -> Iterator[FetchedMail]:
        """Fetch mails that were refused before on a separate connection, because they may end it."""
        for uid in uids:
            answer = self._drops.ends_at([uid])
            if answer is None:
                yield from self.mails([uid])
            else:
                self.refused[uid] = answer

    def _some(self, uids: Sequence[int]) -> Iterator[FetchedMail]:
        missing = set(uids)
        blank: list[int] = []
        try:
            for mail in self._link.imap.fetch(uids):
                if _is_blank(mail):
                    blank.append(mail.uid)
                    continue
                missing.discard(mail.uid)
                self._came = mail.uid
                yield mail
            missing = set(blank)  # UIDs without any answer no longer exist
        except (Refused, Unavailable, Broken) as error:
            log.warning("mailbox %s: the server refuses a batch of mails: %s", self._link.mailbox_id, error)
        yield from self._alone(sorted(missing))

    def _alone(self, uids: Sequence[int]) -> Iterator[FetchedMail]:
        error: Exception | None = None
        for uid in uids:
            try:
                mails = list(self._link.imap.fetch([uid]))
                answer = _NO_TEXT if any(map(_is_blank, mails)) else None
            except (Refused, Unavailable, Broken) as refusal:
                mails, error, answer = [], refusal, refusal.answer
            if answer is not None:
                self._pending[uid] = answer
                if len(self._pending) >= _IN_A_ROW:
                    self._make_sure(error)
            elif mails:
                self._note_refused()
                self._came = uid
                yield mails[0]
        if self._pending:
            self._make_sure(error)

    def _make_sure(self, error: Exception | None) -> None:
        """Check that the server delivers mail at all. Raises Unavailable unless the server delivers a mail that it
        delivered before."""
        known = self._came or self._known_uid()
        if known is not None:
            try:
                came = any(not _is_blank(mail) for mail in self._link.imap.fetch([known]))
            except (Refused, Unavailable, Broken) as again:
                raise Unavailable("show messages", answer=again.answer) from again
        else:  # nothing to compare with: this one mail may be damaged
            came = len(self._pending) == 1 and not isinstance(error, Unavailable)
        if not came:
            raise Unavailable("show messages", answer=next(iter(self._pending.values()))) from error
        self._note_refused()

    def _note_refused(self) -> None:
        for uid, answer in self._pending.items():
            log.warning("mailbox %s: the server does not give UID %s: %s", self._link.mailbox_id, uid, answer)
        self.refused |= self._pending
        self._pending = {}

    def _known_uid(self) -> int | None:
        """A small mail of this folder that could be read before."""
        readable = select(Copy.uid).join(Message).where(*self._folder, Copy.gone_at.is_(None), ~Message.unreadable)
        with transaction() as session:
            return session.scalar(readable.where(Copy.unmatched_since.is_(None)).order_by(Message.size).limit(1))


def _is_blank(mail: FetchedMail) -> bool:
    """Whether the server lists the mail but does not deliver its text."""
    return mail.size > 0 and not mail.raw
