"""Drift: the present differences between the mail server and the database. Comparing changes nothing on either side.

It reads with the same code as the worker (`ImapSession`, `vocabulary`, `goals`), on its own connection. A change may be
on its way while we read both sides one after the other, so we report only differences found twice. `sides.py` carries
out a person's choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import MESSAGE_FLAGS, goals
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.errors import N_, Invalid
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary
from app.inbox.status import Status
from app.mail.errors import FolderGone, Refused
from app.mail.imap import ImapSession
from app.sync.account import server_of
from app.sync.look.look import Look, chunks
from app.sync.meaning.merge import several
from app.sync.meaning.taking import live_copies

FLAGS = (*MESSAGE_FLAGS, ("deleted", "\\Deleted"))
#: State that keywords carry. Every server keeps the rest.
NAMED = ("owner", "status", "tag")


@dataclass(frozen=True)
class DriftLine:
    """One difference. `what`: owner, status, star, tag, seen, answered, forwarded, deleted; folder (the copy is to be
    moved); missing (on the server only), unmatched (in the database only). A line about a whole folder has no UID:
    folder (it does not open), numbering (UIDVALIDITY). `waiting`: the change is on its way. `sides`: the sides that a
    person may choose, "server" or "ours". Keywords that clients set and nobody adopted are never removed from the
    server."""

    conversation: int | None
    number: int | None
    folder: str
    uid: int | None
    what: str
    server: str | bool | None
    ours: str | bool | None
    waiting: bool = False
    sides: tuple[str, ...] = ()


BOTH = ("server", "ours")
#: A folder's name and a UID.
_Place = tuple[str, int]


@dataclass(frozen=True)
class Drift:
    """`seen`: (folder, UID) -> the flags of the copies that differ."""

    lines: list[DriftLine]
    seen: Mapping[_Place, tuple[str, ...]] = field(default_factory=dict)

    def shape(self) -> dict[str, Any]:
        return {"in_sync": not self.lines, "lines": [asdict(line) for line in self.lines]}


def drift(mailbox_id: int, *, private_key: bytes | None) -> Drift:
    """Compare a mailbox with its server. Raises MailError, SecretError, and Invalid while a returning mailbox has not
    been compared."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        if mailbox.returning:
            raise Invalid("mode", N_("The worker must check every message first. Compare after its next sync."))
        server = server_of(mailbox, private_key)
        folders = [folder for folder in mailbox.folders if folder.watched]
    lines: list[DriftLine] = []
    seen: dict[_Place, tuple[str, ...]] = {}
    with ImapSession.open(server) as imap:
        for folder in folders:
            first = _in_folder(imap, folder.id)
            second = _in_folder(imap, folder.id) if first.lines else first
            before = set(first.lines)
            lines += [line for line in second.lines if line in before]
            seen |= second.seen
    return Drift(lines, seen)


def look_again(imap: ImapSession, mailbox_id: int, folder_name: str, uid: int) -> Drift:
    """The present differences of the copy at one place. Raises FolderGone if the folder no longer exists."""
    with transaction() as session:
        query = select(Folder).where(Folder.mailbox_id == mailbox_id, Folder.name == folder_name, Folder.watched)
        folder = session.scalars(query).one_or_none()
    if folder is None:
        raise FolderGone(folder_name)
    selected = imap.select(folder.name, read_only=True)
    if folder.uidvalidity != selected.uidvalidity:
        raise FolderGone(folder_name)
    there = {row.uid: row.flags for row in imap.flags([uid])}
    lines = _of_copies(Look(folder, selected), [uid], there)
    return Drift(lines, {(folder.name, uid): flags for uid, flags in there.items()})


def _in_folder(imap: ImapSession, folder_id: int) -> Drift:
    with transaction() as session:
        folder = session.get_one(Folder, folder_id)
    try:
        selected = imap.select(folder.name, read_only=True)
    except (FolderGone, Refused):
        return Drift([DriftLine(None, None, folder.name, None, "folder", None, folder.name)])
    if folder.uidvalidity not in (None, selected.uidvalidity):
        numbers = str(selected.uidvalidity), str(folder.uidvalidity)
        return Drift([DriftLine(None, None, folder.name, None, "numbering", *numbers)])
    there = {row.uid: row.flags for row in imap.flags("1:*")} if selected.exists else {}
    look = Look(folder, selected)
    known = look.known_uids()
    lines = [
        DriftLine(None, None, folder.name, uid, "missing", "there", None, uid < folder.import_uid, ("server",))
        for uid in sorted(there.keys() - set(known))
        if uid >= folder.start_uid
    ]
    for some in chunks(known):
        lines += _of_copies(look, some, there)
    return Drift(lines, {(folder.name, line.uid): there[line.uid] for line in lines if line.uid in there})


def _of_copies(look: Look, uids: Collection[int], there: Mapping[int, tuple[str, ...]]) -> list[DriftLine]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, look.folder.mailbox_id)
        vocabulary = vocabulary_of(session, mailbox)
        ids = set(session.scalars(select(Message.conversation_id).join(Copy).where(*look.live, Copy.uid.in_(uids))))
        copies = live_copies(session, ids)
        return [
            line
            for conversation in _conversations(session, ids)
            for line in _of_conversation(look, conversation, copies[conversation.id], uids, there, vocabulary)
        ]


def _conversations(session: Session, ids: Iterable[int]) -> Sequence[Conversation]:
    query = select(Conversation).where(Conversation.id.in_(ids)).order_by(Conversation.id)
    return session.scalars(query.options(selectinload(Conversation.tags))).all()


