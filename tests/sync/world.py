"""A world in which everything happens at once: one mailbox with a few conversations, members, mail clients, a worker.

The server is simulated; Postgres, verbs, pull and push are real. Every act is described by small numbers, so that a
test can draw, repeat and shrink them. `Truth` records what really happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.db import engine, transaction
from app.inbox.actor import COMMAND, web
from app.inbox.admin import team
from app.inbox.conversations import goal
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.tag import make_tag, vocabulary_of
from app.inbox.errors import InboxError
from app.inbox.history.event import Event
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Role
from app.inbox.status import Status
from app.sync.link import Link
from app.sync.pull.pull import pull
from app.sync.push.push import push
from tests.cast import add_mailbox, member
from tests.dovecot import mail
from tests.sync.simulated import Died, InlineParser, Mail, SimulatedFolder, SimulatedServer
from tests.sync.truth import REGISTERS, TAG, Key, Truth, Value, read_register, replayed

FOLDERS = {"INBOX": "inbox", "Junk": "junk", "Archive": "archive"}
HIDDEN = "Private"
NAMES = ("ben", "carla", "zoe")
STATES = ("pending", "snoozed", "closed")
MOST_MAILS = 6
_OURS = text(
    """
    SELECT subject, coalesce(handle, assigned_name), status, starred, EXISTS (
      SELECT FROM conversation_tag JOIN tag ON tag.id = tag_id WHERE conversation_id = conversation.id AND name = :tag)
    FROM conversation LEFT JOIN member ON member.id = assignee_id WHERE mailbox_id = :mailbox
    """
)


@dataclass(frozen=True)
class Disturbance:
    """At the `step`-th command or commit of a round the worker dies (before or after it takes effect), or a client or a
    member acts. `how` is one of die, die after, client, web; the numbers describe the act."""

    step: int
    how: str
    kind: int = 0
    which: int = 0
    value: int = 0


@dataclass
class World:
    mailbox_id: int
    server: SimulatedServer
    truth: Truth = field(default_factory=Truth)
    log: list[str] = field(default_factory=list)
    _heard: int = 0
    _steps: int = 0
    _pending: list[Disturbance] = field(default_factory=list)
    _past: list[tuple[int, int, int]] = field(default_factory=list)
    _count: dict[int, int] = field(default_factory=dict)  # conversation number -> its mails
    _threads: dict[int, int] = field(default_factory=dict)  # mail number -> conversation number

    @property
    def conversations(self) -> int:
        return len(self._count)

    # mail and clients ---------------------------------------------------------------------------------------------

    def mail_arrives(self, conversation: int) -> None:
        count = self._count.get(conversation, 0)
        if count == MOST_MAILS:
            return
        self._count[conversation] = count + 1
        root = f"<{conversation}.0@w{self.mailbox_id}>"
        told = {"references": root} if count else {}
        raw = mail(f"No {conversation}", message_id=f"<{conversation}.{count}@w{self.mailbox_id}>", **told)
        arrived = self.server.deliver(raw)
        self._threads[arrived.number] = conversation
        self._log(f"mail {arrived.number} arrives in conversation {conversation}")

    def client(self, kind: int, which: int, value: int) -> None:
        """Somebody acts in a mail client on one mail at one place."""
        places = self.server.places()
        if not places:
            return
        folder, uid, found = places[which % len(places)]
        acts = (self._owner, self._owner, self._status, self._star, self._tag, self._move, self._copy, self._expunge)
        act = acts[kind % len(acts)]
        self._log(f"client {act.__name__} on mail {found.number} in {folder.name} ({uid}), {value}")
        act(folder, uid, found, value)

    def replay(self, which: int) -> None:
        """A client that was offline repeats an old change."""
        if self._past:
            number, kind, value = self._past[which % len(self._past)]
            for folder, uid, found in self.server.places():
                if found.number == number:
                    self._log(f"client repeats on mail {number} in {folder.name} ({uid}): {kind}, {value}")
                    (self._owner, self._status, self._star, self._tag)[kind](folder, uid, found, value)
                    return

    def _owner(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        names = [name for name in found.flags.values() if name.startswith("assigned-")]
        new = NAMES[value % 3]
        if value % 5 == 4:
            self._edit(folder, uid, found, "owner", (0, value), [], names)
        else:
            gone = [name for name in names if name != f"assigned-{new}"] if value % 2 else []
            self._edit(folder, uid, found, "owner", (0, value), [f"assigned-{new}"], gone)

    def _status(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        names = [name for name in found.flags.values() if name.casefold().startswith("state-")]
        new = f"state-{STATES[value % 3]}"
        if value % 5 == 4:
            self._edit(folder, uid, found, "status", (1, value), [], [*names, "$Junk"])
        elif value % 11 == 10:
            self._edit(folder, uid, found, "status", (1, value), ["$Junk"], [])
        else:
            gone = [name for name in names if name != new] if value % 2 else []
            self._edit(folder, uid, found, "status", (1, value), [new], gone)

    def _star(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        on = value % 2 == 0
        names = ["\\Flagged"]
        self._edit(folder, uid, found, "star", (2, value), names if on else [], [] if on else names)

    def _tag(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        on = value % 2 == 0
        names = ["Billing" if value % 3 else TAG]
        self._edit(folder, uid, found, "tag", (3, value), names if on else [], [] if on else names)

    def _edit(
        self,
        folder: SimulatedFolder,
        uid: int,
        found: Mail,
        register: str,
        told: tuple[int, int],
        add: Sequence[str],
        remove: Sequence[str],
    ) -> None:
        before = read_register(found.names(), register)
        if not folder.change(uid, add=add, remove=remove):
            return
        after = read_register(found.names(), register)
        self._past.append((found.number, *told))
        meant = (after - before) or after
        if meant - before or after != before:
            self.truth.edited(self._threads[found.number], register, meant, found)

    def _move(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        to = [*FOLDERS, HIDDEN][value % 4]
        if to == folder.name:
            return
        self.server.move(folder, uid, to)
        self._into_or_out_of_junk(folder.name, to, found, pulls=1)

    def _copy(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        same = [mail for _, _, mail in self.server.places() if mail.number == found.number]
        to = [*FOLDERS, HIDDEN][value % 4]
        if len(same) < 3:
            self._into_or_out_of_junk(folder.name, to, self.server.copy(found, to), pulls=2)

    def _into_or_out_of_junk(self, left: str, to: str, found: Mail, *, pulls: int) -> None:
        """A move decides whether it is spam; so does a copy, if the original disappears by the next pull."""
        if "Junk" in (left, to) and left != to:
            meant = "spam" if to == "Junk" else "open"
            self.truth.permitted(self._threads[found.number], "status", {meant}, found, pulls=pulls)

    def _expunge(self, folder: SimulatedFolder, uid: int, found: Mail, value: int) -> None:
        if value % 3 == 0:
            folder.take(uid)
            self.truth.gone(found)

    # members ------------------------------------------------------------------------------------------------------

    def web(self, kind: int, which: int, value: int) -> None:
        """A member acts on a conversation; a refused act does not happen."""
        with transaction() as session:
            ids = list(
                session.scalars(select(Conversation.id).filter_by(mailbox_id=self.mailbox_id).order_by(Conversation.id))
            )
        if not ids:
            return
        try:
            with transaction() as session:
                found = session.get_one(Conversation, ids[which % len(ids)], with_for_update={"of": Conversation})
                self._log(f"web {kind % 9} on conversation {found.number}, {value}")
                self._act(session, found, kind % 9, value)
        except InboxError as refused:
            self._log(f"  refused: {type(refused).__name__}")
        self._note_ours()

    def _act(self, session: Session, found: Conversation, kind: int, value: int) -> None:
        ben, carla = web(member(session, "ben")), web(member(session, "carla"))
        if kind == 0:
            found.claim(by=carla)
        elif kind == 1:
            found.assign(member(session, NAMES[value % 2]), by=ben, take_over=True)
        elif kind == 2:
            found.release(by=ben, take_over=True)
        elif kind in (3, 4):
            found.change_status(list(Status)[value % (5 if kind == 4 else 4)], by=carla)
        elif kind == 5:
            found.tag(TAG, by=carla)
        elif kind == 6:
            found.untag(TAG, by=carla)
        elif kind == 7:
            (found.star if value % 2 else found.unstar)(by=carla)
        else:
            role = list(FOLDERS.values())[value % 3]
            folder = found.mailbox.folder(role)
            assert folder is not None
            found.move(folder, by=carla)

    # the worker ---------------------------------------------------------------------------------------------------

    def pull(self, disturbances: Sequence[Disturbance] = ()) -> None:
        self._log(f"pull {[f'{d.how} at {d.step}' for d in disturbances]}")
        began, before = self.truth.mark(), self._visible()
        with self._disturbed(disturbances) as link:
            pull(link)
            self._quiet()
            self._listen()
            stayed = {key: found for key, found in self._visible().items() if key in before}
            there = {id(found): found for found in stayed.values()}
            self.truth.pulled(began, there, self._ours(), self._beyond())
        self._listen()
        self._note_ours()

    def push(self, disturbances: Sequence[Disturbance] = ()) -> None:
        self._log(f"push {[f'{d.how} at {d.step}' for d in disturbances]}")
        with self._disturbed(disturbances) as link:
            push(link)
        self._listen()
        self._note_ours()

    @contextmanager
    def _disturbed(self, disturbances: Sequence[Disturbance]) -> Iterator[Link]:
        """A link for one pull or push; a worker that dies in it is not an error."""
        self._steps, self._pending = 0, list(disturbances)
        bound = engine()
        self.server.before, self.server.after = self._before, self._after
        event.listen(bound, "commit", self._committing)
        try:
            yield Link(self.mailbox_id, self.server.session(), InlineParser(), self.server.session, bool)
        except Died:
            self._log("  the worker died")
        finally:
            self._quiet()
            event.remove(bound, "commit", self._committing)

    def _quiet(self) -> None:
        self._pending = []
        self.server.before = self.server.after = lambda: None

    def _before(self) -> None:
        self._steps += 1
        for one in [one for one in self._pending if one.step == self._steps]:
            if one.how == "die":
                raise Died
            pending, self._pending = self._pending, []  # a member's act here is not disturbed itself
            if one.how == "client":
                self.client(one.kind, one.which, one.value)
            elif one.how == "web":
                self.web(one.kind, one.which, one.value)
            self._pending = pending

    def _after(self) -> None:
        if any(one.step == self._steps and one.how == "die after" for one in self._pending):
            raise Died

    def _committing(self, _: Any) -> None:
        """Dying before a commit is the same as dying after the previous one."""
        if self._pending:
            self._steps += 1
            if any(one.step == self._steps and one.how.startswith("die") for one in self._pending):
                raise Died

    # checks -------------------------------------------------------------------------------------------------------

    def settled(self) -> list[str]:
        """After two quiet rounds: the list of faults."""
        for _ in range(2):
            self.pull()
            self.push()
        wrong = self._unsettled()
        writes = self.server.writes
        self.pull()
        self.push()
        if self.server.writes != writes:
            wrong.append(f"chatter: {self.server.writes - writes} writes in a third round")
        return wrong + self._unexplained()

    def probed(self) -> list[str]:
        """A single change by a client to the settled mailbox is adopted, whatever happened before."""
        wrong = []
        beyond = self._beyond()
        tried: set[int] = set()
        for folder, uid, found in self.server.places():
            number = self._threads[found.number]
            if folder.name == HIDDEN or number in tried or id(found) in beyond:
                continue
            tried.add(number)
            names = [name for name in found.flags.values() if name.startswith("assigned-")]
            self._edit(folder, uid, found, "owner", (0, 0), ["assigned-probe"], names)
        self.pull()
        self.push()
        with transaction() as session:
            for one in session.scalars(select(Conversation).filter_by(mailbox_id=self.mailbox_id)):
                if self._number(one) in tried and one.owner != "probe":
                    wrong.append(f"probe of conversation {one.number}: the owner is {one.owner}")
        return wrong

    def _unsettled(self) -> list[str]:
        wrong = []
        with transaction() as session:
            vocabulary = vocabulary_of(session, session.get_one(Mailbox, self.mailbox_id))
            for one in session.scalars(select(Conversation).filter_by(mailbox_id=self.mailbox_id)):
                copies = [copy for copy in goal.conversation_copies(one) if copy.live]
                if one.mirrored and one.state != one.agreed:
                    wrong.append(f"conversation {one.number}: ours {one.state}, agreed {one.agreed}")
                if one.push_needed:
                    wrong.append(f"conversation {one.number}: push still needed")
                goals = goal.goals(copies, one.state, vocabulary, mirrored=one.mirrored)
                for copy in copies:
                    found = self.server.folders[copy.folder.name].mails.get(copy.uid)
                    shows = None if found is None else vocabulary.ours(found.names())
                    if shows != goals[copy.id]:
                        wrong.append(f"copy {copy.folder.name}/{copy.uid} shows {shows}, should {goals[copy.id]}")
            known = {(c.folder.name, c.uid) for c in session.scalars(self._live_copies())}
        there = {(folder.name, uid) for folder, uid, _ in self.server.places() if folder.name != HIDDEN}
        if known != there:
            wrong.append(f"known and not there {known - there}, there and not known {there - known}")
        return wrong

    def _unexplained(self) -> list[str]:
        """The history alone leads to the present state."""
        wrong = []
        with transaction() as session:
            for one in session.scalars(select(Conversation).filter_by(mailbox_id=self.mailbox_id)):
                events = session.scalars(select(Event).filter_by(conversation_id=one.id).order_by(Event.id))
                if replayed(events) != _values(one):
                    wrong.append(f"conversation {one.number}: the history leads elsewhere than {_values(one)}")
        return wrong

    def _listen(self) -> None:
        """Pass new lines of the history to the truth."""
        with transaction() as session:
            lines = session.execute(
                select(Event, Conversation)
                .join(Conversation, Conversation.id == Event.conversation_id)
                .where(Event.id > self._heard, Event.mailbox_id == self.mailbox_id)
                .order_by(Event.id)
            )
            for line, conversation in lines:
                self._heard = line.id
                self.truth.heard(self._number(conversation), line)
                if line.source == "mail client":
                    self._log(f"  [{conversation.number}] {line.kind}: {line.before} -> {line.after}")

    def _ours(self) -> dict[Key, Value]:
        with transaction() as session:
            rows = session.execute(_OURS, {"mailbox": self.mailbox_id, "tag": TAG}).all()
        values = {int(subject.split()[-1]): values for subject, *values in rows}
        return {
            (number, register): values.get(number, (None, "open", False, False))[place]
            for number in self._count
            for place, register in enumerate(REGISTERS)
        }

    def _note_ours(self) -> None:
        for (number, register), value in self._ours().items():
            self.truth.held(number, register, value)

    def _visible(self) -> dict[tuple[str, int], Mail]:
        return {(folder.name, uid): found for folder, uid, found in self.server.places() if folder.name != HIDDEN}

    def _beyond(self) -> set[int]:
        """The mails whose copies are beyond the newest that carry keywords."""
        found = set()
        with transaction() as session:
            for one in session.scalars(select(Conversation).filter_by(mailbox_id=self.mailbox_id)):
                carrying = {copy.id for copy in goal.carrying(goal.conversation_copies(one))}
                for copy in goal.conversation_copies(one):
                    at = self.server.folders[copy.folder.name].mails.get(copy.uid)
                    if copy.live and copy.id not in carrying and at is not None:
                        found.add(id(at))
        return found

    def _number(self, conversation: Conversation) -> int:
        """Conversations here are numbered by the subject of their first mail."""
        return int(conversation.subject.split()[-1])

    def _live_copies(self) -> Any:
        return (
            select(Copy)
            .join(Folder, Folder.id == Copy.folder_id)
            .where(Folder.mailbox_id == self.mailbox_id, Copy.gone_at.is_(None))
        )

    def _log(self, line: str) -> None:
        self.log.append(line)


def new_world(extensions: str = "QRESYNC") -> World:
    """A separate mailbox in the bound database; call `bring_on_stage` before."""
    with transaction() as session:
        count = len(session.scalars(select(Mailbox.id)).all())
        box = add_mailbox(session, f"World {count}", "help@w.example", keyword_limit=None)
        for folder in box.folders:
            folder.watched = folder.name in FOLDERS
        for handle, role in (("ben", Role.MANAGER), ("carla", Role.AGENT)):
            team.grant(session, member(session, handle), box, role, by=COMMAND)
        make_tag(session, box, TAG, by=COMMAND)
        id_ = box.id
    return World(id_, SimulatedServer([*FOLDERS, HIDDEN], extensions))


def _values(conversation: Conversation) -> dict[str, Value]:
    return {
        "owner": conversation.owner,
        "status": str(conversation.status),
        "star": conversation.starred,
        "tag": any(tag.name == TAG for tag in conversation.tags),
    }
