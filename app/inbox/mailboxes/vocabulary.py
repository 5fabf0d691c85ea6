"""Vocabulary: how one mailbox spells the state of a conversation in IMAP keywords. Pure; docs/keywords.md is its text.

Names are compared casefolded. `\\flagged` (the star) counts as a name. One class per storage mode says which names are
ours, what they mean and which a copy should show: `Vocabulary` where the server keeps keywords, `DatabaseVocabulary`
where it does not, or not yet again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from app.inbox.status import Status
from app.keywords import KEYWORD

STAR = "\\flagged"
SPAM = "$junk"
NOT_SPAM = "$notjunk"
_REGISTERED = {STAR: "\\Flagged", SPAM: "$Junk"}
#: Spellings that clients use for the registered keyword; read as the same, never written.
_SPAM_SPELLINGS = frozenset({SPAM, "junk"})
NOT_SPAM_SPELLINGS = frozenset({NOT_SPAM, "nonjunk", "notjunk"})
#: Keywords that are some program's bookkeeping, not a person's tag: mutt and neomutt (`Old`), Evolution
#: (`receipt-handled`, `ignore-thread`), older KMail, Apple Mail, Gnus, Open-Xchange, AOL, OtherInbox, Dovecot.
_BOOKKEEPING = frozenset(
    {
        "forwarded", "ignore-thread", "junk", "junkrecorded", "kmailforwarded", "kmailignored", "kmailtodo",
        "kmailwatched", "nonjunk", "notjunk", "old", "receipt-handled", "redirected",
    }
)  # fmt: skip
_BOOKKEEPING_PREFIXES = ("unknown-", "$cl_", "gnus-", "oib-seen-", "xaol-")
_THUNDERBIRD_LABEL = "$label"  # $label1 to $label5: a person's tags, though they start with "$"
#: As a register: every one but the star, which each server keeps.
EVERYTHING = "*"
#: Of a limit of 24 keywords in a folder, new tags stop at 18: people and states may use the rest.
_TAG_SHARE = 0.75


@dataclass(frozen=True)
class State:
    """The state of a conversation, as far as the server can show it. `owner`: a handle or an unknown name."""

    owner: str | None = None
    status: Status = Status.OPEN
    star: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Vocabulary:
    """Mode `keywords`. `owners`, `statuses`: names that a mapping gave a meaning. `tags`: every name that means a tag
    of ours -> the tag's own name (an alias differs from it)."""

    assigned_prefix: str = "assigned-"
    state_prefix: str = "state-"
    owners: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None

    # reading ------------------------------------------------------------------------------------------------------

    def ours(self, keywords: Iterable[str]) -> frozenset[str]:
        """The names of ours among a copy's keywords, casefolded. One that could not be written is a client's. What is
        called junk and no junk at once is none."""
        names = {keyword.casefold(): keyword for keyword in keywords}
        if not names.keys().isdisjoint(NOT_SPAM_SPELLINGS):
            names = {name: keyword for name, keyword in names.items() if name not in _SPAM_SPELLINGS}
        return frozenset(name for name, keyword in names.items() if self._is_ours(keyword))

    def owner_names(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.owner_of(name) is not None)

    def status_names(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.status_of(name) is not None)

    def owner_of(self, name: str) -> str | None:
        """Whose name this is; None when it names no owner."""
        if name in self.owners:
            return self.owners[name]
        rest = name.removeprefix(self.assigned_prefix)
        return rest if rest and rest != name else None

    def status_of(self, name: str) -> Status | None:
        if name in self.statuses:
            return self.statuses[name]
        if name in _SPAM_SPELLINGS:
            return Status.SPAM
        rest = name.removeprefix(self.state_prefix)
        return Status(rest) if rest != name and rest in ("pending", "snoozed", "closed") else None

    def tag_of(self, name: str) -> str | None:
        return self.tags.get(name)

    def register_of(self, name: str) -> str:
        """Names of one register exclude each other or say the same; registers are merged one by one."""
        if self.owner_of(name) is not None:
            return "owner"
        if self.status_of(name) is not None:
            return "status"
        tag = self.tag_of(name)
        return name if tag is None else f"tag {tag}"

    def only(self, register: str, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that belong to one register."""
        return frozenset(name for name in names if self.register_of(name) == register)

    def client_tags(self, keywords: Iterable[str]) -> frozenset[str]:
        """What a person tagged in a mail client and nobody adopted here, in the client's spelling."""
        return frozenset(k for k in keywords if not self._is_ours(k) and not is_bookkeeping(k))

    def without(self, registers: Collection[str]) -> Vocabulary:
        """The same words, with nothing read or written of these registers (`EVERYTHING`: of none but the star)."""
        return DatabaseVocabulary(**vars(self), frozen=frozenset(registers))

    # writing ------------------------------------------------------------------------------------------------------

    def goal(self, state: State, known: Iterable[str] = ()) -> frozenset[str]:
        """The names a copy should show. `known`: keywords the folder holds already; what does not fit beside them
        into the server's limit is not wanted, so that nothing loops."""
        names = self._keyword_goal(state) | ({STAR} if state.star else set())
        return frozenset(self._that_fit(names, frozenset(known)))

    def owner_name(self, owner: str) -> str:
        return _written(self.owners, owner) or f"{self.assigned_prefix}{owner}"

    def status_name(self, status: Status) -> str | None:
        if status is Status.OPEN:
            return None
        if name := _written(self.statuses, status):
            return name
        return SPAM if status is Status.SPAM else f"{self.state_prefix}{status}"

    def _keyword_goal(self, state: State) -> set[str]:
        names = set(state.tags)
        if state.owner is not None:
            names.add(self.owner_name(state.owner))
        if (name := self.status_name(state.status)) is not None:
            names.add(name)
        return {name for name in names if KEYWORD.fullmatch(name)}

    def _that_fit(self, names: set[str], known: frozenset[str]) -> set[str]:
        if self.limit is None:
            return names
        fitting = set()
        used = len(known)
        for name in sorted(names, key=lambda name: (name in self.tags, name)):  # people and states first
            limit = int(self.limit * _TAG_SHARE) if name in self.tags else self.limit
            if name.startswith("\\") or name in known:
                fitting.add(name)
            elif used < limit:
                fitting.add(name)
                used += 1
        return fitting

    def _is_ours(self, keyword: str) -> bool:
        name = keyword.casefold()
        if name == STAR:
            return True
        if not KEYWORD.fullmatch(keyword):
            return False
        return any(meaning is not None for meaning in (self.owner_of(name), self.status_of(name), self.tag_of(name)))


@dataclass(frozen=True)
class DatabaseVocabulary(Vocabulary):
    """Mode `database`: all but the star lives in Postgres. No keyword is read as state, written or taken off, nor taken
    for a client's tag if it would say something in mode `keywords`.

    `frozen`: the registers of which this is so; some, where a person is still to choose a side (`Vocabulary.without`).
    """

    frozen: frozenset[str] = frozenset({EVERYTHING})

    def owner_of(self, name: str) -> str | None:
        return None if self._is_frozen("owner") else super().owner_of(name)

    def status_of(self, name: str) -> Status | None:
        return None if self._is_frozen("status") else super().status_of(name)

    def tag_of(self, name: str) -> str | None:
        tag = super().tag_of(name)
        return None if tag is None or self._is_frozen(f"tag {tag}") else tag

    def client_tags(self, keywords: Iterable[str]) -> frozenset[str]:
        spelling = Vocabulary(**{one.name: getattr(self, one.name) for one in fields(Vocabulary)})
        return spelling.client_tags(keywords)

    def without(self, registers: Collection[str]) -> Vocabulary:
        return replace(self, frozen=self.frozen.union(registers))

    def _keyword_goal(self, state: State) -> set[str]:
        return {name for name in super()._keyword_goal(state) if self._is_ours(name)}

    def _is_frozen(self, register: str) -> bool:
        return not self.frozen.isdisjoint((EVERYTHING, register))


def is_writable(keyword: str) -> bool:
    """Whether every server takes it as a keyword."""
    return KEYWORD.fullmatch(keyword) is not None


def registered(name: str) -> str:
    """A name of ours as it is registered. Servers compare names casefolded, people read them."""
    return _REGISTERED.get(name, name)


def is_bookkeeping(keyword: str) -> bool:
    """System flags, registered keywords ("$…") and what programs keep for themselves: never shown as a tag."""
    name = keyword.casefold()
    if name.startswith(_THUNDERBIRD_LABEL):
        return False
    return name.startswith(("\\", "$", *_BOOKKEEPING_PREFIXES)) or name in _BOOKKEEPING


def _written(mapped: Mapping[str, str], value: str) -> str | None:
    return min((name for name, meaning in mapped.items() if meaning == value), default=None)
