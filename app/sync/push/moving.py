"""Moving: moves copies to their wanted folder. `moving_folder_id` was committed before, so that a copy found there
after a crash is known as our own move. The original that a move without MOVE left behind is then deleted. A move that
the server rejects repeatedly is given up, and the history records it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from app.db import transaction
from app.inbox.actor import SYSTEM
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.goal import REFUSALS
from app.inbox.conversations.locking import locked, locked_copies
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.folder import Folder
from app.mail.errors import FolderGone, OverQuota, Refused, Unavailable
from app.sync.link import Link

log = logging.getLogger(__name__)

#: Codes after which another try cannot succeed. Any other rejection may be temporary.
_NEVER = frozenset({"NOPERM", "CANNOT"})


@dataclass(frozen=True)
class FolderMove:
    """`left_behind`: half of the move is done."""

    copy_id: int
    uid: int
    to_folder_id: int
    left_behind: bool = False


def move(link: Link, source: str, moves: Sequence[FolderMove]) -> None:
    """Move from the open folder `source`. All moves have the same destination and the same state."""
    if moves[0].left_behind:
        _delete(link, source, moves)
        return
    to_folder_id = moves[0].to_folder_id
    with transaction() as session:
        target = session.get_one(Folder, to_folder_id)
        name, uidvalidity, lost = target.name, target.uidvalidity, target.lost_at is not None
    try:
        places = link.imap.move([one.uid for one in moves], name)
    except FolderGone as error:
        log.warning("mailbox %s: %s is not there to move to: %s", link.mailbox_id, name, error.answer)
        if lost:  # a folder that has just disappeared may have been renamed: the next pull handles it
            give_up(source, moves)
        return
    except (Refused, Unavailable) as error:
        log.warning("mailbox %s: the server refuses to move to %s: %s", link.mailbox_id, name, error.answer)
        link.note_refusal(error)
        give_up(source, _hopeless(link, error, moves))
        return
    if places is None or uidvalidity is None:
        return  # the server does not report the new UIDs; the next pull recognises the copies by `moving_folder_id`
    _moved(link, moves, places, to_folder_id, uidvalidity)


def give_up(source: str, moves: Sequence[FolderMove]) -> None:
    """Leave these copies where they are. Work out again what follows from their place, and record it in the history.
    If a copy was moved after all, `moving_folder_id` identifies it until the next pull."""
    wishes = {one.copy_id: one.to_folder_id for one in moves}
    if not wishes:
        return
    with transaction() as session:
        target = session.get_one(Folder, moves[0].to_folder_id).name
        given_up = set()
        for copy in locked_copies(session, wishes):
            if copy.give_up_move(wishes[copy.id]):
                given_up.add(copy.message.conversation_id)
        refresh(session, given_up)
        for conversation in locked(session, given_up):
            conversation.record(EventKind.MOVED, SYSTEM, before={"folder": target}, after={"folder": source})


def _delete(link: Link, source: str, moves: Sequence[FolderMove]) -> None:
    """A copy found in the other folder need not be copied again; the original here is deleted."""
    try:
        link.imap.delete([one.uid for one in moves])
    except (Refused, Unavailable) as error:
        log.warning("mailbox %s: the server refuses to delete from %s: %s", link.mailbox_id, source, error.answer)
        link.note_refusal(error)
        give_up(source, _hopeless(link, error, moves))
        return
    with transaction() as session:
        for copy in locked_copies(session, [one.copy_id for one in moves]):
            copy.deleted()
        link.check()


def _hopeless(link: Link, error: Refused | Unavailable, moves: Sequence[FolderMove]) -> Sequence[FolderMove]:
    """Moves for which another try is useless."""
    if error.code in _NEVER:
        return moves
    return [] if isinstance(error, OverQuota | Unavailable) else _refused_too_often(link, moves)


def _refused_too_often(link: Link, moves: Sequence[FolderMove]) -> list[FolderMove]:
    """The next pull finds the others in their place, and they are tried again. A move whose target has changed in the
    meantime does not count as rejected."""
    wishes = {one.copy_id: one for one in moves}
    with transaction() as session:
        copies = [
            copy
            for copy in locked_copies(session, wishes)
            if wishes[copy.id].left_behind or copy.wanted_folder_id == wishes[copy.id].to_folder_id
        ]
        for copy in copies:
            copy.count_refused_move()
        too_often = {copy.id for copy in copies if copy.moves_refused >= REFUSALS}
        link.check()
    return [one for one in moves if one.copy_id in too_often]


def _moved(link: Link, moves: Sequence[FolderMove], places: dict[int, int], folder_id: int, uidvalidity: int) -> None:
    by_copy = {one.copy_id: one for one in moves}
    with transaction() as session:
        for copy in locked_copies(session, by_copy):
            uid = places.get(by_copy[copy.id].uid)
            if uid is not None:
                copy.moved_to(folder_id, uidvalidity, uid)
        link.check()
