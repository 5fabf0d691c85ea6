"""Vanish: handles copies that are no longer at their place. Some servers temporarily lose messages. So many at once are
checked a second time, and the loss of a whole folder is believed only after a day.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db import retried, transaction
from app.inbox.actor import mail_client
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked_copies
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.sync.link import Link
from app.sync.look.look import MANY, ROWS, Look, chunks, too_many
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.pull import reset


def missed(link: Link, look: Look) -> list[int]:
    """Known UIDs that no longer exist, if the server does not report vanished messages. This runs before new mail is
    read, so that a moved mail is known to have left its old folder."""
    folder, selected = look.folder, look.selected
    if (selected.exists, selected.uidnext) == (folder.server_count, folder.uidnext):
        return []
    return sorted(set(look.known_uids()).difference(link.imap.uids()))


def vanish(link: Link, look: Look, uids: Sequence[int]) -> None:
    """Record that these copies are gone. Many at once are confirmed on a fresh connection; the loss of a whole folder
    makes them `unmatched` for a day."""
    known = look.known_count()
    if too_many(len(uids), known):
        uids = _confirmed(link, look, uids)
    if len(uids) == known and known > MANY:
        reset.lose_all(link, look.folder_at)
        return
    for chunk in chunks(uids):
        _gone(link, look, chunk)


def leave_unwatched(link: Link) -> None:
    """Hide mail in folders that are no longer watched, as if somebody had moved it there. If the folder is watched
    again, its import finds the same mails."""
    with transaction() as session:
        left = session.scalars(
            select(Folder).where(
                Folder.mailbox_id == link.mailbox_id, Folder.watched.is_(False), Folder.uidvalidity.is_not(None)
            )
        ).all()
    for folder in left:
        while _leave_some(link, folder):
            pass


@retried
def _leave_some(link: Link, left: Folder) -> bool:
    """Handle some copies. Return whether there may be more. If it is watched again in the meantime, the rest is
    kept."""
    with transaction() as session:
        folder = session.get_one(Folder, left.id, with_for_update={"key_share": True})
        if folder.watched or folder.uidvalidity is None:
            return False
        here = (Copy.folder_id == folder.id, Copy.uidvalidity == folder.uidvalidity, Copy.gone_at.is_(None))
        uids = session.scalars(select(Copy.uid).where(*here, Copy.unmatched_since.is_(None)).limit(ROWS)).all()
        locked = LockedConversations(session, session.get_one(Mailbox, link.mailbox_id), by=mail_client(None))
        judge = Judge(locked)
        judge.gone(locked.copies(folder.id, folder.uidvalidity, uids).values())
        locked.finish()
        if not uids:
            _forget(session, folder)
        link.check()
        return bool(uids)


def _forget(session: Session, folder: Folder) -> None:
    """Drop the bookmark and moves into this folder. Spam that came from it will return to the inbox instead."""
    folder.forget()
    there = or_(Copy.wanted_folder_id == folder.id, Copy.came_from_folder_id == folder.id)
    for copy in locked_copies(session, session.scalars(select(Copy.id).where(there, Copy.gone_at.is_(None)))):
        if copy.wanted_folder_id == folder.id:
            copy.want_in(None)
        if copy.came_from_folder_id == folder.id:
            copy.remember_origin(None)


@retried
def _gone(link: Link, look: Look, uids: Sequence[int]) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        locked = LockedConversations(session, mailbox, by=mail_client(look.last_seen(mailbox)))
        judge = Judge(locked)
        judge.gone(locked.copies(look.folder.id, look.selected.uidvalidity, uids).values())
        locked.finish()
        link.check()


def _confirmed(link: Link, look: Look, uids: Sequence[int]) -> list[int]:
    with link.reopen() as fresh:
        selected = fresh.select(look.folder.name, read_only=True)
        if selected.uidvalidity != look.selected.uidvalidity:
            return []
        there = set(fresh.uids())
    return [uid for uid in uids if uid not in there]
