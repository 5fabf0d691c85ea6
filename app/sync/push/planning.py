"""Planning: works out what each copy lacks, folder by folder.

The keywords we begin to write are set on the copies here, and committed before the first command. After a crash we then
recognise our own echo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select
from sqlalchemy.orm import Session, lazyload, selectinload

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import goals, message_flags_missing, still_held, writes_nothing
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.vocabulary import NOT_SPAM_SPELLINGS, SPAM, State, Vocabulary, registered
from app.sync.compare.frozen import thaw
from app.sync.meaning.kin import away
from app.sync.meaning.taking import live_copies
from app.sync.push.moving import FolderMove

_WithCopies = tuple[Conversation, list[Copy]]


@dataclass(frozen=True)
class Write:
    """The changes that one copy needs. `add` and `remove` are spelled for the server; `goal` is casefolded."""

    copy_id: int
    uid: int
    add: tuple[str, ...]
    remove: tuple[str, ...]
    goal: frozenset[str]


@dataclass
class FolderWork:
    folder_id: int
    name: str
    uidvalidity: int
    permanent: list[str] | None
    writes: list[Write] = field(default_factory=list)
    moves: list[FolderMove] = field(default_factory=list)

    def moves_together(self) -> list[list[FolderMove]]:
        """Moves grouped by destination and state."""
        alike = sorted({(one.to_folder_id, one.left_behind) for one in self.moves})
        return [[one for one in self.moves if (one.to_folder_id, one.left_behind) == kind] for kind in alike]


@dataclass(frozen=True)
class Plan:
    """`pushed`: conversation -> the state that its copies are brought to; `last`: the last conversation to be written;
    `compares`: all were frozen, and registers on which both sides agree are unfrozen."""

    folders: list[FolderWork]
    pushed: dict[int, State]
    last: int
    compares: bool = False


def with_copies(session: Session, query: Select[Conversation]) -> list[_WithCopies]:
    """Conversations, locked, with their live copies and all data for goals, in a few statements. Owners are read after
    the lock, as always (see `ALONE`)."""
    locked = query.order_by(Conversation.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    related = (selectinload(Conversation.tags), selectinload(Conversation.assignee))
    conversations = session.scalars(locked.options(lazyload(Conversation.mailbox), *related)).all()
    copies = live_copies(session, [conversation.id for conversation in conversations])
    return [(conversation, copies.get(conversation.id, [])) for conversation in conversations]


def plan_for(waiting: Sequence[_WithCopies], vocabulary: Vocabulary, last: int, *, compares: bool = False) -> Plan:
    folders: dict[int, FolderWork] = {}
    for conversation, copies in waiting:
        if conversation.has_frozen:
            thaw(conversation, copies, vocabulary)
        own = conversation.unfrozen(vocabulary)
        goal_names = goals(copies, conversation.state, own, mirrored=conversation.mirrored)
        for copy in copies:
            if copy.pushing is not None:
                continue
            goal = goal_names[copy.id] - _let_go(copy, still_held(copy, goal_names[copy.id], conversation.state, own))
            if not writes_nothing(copy):
                _look_for_twins(copy, copies)
                _plan_copy(folders, copy, goal)
    return Plan(list(folders.values()), {c.id: c.state for c, _ in waiting}, last, compares)


def _let_go(copy: Copy, held: Sequence[str]) -> frozenset[str]:
    """Release held keywords that a member has since decided about: the server has lost them already."""
    ended = frozenset(copy.held).difference(held)
    copy.stop_holding(ended, lost=True)
    return ended


def _look_for_twins(copy: Copy, copies: Sequence[Copy]) -> None:
    """An original that was left behind is deleted only while the mail is known to be elsewhere too. If the other copy
    is gone, this is the only one and is moved like any other."""
    if copy.left_behind:
        same_mail = [other for other in copies if other.message_id == copy.message_id]
        if not any(not other.left_behind and not away(other) for other in same_mail):
            copy.keep()


def _plan_copy(folders: dict[int, FolderWork], copy: Copy, goal: frozenset[str]) -> None:
    shown = frozenset(copy.shown)
    add = [registered(name) for name in sorted(goal - shown)] + message_flags_to_add(copy)
    remove = [keyword for keyword in copy.keywords if keyword.isascii() and keyword.casefold() in shown - goal]
    if SPAM in shown - goal:
        add += [name for name in ("$NotJunk",) if copy.folder.takes(name)]
    elif SPAM in goal - shown:
        opposite = [keyword for keyword in copy.keywords if keyword.casefold() in NOT_SPAM_SPELLINGS]
        remove += [keyword for keyword in opposite if copy.folder.takes(keyword)]
    moves = copy.moving_folder_id is None and copy.is_to_move
    if not add and not remove and not moves:
        return
    new = FolderWork(copy.folder_id, copy.folder.name, copy.uidvalidity, copy.folder.permanent)
    work = folders.setdefault(copy.folder_id, new)
    if add or remove:
        work.writes.append(Write(copy.id, copy.uid, tuple(add), tuple(remove), goal))
        copy.begin_write(goal)
        _count_in(copy.folder, add)
    if moves:
        work.moves.append(FolderMove(copy.id, copy.uid, copy.destination_id, copy.left_behind))
        copy.begin_move()


def _count_in(folder: Folder, add: Iterable[str]) -> None:
    """The folder's keywords are limited, so we count what we are about to write before the next goal is set."""
    new = {name.casefold() for name in add if not name.startswith("\\")}
    if not new <= set(folder.keywords):
        folder.keywords = sorted({*folder.keywords, *new})


def message_flags_to_add(copy: Copy) -> list[str]:
    return [flag for flag in message_flags_missing(copy) if flag.casefold() not in copy.refuses]
