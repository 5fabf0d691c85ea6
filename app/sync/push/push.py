"""Push: what we want copies to show is written to the server. State is pushed, never a log of commands.

Per copy the difference between its goal and what it shows: add before remove, `+FLAGS` and `-FLAGS` only, names of
ours only. What we begin to write is committed first (`pushing`, `moving_folder_id`), so that whatever comes back after
a crash is known as our own echo. Read back, then `shown` is what we wrote and saw; anything else that came back is left
for the next pull. When every copy of a conversation is at its goal, both sides agree on the value that was pushed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session, lazyload, selectinload

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import (
    REFUSALS,
    goals,
    message_flags_missing,
    still_held,
    without_room,
    writes_nothing,
)
from app.inbox.conversations.locking import locked_copies
from app.inbox.conversations.registers import NOT_COMPARED
from app.inbox.conversations.tag import vocabulary
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.vocabulary import NOT_SPAM_SPELLINGS, SPAM, STAR, State, Vocabulary
from app.mail.errors import FolderGone, OverQuota, Refused, Unavailable
from app.mail.values import Selected
from app.sync.compare.frozen import thaw
from app.sync.link import Link
from app.sync.meaning.kin import away
from app.sync.meaning.taking import live_copies
from app.sync.push.moving import Move, give_up, move
from app.sync.rights import note_rights

log = logging.getLogger(__name__)

#: Conversations taken on at once: bounded, so that a bulk act shows progress and a crash repeats little.
_CONVERSATIONS = 100
#: So many times as many are compared before others have their turn.
_COMPARED_AT_ONCE = 20
#: The server compares names casefolded, people read them as they are registered.
_SPELT = {STAR: "\\Flagged", SPAM: "$Junk"}
_Held = tuple[Conversation, list[Copy]]


@dataclass(frozen=True)
class Write:
    """What one copy needs. `add` and `remove` as the server is to read them; `goal` casefolded."""

    copy_id: int
    uid: int
    add: tuple[str, ...]
    remove: tuple[str, ...]
    goal: frozenset[str]


@dataclass(frozen=True)
class Written:
    """What became of it: `added` as it was written, `removed` and `refused` casefolded."""

    write: Write
    added: set[str]
    removed: set[str]
    refused: set[str]


@dataclass
class FolderWork:
    folder_id: int
    name: str
    uidvalidity: int
    permanent: list[str] | None
    writes: list[Write] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def moves_together(self) -> list[list[Move]]:
        """By destination, and by how much is done."""
        alike = sorted({(one.to_folder_id, one.left_behind) for one in self.moves})
        return [[one for one in self.moves if (one.to_folder_id, one.left_behind) == kind] for kind in alike]


@dataclass(frozen=True)
class Plan:
    """`pushed`: conversation -> the state its copies are being brought to; `last`: the last that was to be written;
    `compares`: they were frozen all, and what both sides hold alike thaws."""

    folders: list[FolderWork]
    pushed: dict[int, State]
    last: int
    compares: bool = False


def push(link: Link) -> bool:
    """Write until nothing is left that can be written now. Whether conversations are left to be compared: only so many
    are at a time, because nobody else is served meanwhile, and all of a mailbox may be."""
    compared = 0
    plan = _next(link.mailbox_id, None, compare=True)
    while plan is not None:
        for work in plan.folders:
            _write_folder(link, work)
        compared += plan.compares
        plan = _next(link.mailbox_id, plan, compare=compared < _COMPARED_AT_ONCE)
    return compared == _COMPARED_AT_ONCE


# deciding -------------------------------------------------------------------------------------------------------------


def _next(mailbox_id: int, written: Plan | None, *, compare: bool) -> Plan | None:
    """What became of the last plan, and the next conversations to push, by id; then those that were not compared yet.
    What is about to be written is committed with it. A paused mailbox has none."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        words = vocabulary(session, mailbox)
        if written is not None:
            _settle(session, written, words)
        if mailbox.paused_at is not None:
            return None
        last = written.last if written is not None else 0
        mine = select(Conversation).where(Conversation.mailbox_id == mailbox_id).limit(_CONVERSATIONS)
        if waiting := _with_copies(session, mine.where(Conversation.push_needed, Conversation.id > last)):
            return _plan(waiting, words, waiting[-1][0].id)
        if not compare or mailbox.mode != Mode.KEYWORDS:
            return None
        waiting = _with_copies(session, mine.where(text(NOT_COMPARED)))
        return _plan(waiting, words, last, compares=True) if waiting else None


