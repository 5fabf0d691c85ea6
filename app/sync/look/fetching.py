"""Fetching: the mails of a step, and what the server refuses of them.

A server that is unwell refuses every mail for a while; a mail that is damaged is refused while its neighbours come. So
after a refusal the mails are asked for one by one, and a mail counts as refused only if another one comes after it: of
the same step, or one that could be read before. If none comes the server is unwell: the round ends, and the bookmark
stays where it is. A mail at which the server ends the connection is refused too (see drops.py).
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
        """Those of these UIDs that are there and come. Raises Unavailable where the server is unwell."""
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
        """Mails that were refused before: they may end a connection, which must not be the one of the round."""
        for uid in uids:
            said = self._drops.ends_at([uid])
            if said is None:
                yield from self.mails([uid])
            else:
                self.refused[uid] = said

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
            missing = set(blank)  # what did not come at all is gone
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
                mails, error, answer = [], refusal, refusal.said
            if answer is not None:
                self._pending[uid] = answer
                if len(self._pending) >= _IN_A_ROW:
                    self._make_sure(error)
            elif mails:
                self._settle()
                self._came = uid
                yield mails[0]
        if self._pending:
            self._make_sure(error)

    def _make_sure(self, error: Exception | None) -> None:
        """Raises Unavailable unless the server gives a mail that it gave before."""
        known = self._came or self._known_uid()
        if known is not None:
            try:
                came = any(not _is_blank(mail) for mail in self._link.imap.fetch([known]))
            except (Refused, Unavailable, Broken) as again:
                raise Unavailable("show messages", said=again.said) from again
        else:  # nothing to compare with: one mail alone may be damaged
            came = len(self._pending) == 1 and not isinstance(error, Unavailable)
        if not came:
            raise Unavailable("show messages", said=next(iter(self._pending.values()))) from error
        self._settle()

    def _settle(self) -> None:
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
    """Whether the server lists the mail and keeps its text back."""
    return mail.size > 0 and not mail.raw
