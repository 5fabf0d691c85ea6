"""The ground truth of the sync's property test: the real edits of mail clients, compared with the history.

Every edit of a client is a separate object, tied to its mail; copies do not inherit it. A *net* edit is one that a full
pull could see: made before the pull began, on a mail in a watched folder, and still unchanged. Each net edit ends as
one of

    lined       the history has a line for it: adopted, or a conflict
    quiet       the history has a quiet line: the mail appeared with this name, which counted as older
    same        no line, and none is needed, because we hold the same value
    own         no line, although we hold another value: it equals a value of ours within the last two pulls, so nobody
                can distinguish it from our own write (IMAP does not tell who wrote)
    beyond      a removal on a copy beyond the newest, which the rules ignore
    lost        no line, although we hold another value: an outside change was lost

Edits that our own write overwrote before a pull could see them are counted separately (`covered`). An adoption is
*made up* if no client set that value on that register of the conversation. Each edit explains one adoption at most, and
none once a full pull has seen its mail. A copy that a client puts into Junk explains spam for one more pull: without
MOVE, a move is first a copy, and the original disappears later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.inbox.history.event import Event, EventKind
from tests.sync.simulated import Mail

REGISTERS = ("owner", "status", "star", "tag")
TAG = "billing"
Value = str | bool | None
Key = tuple[int, str]  # conversation, register
_STATES = ("pending", "snoozed", "closed")


@dataclass(eq=False)
class Edit:
    """`values`: the possible meanings for the client. `pulls`: the number of full pulls of its mail during which it
    explains an adoption."""

    key: Key
    values: frozenset[Value]
    at: int
    mail: Mail
    pulls: int = 1


@dataclass
class Truth:
    counts: Counter[str] = field(default_factory=Counter)
    made_up: dict[int, list[str]] = field(default_factory=dict)  # conversation -> what nobody did
    lost: list[str] = field(default_factory=list)
    _edits: list[Edit] = field(default_factory=list)  # those that explain no adoption yet
    _open: dict[tuple[int, str], Edit] = field(default_factory=dict)  # (mail, register) -> edit not yet judged
    _held: dict[tuple[int, str], dict[Value, int]] = field(default_factory=dict)
    _quiet: list[tuple[int, frozenset[str], int]] = field(default_factory=list)  # conversation, names, when
    _clock: int = 0
    _pulls: int = 0

    # acts ---------------------------------------------------------------------------------------------------------

    def edited(self, conversation: int, register: str, meant: Iterable[Value], mail: Mail) -> None:
        self._open[id(mail), register] = self.permitted(conversation, register, meant, mail)

    def permitted(
        self, conversation: int, register: str, meant: Iterable[Value], mail: Mail, *, pulls: int = 1
    ) -> Edit:
        """An act that explains an adoption, without being judged itself."""
        self._clock += 1
        edit = Edit((conversation, register), frozenset(meant), self._clock, mail, pulls)
        self._edits.append(edit)
        return edit

    def held(self, conversation: int, register: str, value: Value) -> None:
        """Our value is now this one."""
        self._held.setdefault((conversation, register), {})[value] = self._pulls

    def mark(self) -> int:
        """A moment: edits up to here are older."""
        return self._clock

    # the history --------------------------------------------------------------------------------------------------

    def heard(self, conversation: int, event: Event) -> None:
        """A line of the history, in order."""
        if "shown" in (after := event.after or {}):
            self._quiet.append((conversation, frozenset(after["shown"]), self._clock))
        told = _told(event)
        if told is not None and told[2]:
            self.held(conversation, told[0], told[1])  # perhaps only for a moment
        if event.source != "mail client" or told is None:
            return
        register, value, adopted = told
        key = (conversation, register)
        if adopted:
            cause = next((edit for edit in self._edits if edit.key == key and value in edit.values), None)
            if cause is None:
                self.made_up.setdefault(conversation, []).append(f"{register} := {value}")
            else:
                self._edits.remove(cause)
        shown = {value} if adopted or value is None else {value, *str(value).split(", ")}  # a conflict may have several
        for edit in list(self._open.values()):
            if edit.key == key and (shown & edit.values or (value is None and not adopted)):
                self._close(edit, "lined")

    def pulled(self, began: int, there: dict[int, Mail], ours: dict[Key, Value], beyond: set[int]) -> None:
        """A full pull has ended that began at the moment `began`. `there`: the mails in watched folders, by id()."""
        for (mail_id, register), edit in list(self._open.items()):
            if edit.at > began or mail_id not in there:
                continue
            self._close(edit, self._fate(edit, register, ours[edit.key], mail_id in beyond))
        for edit in self._edits:
            edit.pulls -= edit.at <= began and id(edit.mail) in there
        self._edits = [edit for edit in self._edits if edit.pulls > 0]
        self._pulls += 1

    def gone(self, mail: Mail) -> None:
        """It was expunged, so nobody can see edits on it."""
        for register in REGISTERS:
            self._open.pop((id(mail), register), None)

    def _fate(self, edit: Edit, register: str, ours: Value, beyond: bool) -> str:
        now = read_register(edit.mail.names(), register)
        if not now <= edit.values and not (len(now) > 1 and now & edit.values):
            return "covered"
        if ours in edit.values:
            return "same"
        if beyond and edit.values <= {None, False, "open"}:
            return "beyond"
        lines = (names for conversation, names, at in self._quiet if conversation == edit.key[0] and at >= edit.at)
        if any(read_register(names, register) & edit.values for names in lines):
            return "quiet"
        held = self._held.get(edit.key, {})
        if any(held.get(value, -9) >= self._pulls - 2 for value in edit.values):
            return "own"
        self.lost.append(f"{edit.key} {sorted(map(str, edit.values))} at {edit.at}, we hold {ours}")
        return "lost"

    def _close(self, edit: Edit, fate: str) -> None:
        self.counts[fate] += 1
        self._open.pop((id(edit.mail), edit.key[1]), None)


def read_register(names: frozenset[str], register: str) -> frozenset[Value]:
    """The values of a register that these keywords mean for a reader. Several names: several values."""
    if register == "owner":
        return frozenset(n.removeprefix("assigned-") for n in names if n.startswith("assigned-")) or frozenset({None})
    if register == "status":
        found = {n.removeprefix("state-") for n in names if n.removeprefix("state-") in _STATES and n[:6] == "state-"}
        return frozenset(found | ({"spam"} if "$junk" in names else set())) or frozenset({"open"})
    return frozenset({("\\flagged" if register == "star" else TAG) in names})


def _told(event: Event) -> tuple[str, Value, bool] | None:
    """(register, value, whether it was adopted) of a line about state."""
    before, after = event.before or {}, event.after or {}
    kind = EventKind(event.kind)
    if kind in (EventKind.CLAIMED, EventKind.ASSIGNED, EventKind.TAKEN_OVER, EventKind.RELEASED):
        return "owner", after["assignee"], True
    if kind in (EventKind.STATUS, EventKind.REOPENED, EventKind.WOKEN):
        return "status", after["status"], True
    if kind in (EventKind.STARRED, EventKind.UNSTARRED):
        return "star", kind is EventKind.STARRED, True
    if kind in (EventKind.TAGGED, EventKind.UNTAGGED):
        return "tag", kind is EventKind.TAGGED, True
    if kind is EventKind.CONFLICT:
        [(register, theirs)] = before.items()
        return register, theirs, False
    return None


def replayed(events: Iterable[Event]) -> dict[str, Value]:
    """The state that the history alone leads to."""
    state: dict[str, Value] = {"owner": None, "status": "open", "star": False, "tag": False}
    for event in events:
        told = _told(event)
        if told is not None and told[2]:
            state[told[0]] = told[1]
    return state