def _with_copies(session: Session, wanted: Select[Conversation]) -> list[_Held]:
    """Held, with their live copies and all that goals are worked out from, in a fixed number of statements. Owners are
    read after the lock, as always (see `ALONE`)."""
    held = wanted.order_by(Conversation.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    related = (selectinload(Conversation.tags), selectinload(Conversation.assignee))
    conversations = session.scalars(held.options(lazyload(Conversation.mailbox), *related)).all()
    copies = live_copies(session, [conversation.id for conversation in conversations])
    return [(conversation, copies.get(conversation.id, [])) for conversation in conversations]


def _plan(waiting: Sequence[_Held], words: Vocabulary, last: int, *, compares: bool = False) -> Plan:
    folders: dict[int, FolderWork] = {}
    for conversation, copies in waiting:
        if conversation.has_frozen:
            thaw(conversation, copies, words)
        own = conversation.in_words(words)
        wanted = goals(copies, conversation.state, own, mirrored=conversation.mirrored)
        for copy in copies:
            if copy.pushing is not None:
                continue
            goal = wanted[copy.id] - _let_go(copy, still_held(copy, wanted[copy.id], conversation.state, own))
            if not writes_nothing(copy):
                _look_for_twins(copy, copies)
                _plan_copy(folders, copy, goal)
    return Plan(list(folders.values()), {c.id: c.state for c, _ in waiting}, last, compares)


def _let_go(copy: Copy, held: Sequence[str]) -> frozenset[str]:
    """What a member decided by another act waits for nobody any more: the server lost it already."""
    ended = frozenset(copy.held).difference(held)
    if ended:
        copy.held, copy.shown = list(held), [name for name in copy.shown if name not in ended]
    return ended


def _look_for_twins(copy: Copy, copies: Sequence[Copy]) -> None:
    """What was left behind is deleted only while the mail is known to lie elsewhere too. If it went from there, this is
    the only one and is moved like any other."""
    if copy.left_behind:
        same_mail = [other for other in copies if other.message_id == copy.message_id]
        copy.left_behind = any(not other.left_behind and not away(other) for other in same_mail)


def _plan_copy(folders: dict[int, FolderWork], copy: Copy, goal: frozenset[str]) -> None:
    shown = frozenset(copy.shown)
    add = [_SPELT.get(name, name) for name in sorted(goal - shown)] + _message_flags_to_add(copy)
    remove = [keyword for keyword in copy.keywords if keyword.isascii() and keyword.casefold() in shown - goal]
    if SPAM in shown - goal:
        add += [name for name in ("$NotJunk",) if copy.folder.takes(name)]
    elif SPAM in goal - shown:
        opposite = [keyword for keyword in copy.keywords if keyword.casefold() in NOT_SPAM_SPELLINGS]
        remove += [keyword for keyword in opposite if copy.folder.takes(keyword)]
    moves = copy.moving_folder_id is None and (copy.wanted_folder_id is not None or copy.left_behind)
    if not add and not remove and not moves:
        return
    new = FolderWork(copy.folder_id, copy.folder.name, copy.uidvalidity, copy.folder.permanent)
    work = folders.setdefault(copy.folder_id, new)
    if add or remove:
        work.writes.append(Write(copy.id, copy.uid, tuple(add), tuple(remove), goal))
        copy.pushing = sorted(goal)
        _count_in(copy.folder, add)
    if moves:
        to = copy.wanted_folder_id or copy.folder_id
        work.moves.append(Move(copy.id, copy.uid, to, copy.left_behind))
        if not copy.left_behind:
            copy.moving_folder_id = to


def _count_in(folder: Folder, add: Iterable[str]) -> None:
    """The folder's keywords are limited: what is about to be written is counted before the next goal is set."""
    new = {name.casefold() for name in add if not name.startswith("\\")}
    if not new <= set(folder.keywords):
        folder.keywords = sorted({*folder.keywords, *new})


def _message_flags_to_add(copy: Copy) -> list[str]:
    return [flag for flag in message_flags_missing(copy) if flag.casefold() not in copy.refuses]


# writing --------------------------------------------------------------------------------------------------------------


def _write_folder(link: Link, work: FolderWork) -> None:
    try:
        selected = link.imap.select(work.name)
    except Unavailable as error:
        link.note_refusal(error)
        return
    except (FolderGone, Refused):
        return  # the next pull sees to it
    if selected.uidvalidity != work.uidvalidity:
        return  # these UIDs mean other mails now; the next pull sees the reset
    if selected.read_only or selected.lasting != work.permanent:
        _forget(work, selected)
        return
    _written(link, [one for same in _alike(work.writes) for one in _write(link, same)])
    for moves in work.moves_together():
        move(link, work.name, moves)


def _alike(writes: Iterable[Write]) -> list[list[Write]]:
    """Copies that need the same names go in one command."""
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
        # Part of it may have been written: `pushing` stays, so that the next pull knows our own hand.
        log.warning("mailbox %s: the server does not write %s now: %s", link.mailbox_id, add or remove, error.said)
        link.note_refusal(error)
        return []
    # A mail that is gone is left out: the pull will tell, and needs to know what it showed and what was begun.
    return [_read_back(write, seen[write.uid], kept, refused) for write in writes if write.uid in seen]


def _store(link: Link, uids: Sequence[int], add: Sequence[str], remove: Sequence[str]) -> frozenset[str]:
    """All names at once; after a refusal one by one, so that a tag that does not fit takes no owner along. Returns
    what was refused, casefolded. Raises OverQuota and Unavailable: the server only cannot do it now."""
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
            log.warning("mailbox %s: the server refuses to write a name: %s", link.mailbox_id, error.said)
            refused |= {name.casefold() for name in (*adding, *removing)}
    return frozenset(refused)


def _add_and_remove(link: Link, uids: Sequence[int], add: Sequence[str], remove: Sequence[str]) -> None:
    if add:
        link.imap.add(uids, add)
    if remove:
        link.imap.remove(uids, remove)


def _kept(link: Link, add: Iterable[str], seen: dict[int, tuple[str, ...]]) -> frozenset[str]:
    """Names that did not come back everywhere though the server keeps them: a client took them off again just now."""
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


def _written(link: Link, outcomes: Sequence[Written]) -> None:
    """What was added and kept is shown now, what was removed is not. The rest of what came back, or did not, is a
    client's doing: taking it for shown would swallow it, so it is left for the next pull."""
    if not outcomes:
        return
    by_copy = {one.write.copy_id: one for one in outcomes}
    with transaction() as session:
        pulls = session.scalars(select(Mailbox.pulls).where(Mailbox.id == link.mailbox_id)).one()
        for copy in locked_copies(session, by_copy):
            one = by_copy[copy.id]
            copy.remember(pulls)
            copy.pushing = None
            # On what it showed: a tag that was adopted meanwhile is in it now.
            added = {name.casefold() for name in one.added}
            copy.shown = sorted({*copy.shown, *(added & one.write.goal)} - one.removed)
            copy.keywords = [k for k in copy.keywords if k.casefold() not in one.removed] + sorted(
                name for name in one.added if name.casefold() not in {k.casefold() for k in copy.keywords}
            )
            _count_refused(copy, one.refused)
        link.check()


def _count_refused(copy: Copy, names: set[str]) -> None:
    copy.refused = copy.refused + 1 if names else 0
    if copy.refused >= REFUSALS:
        copy.refuses, copy.refused = sorted({*copy.refuses, *names}), 0


def _forget(work: FolderWork, selected: Selected) -> None:
    """Other things may be written there than was thought: nothing is on its way there any more, and what may be written
    is worked out again. Out of a folder that may only be read nothing is moved."""
    with transaction() as session:
        for copy in locked_copies(session, [write.copy_id for write in work.writes]):
            copy.pushing = None
        note_rights(session, session.get_one(Folder, work.folder_id), selected)
    if selected.read_only:
        for moves in work.moves_together():
            give_up(work.name, moves)


# agreeing -------------------------------------------------------------------------------------------------------------


def _settle(session: Session, plan: Plan, words: Vocabulary) -> None:
    """Where every copy is at its goal both sides agree, on what was pushed; what changed meanwhile is pushed next."""
    for conversation, copies in _with_copies(session, select(Conversation).where(Conversation.id.in_(plan.pushed))):
        pushed = plan.pushed[conversation.id]
        own = conversation.in_words(words)
        _note_room(conversation, copies, own)
        wanted = goals(copies, pushed, own, mirrored=conversation.mirrored)
        if not all(_at_goal(copy, wanted[copy.id]) for copy in copies):
            continue
        if conversation.mirrored:
            conversation.agree(pushed)
        if conversation.state == pushed and not any(_message_flags_to_add(c) for c in copies if _writable(c)):
            conversation.push_needed = False
            conversation.changed()


def _note_room(conversation: Conversation, copies: Sequence[Copy], words: Vocabulary) -> None:
    """What does not fit is not wanted on the copies, so that nothing loops; health counts it."""
    without = without_room(copies, conversation.state, words, mirrored=conversation.mirrored)
    lacks = any(without.values())
    if conversation.lacks_room != lacks:
        conversation.lacks_room = lacks
        conversation.mailbox.tell_health()


def _at_goal(copy: Copy, goal: frozenset[str]) -> bool:
    if writes_nothing(copy):
        return True
    # `pushing` is empty after a move, until a pull has seen what came along.
    moves = copy.wanted_folder_id is not None or copy.left_behind
    return not copy.pushing and frozenset(copy.shown) == goal and not moves


def _writable(copy: Copy) -> bool:
    return not writes_nothing(copy)
