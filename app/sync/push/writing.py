"""Writing: writes keywords to the copies of one folder and reads them back. It writes only our own keywords, `+FLAGS`
before `-FLAGS`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.goal import REFUSALS
from app.inbox.conversations.locking import locked_copies
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import STAR
from app.mail.errors import FolderGone, OverQuota, Refused, Unavailable
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.push.moving import give_up, move
from app.sync.push.planning import FolderWork, Write
from app.sync.rights import note_rights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """The result for one copy: `added` in the spelling written, `removed` and `refused` casefolded."""

    write: Write
    added: set[str]
    removed: set[str]
    refused: set[str]


def write_folder(link: Link, work: FolderWork) -> None:
    try:
        selected = link.imap.select(work.name)
    except Unavailable as error:
        link.note_refusal(error)
        return
    except (FolderGone, Refused):
        return  # the next pull handles it
    if selected.uidvalidity != work.uidvalidity:
        return  # these UIDs mean other mails now; the next pull sees the reset
    if selected.read_only or selected.lasting != work.permanent:
        _note_other_rights(work, selected)
        return
    _note_written(link, [one for same in _alike(work.writes) for one in _write(link, same)])
    for moves in work.moves_together():
        move(link, work.name, moves)


def _alike(writes: Iterable[Write]) -> list[list[Write]]:
    """Copies that need the same changes, for one command."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Write]] = {}
    for write in writes:
        groups.setdefault((write.add, write.remove), []).append(write)
    return list(groups.values())


def _write(link: Link, writes: Sequence[Write]) -> list[Written]:
    add, remove, uids = writes[0].add, writes[0].remove, [write.uid for write in writes]
    try:
        refused = _store(link, uids, add, remove)
        seen = {row.uid: row.flags for row in link.imap.flags(uids)}
        kept = _kept(link, add, seen)
    except (Refused, Unavailable) as error:
        # Part of it may have been written. `pushing` stays, so that the next pull recognises our own write.
        log.warning("mailbox %s: the server does not write %s now: %s", link.mailbox_id, add or remove, error.answer)
        link.note_refusal(error)
        return []
    # A mail that no longer exists is left out. The pull will see that, and needs its last state and the write that was
    # begun.
    return [_read_back(write, seen[write.uid], kept, refused) for write in writes if write.uid in seen]


def _store(link: Link, uids: Sequence[int], add: Sequence[str], remove: Sequence[str]) -> frozenset[str]:
    """Write all keywords at once. If they are refused, write them one by one, so that a tag without room does not block
    the owner. Returns the refused keywords, casefolded. Raises OverQuota and Unavailable, because the server may accept
    them later."""
    try:
        _add_and_remove(link, uids, add, remove)
        return frozenset()
    except Refused as error:
        if isinstance(error, OverQuota):
            raise
    refused = set()
    for adding, removing in [*(((name,), ()) for name in add), *(((), (name,)) for name in remove)]:
        try:
            _add_and_remove(link, uids, adding, removing)
        except Refused as error:
            if isinstance(error, OverQuota):
                raise
            log.warning("mailbox %s: the server refuses to write a name: %s", link.mailbox_id, error.answer)
            refused |= {name.casefold() for name in (*adding, *removing)}
    return frozenset(refused)


def _add_and_remove(link: Link, uids: Sequence[int], add: Sequence[str], remove: Sequence[str]) -> None:
    if add:
        link.imap.add(uids, add)
    if remove:
        link.imap.remove(uids, remove)


def _kept(link: Link, add: Iterable[str], seen: dict[int, tuple[str, ...]]) -> frozenset[str]:
    """Keywords that did not come back on every copy although the server keeps them: a client has just removed them."""
    names = {name.casefold() for name in add}
    missed = {name for flags in seen.values() for name in names.difference(map(str.casefold, flags))}
    if not missed or link.imap.selected is None:
        return frozenset()
    known = link.imap.select(link.imap.selected).keywords
    return frozenset(missed.intersection([STAR, *map(str.casefold, known)]))


def _read_back(write: Write, flags: Sequence[str], kept: frozenset[str], refused: frozenset[str]) -> Written:
    back = {name.casefold() for name in flags} | kept
    added = {name for name in write.add if name.casefold() in back}
    removed = {name.casefold() for name in write.remove} - refused
    return Written(write, added, removed, {name.casefold() for name in {*write.add} - added} | refused)


def _note_written(link: Link, outcomes: Sequence[Written]) -> None:
    """Record added and kept keywords as shown, and removed ones as not shown. Other differences in the answer come from
    a client. Recording them as shown would hide that change, so they are left for the next pull."""
    if not outcomes:
        return
    by_copy = {one.write.copy_id: one for one in outcomes}
    with transaction() as session:
        pulls = session.scalars(select(Mailbox.pulls).where(Mailbox.id == link.mailbox_id)).one()
        for copy in locked_copies(session, by_copy):
            one = by_copy[copy.id]
            copy.wrote(one.write.goal, added=one.added, removed=one.removed, pull=pulls)
            copy.count_refused(one.refused, most=REFUSALS)
        link.check()


def _note_other_rights(work: FolderWork, selected: Selected) -> None:
    """The rights in the folder have changed. Drop pending writes and work out again what may be written. Nothing is
    moved out of a read-only folder."""
    with transaction() as session:
        for copy in locked_copies(session, [write.copy_id for write in work.writes]):
            copy.end_write()
        note_rights(session, session.get_one(Folder, work.folder_id), selected)
    if selected.read_only:
        for moves in work.moves_together():
            give_up(work.name, moves)