def _of_conversation(
    look: Look,
    conversation: Conversation,
    copies: Sequence[Copy],
    uids: Collection[int],
    there: Mapping[int, tuple[str, ...]],
    vocabulary: Vocabulary,
) -> Iterator[DriftLine]:
    goal_names = goals(copies, conversation.state, vocabulary, mirrored=conversation.mirrored)
    for copy in copies:
        if copy.folder_id != look.folder.id or copy.uid not in uids or copy.unmatched_since is not None:
            continue
        flags = there.get(copy.uid)
        for what, server, ours in differences(conversation, copy, copies, goal_names[copy.id], flags, vocabulary):
            is_frozen = conversation.is_frozen(register_of(what, server, ours, vocabulary)) and what in NAMED
            waiting = conversation.push_needed and conversation.mirrored and not is_frozen
            line = conversation.id, conversation.number, look.folder.name, copy.uid, what, server, ours, waiting
            yield DriftLine(*line, sides=_sides(copy, what, server, ours, vocabulary))


def _sides(
    copy: Copy, what: str, server: str | bool | None, ours: str | bool | None, vocabulary: Vocabulary
) -> tuple[str, ...]:
    """The sides that a person can choose. A move is a pending change and has no sides."""
    if what == "folder":
        return ()
    is_flag = what in {flag for flag, _keyword in FLAGS}
    client_tag = what == "tag" and vocabulary.tag_of(str(server or ours)) is None
    cannot_write = not _takes(copy, what) or what in ("unmatched", "deleted") or (is_flag and not ours) or client_tag
    return ("server",) if cannot_write else BOTH


def _takes(copy: Copy, what: str) -> bool:
    """Whether the folder stores this change (PERMANENTFLAGS, RFC 3501 7.1)."""
    flag = {"star": "\\Flagged", **dict(FLAGS)}.get(what)
    return copy.folder.takes(flag) if flag else copy.folder.takes_names(Mode.KEYWORDS)


_Difference = tuple[str, str | bool | None, str | bool | None]


def register_of(what: str, server: str | bool | None, ours: str | bool | None, vocabulary: Vocabulary) -> str:
    """The register of a difference in keywords."""
    return vocabulary.register_of(str(server or ours).casefold()) if what == "tag" else what


def differences(
    conversation: Conversation,
    copy: Copy,
    copies: Sequence[Copy],
    goal: frozenset[str],
    flags: Sequence[str] | None,
    vocabulary: Vocabulary,
) -> Iterator[_Difference]:
    """(what, on the server, ours). Compares the meaning of keywords: an alias of a tag equals the tag. `copies`: all
    copies of the conversation. In a frozen register, a copy without keywords is not a difference if another copy shows
    or showed a value: the bare copy is new."""
    if flags is None:
        yield "unmatched", None, "there"
        return
    for what, server, our in _name_differences(copy, goal, flags, vocabulary):
        register = register_of(what, server, our, vocabulary)
        bare = conversation.is_frozen(register) and not _tells(copy, register, flags, vocabulary)
        if not bare or not any(_tells(other, register, other.keywords, vocabulary) for other in copies):
            yield what, server, our
    if (STAR in vocabulary.ours(flags)) != (STAR in goal):
        yield "star", STAR not in goal, STAR in goal
    yield from _flag_differences(conversation, copy, flags)
    if copy.wanted_folder_id is not None:
        wish = next(folder.name for folder in conversation.mailbox.folders if folder.id == copy.wanted_folder_id)
        yield "folder", copy.folder.name, wish


def _name_differences(
    copy: Copy, goal: frozenset[str], flags: Sequence[str], vocabulary: Vocabulary
) -> Iterator[tuple[str, str | None, str | None]]:
    shown = vocabulary.ours(flags)
    if (server := _owner(shown, vocabulary)) != (ours := _owner(goal, vocabulary)):
        yield "owner", server, ours
    if (status := _status(shown, vocabulary)) != (our_status := _status(goal, vocabulary)):
        yield "status", status, our_status
    tags, our_tags = _tags(shown, flags, vocabulary), _tags(goal, copy.keywords, vocabulary)
    for tag in sorted(tags ^ our_tags):
        yield "tag", tag if tag in tags else None, tag if tag in our_tags else None


def _tells(copy: Copy, register: str, flags: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether the copy shows a keyword of this register, or showed one when we last wrote it."""
    return bool(vocabulary.only(register, vocabulary.ours(flags).union(copy.shown)))


def _flag_differences(conversation: Conversation, copy: Copy, flags: Sequence[str]) -> Iterator[_Difference]:
    """Flags belong to the message. We compare with the flags we saw last, or are about to write."""
    now, known = {flag.casefold() for flag in flags}, {keyword.casefold() for keyword in copy.keywords}
    for what, flag in FLAGS:
        to_be_written = conversation.push_needed and getattr(copy.message, what, False) and copy.folder.takes(flag)
        ours = flag.casefold() in known or to_be_written
        if (flag.casefold() in now) != ours:
            yield what, not ours, ours


def _owner(names: Iterable[str], vocabulary: Vocabulary) -> str | None:
    return several({vocabulary.owner_of(name) for name in names}) or None


def _status(names: Iterable[str], vocabulary: Vocabulary) -> str:
    return several({vocabulary.status_of(name) for name in names} - {Status.OPEN}) or Status.OPEN


def _tags(names: Iterable[str], keywords: Iterable[str], vocabulary: Vocabulary) -> set[str]:
    """The tags we want, and clients' own tags as we last saw them."""
    ours = {tag for name in names if (tag := vocabulary.tag_of(name)) is not None}
    return ours | {keyword.casefold() for keyword in vocabulary.client_tags(keywords)}
