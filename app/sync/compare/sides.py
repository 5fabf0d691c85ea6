"""Sides: carries out a person's choice where the server and the database differ.

Only the chosen registers of each copy change, and only while they still differ as the person saw it. The caller has
just read the server and passes the flags it saw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

from app.db import retried, transaction
from app.inbox.actor import Actor, mail_client
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import goals
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import NOT_SPAM_SPELLINGS, STAR, Vocabulary
from app.inbox.permission import require_admin
from app.sync.compare.drift import FLAGS, Drift, DriftLine, differences
from app.sync.compare.frozen import thaw
from app.sync.look.look import chunks
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.meaning.taking import live_copies

#: A folder's name and a UID.
_Place = tuple[str, int]
_FLAG_OF = {what: flag.casefold() for what, flag in FLAGS} | {"star": STAR}


def choose(mailbox_id: int, differences: Drift, *, take_theirs: bool, by: Actor) -> int:
    """Take the chosen side for every difference that offers it. Returns the number of copies changed. Raises NotAllowed
    unless `by` is an administrator."""
    require_admin(by)
    side = "server" if take_theirs else "ours"
    lines: dict[_Place, list[DriftLine]] = {}
    for line in differences.lines:
        if side in line.sides and line.what not in ("missing", "unmatched") and line.uid is not None:
            lines.setdefault((line.folder, line.uid), []).append(line)
    done = 0
    for some in chunks(sorted(lines)):
        done += _choose(mailbox_id, {place: lines[place] for place in some}, differences.seen, side=side, by=by)
    _compare_again(mailbox_id, {line.folder for line in differences.lines if line.what in ("missing", "unmatched")})
    return done


@retried
def _choose(
    mailbox_id: int,
    lines: Mapping[_Place, Sequence[DriftLine]],
    seen: Mapping[_Place, Sequence[str]],
    *,
    side: str,
    by: Actor,
) -> int:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        # A client made the change; the administrator, who may have no role in this mailbox, only accepts it.
        locked = LockedConversations(session, mailbox, by=mail_client(None) if by.member is not None else by)
        judge = Judge(locked)
        copies = {
            copy: (folder.name, copy.uid)
            for folder in mailbox.folders
            for copy in _copies(locked, folder, [uid for name, uid in lines if name == folder.name])
        }
        registers = _still_different(locked, copies, lines, seen)
        _thaw(locked, registers)
        for copy, chosen in registers.items():
            (_take_theirs if side == "server" else _keep_ours)(judge, copy, seen[copies[copy]], chosen)
        decided = {copy.message.conversation for copy in registers}
        locked.finish()
        if by.member is not None or side == "ours":
            for conversation in sorted(decided, key=lambda one: one.id):
                conversation.record(EventKind.SETTLED, by, after={"use": side})
        if registers:
            details = {"use": side, "copies": len(registers)}
            record(session, EventKind.DECIDED, by=by, mailbox_id=mailbox.id, after=details)
        return len(registers)


def _copies(locked: LockedConversations, folder: Folder, uids: Collection[int]) -> list[Copy]:
    """The copies without those that are being written now."""
    copies = locked.copies(folder.id, folder.uidvalidity or 0, uids) if uids else {}
    return [copy for copy in copies.values() if copy.pushing is None]


def _still_different(
    locked: LockedConversations,
    copies: Mapping[Copy, _Place],
    lines: Mapping[_Place, Sequence[DriftLine]],
    seen: Mapping[_Place, Sequence[str]],
) -> dict[Copy, set[str]]:
    """Copy -> the registers to decide. Registers that a member or a round has changed since the comparison are left
    alone."""
    conversations = {copy.message.conversation for copy in copies}
    all_copies = live_copies(locked.session, [conversation.id for conversation in conversations])
    goal_names: dict[int, frozenset[str]] = {}
    for one in conversations:
        goal_names |= goals(all_copies[one.id], one.state, locked.vocabulary, mirrored=one.mirrored)
    registers: dict[Copy, set[str]] = {}
    for copy, place in copies.items():
        conversation = copy.message.conversation
        beside, goal = all_copies[conversation.id], goal_names[copy.id]
        now = set(differences(conversation, copy, beside, goal, seen[place], locked.vocabulary))
        chosen = {
            _register(line, locked.vocabulary) for line in lines[place] if (line.what, line.server, line.ours) in now
        }
        if chosen:
            registers[copy] = chosen
    return registers


def _thaw(locked: LockedConversations, registers: Mapping[Copy, Set[str]]) -> None:
    """Unfreeze the chosen registers on all copies of their conversations."""
    chosen: dict[Conversation, set[str]] = {}
    for copy, some in registers.items():
        if copy.message.conversation.has_frozen:
            chosen.setdefault(copy.message.conversation, set()).update(some)
    copies = live_copies(locked.session, [conversation.id for conversation in chosen])
    for conversation, some in chosen.items():
        thaw(conversation, copies[conversation.id], locked.vocabulary, chosen=some)
        conversation.mirrored = True
        conversation.want_push()


def _take_theirs(judge: Judge, copy: Copy, flags: Sequence[str], registers: Set[str]) -> None:
    """Treat both sides as equal until the client's change, so that the usual verbs adopt it."""
    conversation, vocabulary = copy.message.conversation, judge.locked.vocabulary
    copies = live_copies(judge.locked.session, [conversation.id])[conversation.id]
    goal = goals(copies, conversation.state, vocabulary, mirrored=conversation.mirrored)[copy.id]
    conversation.agree_on(registers)
    _hold_no_more(copy, registers, vocabulary)
    others = {name for name in copy.shown if vocabulary.register_of(name) not in registers}
    copy.take_as_shown(others | {name for name in goal if vocabulary.register_of(name) in registers})
    there = {flag.casefold() for flag in (*flags, *copy.keywords)}
    lost = [flag for _what, flag in FLAGS if flag.casefold() in registers - there]
    # our value was on its way, so its absence on the server counts as a change
    copy.take_keywords([*copy.keywords, *lost])
    judge.saw(copy, _as_chosen(copy, flags, registers, vocabulary))


