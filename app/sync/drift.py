"""Drift: where the mail server and we differ now. Looking changes nothing, neither there nor here.

The worker's own eyes are used (`ImapSession`, `vocabulary`, `goals`), on a connection of our own. A change may be on
its way between the look at the server and the one at the database, so only what differs twice is told. `choose` is
for a person who looked at it: the server's counts, or ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.db import retried, transaction
from app.inbox.actor import Actor
from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from app.inbox.event import EventKind, record
from app.inbox.folder import Folder
from app.inbox.goal import MESSAGE_FLAGS, goals
from app.inbox.mailbox import Mailbox
from app.inbox.message import Message
from app.inbox.permission import require_admin
from app.inbox.status import Status
from app.inbox.tag import vocabulary
from app.inbox.vocabulary import STAR, Vocabulary
from app.mail.errors import FolderGone, Refused
from app.mail.imap import ImapSession
from app.sync.connect import server_of
from app.sync.judge import Judge
from app.sync.look import Look, chunks
from app.sync.merge import several
from app.sync.taking import live_copies

_FLAGS = (*MESSAGE_FLAGS, ("deleted", "\\Deleted"))


@dataclass(frozen=True)
class Line:
    """One difference. `what`: owner, status, star, tag, seen, answered, forwarded, deleted; folder (the copy is to be
    moved); missing (the server's mail that we lack), unmatched (ours that the server lacks). Of a whole folder, without
    a UID: folder (it does not open), numbering (UIDVALIDITY). `waiting`: it is on its way."""

    conversation: int | None
    number: int | None
    folder: str
    uid: int | None
    what: str
    server: str | bool | None
    ours: str | bool | None
    waiting: bool = False

    @property
    def of_state(self) -> bool:
        """Whether a side can be chosen; for the rest the server's word counts, and the next pull hears it."""
        return self.conversation is not None and self.what not in ("unmatched", "folder")


#: A folder's name and a UID.
_Place = tuple[str, int]


@dataclass(frozen=True)
class Drift:
    """`seen`: (folder, UID) -> the flags of the copies that differ."""

    lines: list[Line]
    seen: Mapping[_Place, tuple[str, ...]] = field(default_factory=dict)

    def shape(self) -> dict[str, Any]:
        return {"in_sync": not self.lines, "lines": [asdict(line) for line in self.lines]}


def drift(mailbox_id: int, *, private_key: bytes | None) -> Drift:
    """Raises MailError, SecretError."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        server = server_of(mailbox, private_key)
        folders = [folder for folder in mailbox.folders if folder.watched]
    lines: list[Line] = []
    seen: dict[_Place, tuple[str, ...]] = {}
    with ImapSession.open(server) as imap:
        for folder in folders:
            first = _in_folder(imap, folder.id)
            second = _in_folder(imap, folder.id) if first.lines else first
            lines += [line for line in second.lines if line in first.lines]
            seen |= second.seen
    return Drift(lines, seen)


def choose(mailbox_id: int, found: Drift, *, take_theirs: bool, by: Actor) -> int:
    """Use the server's, or ours, for all that differs; returns the number of copies this was done for. Raises
    NotAllowed unless an administrator chooses."""
    require_admin(by)
    places = sorted({(line.folder, line.uid) for line in found.lines if line.of_state and line.uid is not None})
    done = 0
    for some in chunks(places):
        done += _choose(mailbox_id, {place: found.seen[place] for place in some}, take_theirs=take_theirs, by=by)
    _compare_again(mailbox_id, {line.folder for line in found.lines if line.what in ("missing", "unmatched")})
    return done


@retried
def _choose(mailbox_id: int, seen: Mapping[_Place, tuple[str, ...]], *, take_theirs: bool, by: Actor) -> int:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        judge = Judge(session, mailbox, None)
        judge.by = by
        copies = {
            copy: seen[folder.name, copy.uid]
            for folder in mailbox.folders
            for copy in _held(judge, folder, [uid for name, uid in seen if name == folder.name])
        }
        for copy, flags in copies.items():
            (_take_theirs if take_theirs else _keep_ours)(judge, copy, flags)
        judge.finish()
        if not take_theirs:
            for conversation in {copy.message.conversation for copy in copies}:
                conversation.record(EventKind.SETTLED, by, after={"use": "ours"})
        told = {"use": "server" if take_theirs else "ours", "copies": len(copies)}
        if copies:
            record(session, EventKind.DECIDED, by=by, mailbox_id=mailbox.id, after=told)
        return len(copies)


def _held(judge: Judge, folder: Folder, uids: Collection[int]) -> list[Copy]:
    """Without those that are being written at this moment."""
    copies = judge.copies(folder.id, folder.uidvalidity or 0, uids) if uids else {}
    return [copy for copy in copies.values() if copy.pushing is None]


def _take_theirs(judge: Judge, copy: Copy, flags: Sequence[str]) -> None:
    """As if both sides had held the same until somebody changed it there: then it is adopted by the usual verbs."""
    conversation = copy.message.conversation
    copies = live_copies(judge.session, [conversation.id])[conversation.id]
    wanted = goals(copies, conversation.state, judge.words, mirrored=conversation.mirrored)
    conversation.agree(conversation.state)
    copy.held, copy.shown = [], sorted(wanted[copy.id])
    judge.saw(copy, flags)


def _keep_ours(judge: Judge, copy: Copy, flags: Sequence[str]) -> None:
    """What is seen is remembered, nothing is adopted, and our names are written again."""
    copy.held, copy.message.conversation.mirrored = [], True
    judge.saw_after_reset(copy, flags)


def _compare_again(mailbox_id: int, folders: Collection[str]) -> None:
    """The next pull compares these folders UID by UID, whatever the server says of what changed."""
    with transaction() as session:
        for folder in session.get_one(Mailbox, mailbox_id).folders:
            if folder.name in folders:
                folder.missing = max(folder.missing, 1)


def _in_folder(imap: ImapSession, folder_id: int) -> Drift:
    with transaction() as session:
        folder = session.get_one(Folder, folder_id)
    try:
        selected = imap.select(folder.name, read_only=True)
    except (FolderGone, Refused):
        return Drift([Line(None, None, folder.name, None, "folder", None, folder.name)])
    if folder.uidvalidity not in (None, selected.uidvalidity):
        numbers = str(selected.uidvalidity), str(folder.uidvalidity)
        return Drift([Line(None, None, folder.name, None, "numbering", *numbers)])
    there = {row.uid: row.flags for row in imap.flags("1:*")} if selected.exists else {}
    look = Look(folder, selected)
    known = look.known_uids()
    lines = [
        Line(None, None, folder.name, uid, "missing", "there", None, waiting=uid < folder.import_uid)
        for uid in sorted(there.keys() - set(known))
        if uid >= folder.start_uid
    ]
    for some in chunks(known):
        lines += _of_copies(look, some, there)
    return Drift(lines, {(folder.name, line.uid): there[line.uid] for line in lines if line.uid in there})


def _of_copies(look: Look, uids: Collection[int], there: Mapping[int, tuple[str, ...]]) -> list[Line]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, look.folder.mailbox_id)
        words = vocabulary(session, mailbox)
        ids = set(session.scalars(select(Message.conversation_id).join(Copy).where(*look.live, Copy.uid.in_(uids))))
        copies = live_copies(session, ids)
        return [
            line
            for conversation in _conversations(session, ids)
            for line in _of_conversation(look, conversation, copies[conversation.id], uids, there, words)
        ]


def _conversations(session: Session, ids: Iterable[int]) -> Sequence[Conversation]:
    wanted = select(Conversation).where(Conversation.id.in_(ids)).order_by(Conversation.id)
    return session.scalars(wanted.options(selectinload(Conversation.tags))).all()


def _of_conversation(
    look: Look,
    conversation: Conversation,
    copies: Sequence[Copy],
    uids: Collection[int],
    there: Mapping[int, tuple[str, ...]],
    words: Vocabulary,
) -> Iterator[Line]:
    wanted = goals(copies, conversation.state, words, mirrored=conversation.mirrored)
    for copy in copies:
        if copy.folder_id != look.folder.id or copy.uid not in uids or copy.unmatched_since is not None:
            continue
        for what, server, ours in _differences(conversation, copy, wanted[copy.id], there.get(copy.uid), words):
            waiting = conversation.push_needed and conversation.mirrored
            place = look.folder.name, copy.uid
            yield Line(conversation.id, conversation.number, *place, what, server, ours, waiting=waiting)


_Difference = tuple[str, str | bool | None, str | bool | None]


def _differences(
    conversation: Conversation, copy: Copy, goal: frozenset[str], flags: Sequence[str] | None, words: Vocabulary
) -> Iterator[_Difference]:
    """(what, on the server, ours). Compared by what the names mean: an alias of a tag is that tag."""
    if flags is None:
        yield "unmatched", None, "there"
        return
    shown = words.ours(flags)
    if (server := _owner(shown, words)) != (ours := _owner(goal, words)):
        yield "owner", server, ours
    if (status := _status(shown, words)) != (our_status := _status(goal, words)):
        yield "status", status, our_status
    if (STAR in shown) != (STAR in goal):
        yield "star", STAR in shown, STAR in goal
    tags, our_tags = _tags(shown, flags, words), _tags(goal, copy.keywords, words)
    for tag in sorted(tags ^ our_tags):
        yield "tag", tag if tag in tags else None, tag if tag in our_tags else None
    yield from _flag_differences(conversation, copy, flags)
    if copy.wanted_folder_id is not None:
        wish = next(folder.name for folder in conversation.mailbox.folders if folder.id == copy.wanted_folder_id)
        yield "folder", copy.folder.name, wish


def _flag_differences(conversation: Conversation, copy: Copy, flags: Sequence[str]) -> Iterator[_Difference]:
    """What belongs to the message: we know it as we saw it last, or as it is about to be written."""
    now, known = {flag.casefold() for flag in flags}, {keyword.casefold() for keyword in copy.keywords}
    for what, flag in _FLAGS:
        to_be_written = conversation.push_needed and getattr(copy.message, what, False)
        ours = flag.casefold() in known or to_be_written
        if (flag.casefold() in now) != ours:
            yield what, not ours, ours


def _owner(names: Iterable[str], words: Vocabulary) -> str | None:
    return several({words.owner_of(name) for name in names}) or None


def _status(names: Iterable[str], words: Vocabulary) -> str:
    found = {words.status_of(name) for name in names}
    return next((status for status in Status if status in found), Status.OPEN)


def _tags(names: Iterable[str], keywords: Iterable[str], words: Vocabulary) -> set[str]:
    """Ours by what is wanted; clients' own as they were seen."""
    ours = {tag for name in names if (tag := words.tag_of(name)) is not None}
    return ours | {keyword.casefold() for keyword in words.client_tags(keywords)}
