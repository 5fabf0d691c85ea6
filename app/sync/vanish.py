"""Vanish: copies we knew are no longer where they were. Servers have been seen to forget, so many at once are looked
for a second time, and a whole folder at once is not believed before a day has gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.db import retried, transaction
from app.inbox.mailbox import Mailbox
from app.sync import reset
from app.sync.judge import Judge
from app.sync.link import Link
from app.sync.look import MANY, Look, chunks, too_many


def missed(link: Link, look: Look) -> list[int]:
    """Known UIDs that are not there any more, where the server does not tell. Found before new mail is read, so that
    what was moved is known to have left its old folder."""
    folder, selected = look.folder, look.selected
    if (selected.exists, selected.uidnext) == (folder.server_count, folder.uidnext):
        return []
    return sorted(set(look.known_uids()).difference(link.imap.uids()))


def vanish(link: Link, look: Look, uids: Sequence[int]) -> None:
    """These are gone. Many at once are confirmed on a fresh connection; all of a folder are `unmatched` for a day."""
    known = look.known_count()
    if too_many(len(uids), known):
        uids = _confirmed(link, look, uids)
    if len(uids) == known and known > MANY:
        reset.lose_all(link, look.place)
        return
    for chunk in chunks(uids):
        _gone(link, look, chunk)


@retried
def _gone(link: Link, look: Look, uids: Sequence[int]) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        judge = Judge(session, mailbox, look.last_seen(mailbox))
        judge.gone(judge.copies(look.folder.id, look.selected.uidvalidity, uids).values())
        judge.finish()
        link.check()


def _confirmed(link: Link, look: Look, uids: Sequence[int]) -> list[int]:
    with link.reopen() as fresh:
        selected = fresh.select(look.folder.name, read_only=True)
        if selected.uidvalidity != look.selected.uidvalidity:
            return []
        there = set(fresh.uids())
    return [uid for uid in uids if uid not in there]