def _keep_ours(judge: Judge, copy: Copy, flags: Sequence[str], registers: Set[str]) -> None:
    """Remember the keywords we see, adopt nothing, and write our keywords again."""
    _hold_no_more(copy, registers, judge.locked.vocabulary)
    copy.message.conversation.mirrored = True
    judge.saw_after_reset(copy, _as_chosen(copy, flags, registers, judge.locked.vocabulary))


def _as_chosen(copy: Copy, flags: Sequence[str], registers: Set[str], vocabulary: Vocabulary) -> list[str]:
    """The present keywords of the chosen registers, and the last known keywords of all others."""
    known = [keyword for keyword in copy.keywords if _belongs_to(keyword, vocabulary) not in registers]
    return known + [flag for flag in flags if _belongs_to(flag, vocabulary) in registers]


def _hold_no_more(copy: Copy, registers: Set[str], vocabulary: Vocabulary) -> None:
    copy.stop_holding([name for name in copy.held if vocabulary.register_of(name) in registers], lost=False)


def _register(line: DriftLine, vocabulary: Vocabulary) -> str:
    """The register of a line, as `_belongs_to` names it."""
    if line.what == "tag":
        return vocabulary.register_of(str(line.server or line.ours).casefold())
    return _FLAG_OF.get(line.what, line.what)


def _belongs_to(keyword: str, vocabulary: Vocabulary) -> str:
    """`Vocabulary.register_of`, except that a keyword for "not junk" belongs to the status."""
    name = keyword.casefold()
    return "status" if name in NOT_SPAM_SPELLINGS else vocabulary.register_of(name)


def _compare_again(mailbox_id: int, folders: Collection[str]) -> None:
    """The next pull compares these folders UID by UID, even if the server reports no changes."""
    with transaction() as session:
        for folder in session.get_one(Mailbox, mailbox_id).folders:
            if folder.name in folders:
                folder.missing = max(folder.missing, 1)
