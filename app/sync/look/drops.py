"""Drops: finds mails for which the server ends the connection whenever they are fetched (a damaged store, a crash of
the server). Without this, the same step of mails would end every round, and nothing after it would ever be read.

Drops are counted per folder and step. After the third, the mails of the step are tried on separate connections, half of
them at a time, until the mail is found. It then counts as not delivered, and the others are read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from app.db import transaction
from app.inbox.mailboxes.folder import Folder
from app.mail.errors import Broken, FolderGone, Refused, Unavailable, Unreachable
from app.sync.link import Link

log = logging.getLogger(__name__)

#: Up to this many drops at the same mails may be chance.
_CHANCE = 2
#: The most mails that are searched for in one step. The rest of it then also counts as not delivered.
_MOST = 10
#: Number of other mails fetched to find out whether the server delivers any mail at all.
_WITNESSES = 4


class Drops:
    """The drops of one folder. `known_uid`: a mail that the server delivered before, or None."""

    def __init__(self, link: Link, folder_id: int, known_uid: Callable[[], int | None]) -> None:
        self._link = link
        self._folder_id = folder_id
        self._known_uid = known_uid
        with transaction() as session:
            folder = session.get_one(Folder, folder_id)
            self._name, self._count, self._uid = folder.name, folder.drops, folder.drop_uid

    def note(self, uids: Sequence[int]) -> None:
        """Record that the connection ended while these mails were fetched."""
        with transaction() as session:
            session.get_one(Folder, self._folder_id).note_drop(uids)

    def found(self, uids: Sequence[int]) -> dict[int, str]:
        """The mails at which the server ends the connection -> its words; empty until these mails have caused several
        drops. Raises Unreachable if the server ends every connection."""
        if self._uid not in uids or self._count <= _CHANCE:
            return {}
        found: dict[int, str] = {}
        left = list(uids)
        while left and len(found) < _MOST and (culprit := self._culprit(left)) is not None:
            uid, answer = culprit
            left.remove(uid)
            if not self._gives_another(left):
                raise Unreachable("The mail server ends every connection.", answer=answer)
            log.warning("mailbox %s: the server ends the connection at UID %s: %s", self._link.mailbox_id, uid, answer)
            found[uid] = answer
        return found | dict.fromkeys(left if len(found) == _MOST else (), "it ended the connection")

    def ends_at(self, uids: Sequence[int]) -> str | None:
        """The server's words when it ends a connection on which these mails are fetched; None if it does not."""
        with self._link.reopen() as imap:
            try:
                imap.select(self._name)
                for _ in imap.fetch(uids):
                    pass
            except (Refused, Unavailable, FolderGone):  # the connection still works
                return None
            except (Unreachable, Broken) as error:
                return error.answer or str(error)
        return None

    def _culprit(self, uids: Sequence[int]) -> tuple[int, str] | None:
        """The first of these mails at which the connection ends, found by halving."""
        while uids:
            half = uids[: (len(uids) + 1) // 2]
            answer = self.ends_at(half)
            if answer is None:
                uids = uids[len(half) :]
            elif len(half) == 1:
                return half[0], answer
            else:
                uids = half
        return None

    def _gives_another(self, uids: Sequence[int]) -> bool:
        """Whether the server delivers another mail, if there is one."""
        known = self._known_uid()
        others = _spread(uids) if known is None else [known]
        return not others or any(self.ends_at([uid]) is None for uid in others)


def _spread(uids: Sequence[int]) -> list[int]:
    """A few mails spread over all, because damaged mails are often next to each other."""
    step = max(1, (len(uids) - 1) // (_WITNESSES - 1))
    return list(uids[::-step][:_WITNESSES])
