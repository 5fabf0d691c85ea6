"""Vocabulary: maps the state of a conversation to IMAP keywords in one mailbox. Pure; docs/keywords.md is its
specification.

Keywords are compared casefolded. `\\flagged` (the star) counts as a keyword. One class per storage mode decides which
keywords are ours, what they mean and which a copy should show: `Vocabulary` if the server keeps keywords,
`DatabaseVocabulary` if it does not, or not yet again.
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
#: Spellings that clients use for the registered keyword. We read them as the same and never write them.
_SPAM_SPELLINGS = frozenset({SPAM, "junk"})
NOT_SPAM_SPELLINGS = frozenset({NOT_SPAM, "nonjunk", "notjunk"})
#: Keywords that programs set for themselves, not tags of people: mutt and neomutt (`Old`), Evolution
#: (`receipt-handled`, `ignore-thread`), older KMail, Apple Mail, Gnus, Open-Xchange, AOL, OtherInbox, Dovecot.
_BOOKKEEPING = frozenset(
    {
        "forwarded", "ignore-thread", "junk", "junkrecorded", "kmailforwarded", "kmailignored", "kmailtodo",
        "kmailwatched", "nonjunk", "notjunk", "old", "receipt-handled", "redirected",
    }
)  # fmt: skip
_BOOKKEEPING_PREFIXES = ("unknown-", "$cl_", "gnus-", "oib-seen-", "xaol-")
_THUNDERBIRD_LABEL = "$label"  # $label1 to $label5: tags of people, although they start with "$"
#: As a register: all except the star, which every server keeps.
EVERYTHING = "*"
#: With a limit of 24 keywords in a folder, new tags stop at 18; the rest is left for people and states.
_TAG_SHARE = 0.75


@dataclass(frozen=True)
class State:
    """The state of a conversation that the server can show. `owner`: a handle or an unknown name."""

    owner: str | None = None
    status: Status = Status.OPEN
    star: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Vocabulary:
    """Mode `keywords`. `owners`, `statuses`: names to which a mapping gave a meaning. `tags`: every name of one of our
    tags -> the tag's own name (which differs for an alias)."""

    assigned_prefix: str = "assigned-"
    state_prefix: str = "state-"
    owners: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None

    # reading ------------------------------------------------------------------------------------------------------

    def ours(self, keywords: Iterable[str]) -> frozenset[str]:
        """Our keywords among those of a copy, casefolded. A keyword that we could not write is a client's. Junk and
        not-junk together count as neither."""
        names = {keyword.casefold(): keyword for keyword in keywords}
        if not names.keys().isdisjoint(NOT_SPAM_SPELLINGS):
            names = {name: keyword for name, keyword in names.items() if name not in _SPAM_SPELLINGS}
        return frozenset(name for name, keyword in names.items() if self._is_ours(keyword))

    def owner_names(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.owner_of(name) is not None)

    def status_names(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.status_of(name) is not None)

    def owner_of(self, name: str) -> str | None:
        """The owner that this keyword names; None if it names none."""
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
        """Keywords of one register exclude each other or mean the same. Registers are merged separately."""
        if self.owner_of(name) is not None:
            return "owner"
        if self.status_of(name) is not None:
            return "status"
        tag = self.tag_of(name)
        return name if tag is None else f"tag {tag}"

    def only(self, register: str, names: Iterable[str]) -> frozenset[str]:
        """The keywords of one register."""
        return frozenset(name for name in names if self.register_of(name) == register)

    def client_tags(self, keywords: Iterable[str]) -> frozenset[str]:
        """Tags that a person set in a mail client and nobody adopted here, in the client's spelling."""
        return frozenset(k for k in keywords if not self._is_ours(k) and not is_bookkeeping(k))

    def without(self, registers: Collection[str]) -> Vocabulary:
        """This vocabulary, ignoring the given registers. `EVERYTHING` ignores all but the star."""
        return DatabaseVocabulary(**vars(self), frozen=frozenset(registers))

    # writing ------------------------------------------------------------------------------------------------------

    def goal(self, state: State, known: Iterable[str] = ()) -> frozenset[str]:
        """The keywords that a copy should show. `known`: keywords that the folder holds already. A keyword that does
        not fit beside them is left out, so that push does not repeat it."""
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
        for name in sorted(names, key=lambda name: (name in self.tags, name)):  # people and states come first
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
    """Mode `database`: everything except the star is stored in Postgres. No keyword is read as state, written or
    removed. A keyword that would have a meaning in mode `keywords` is not a client's tag either.

    `frozen`: the registers to which this applies; only some while a person has to choose a side (`Vocabulary.without`).
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
    """Whether every server accepts this keyword."""
    return KEYWORD.fullmatch(keyword) is not None


def registered(name: str) -> str:
    """A keyword of ours in its registered spelling. Servers compare keywords casefolded; people read them."""
    return _REGISTERED.get(name, name)


def is_bookkeeping(keyword: str) -> bool:
    """System flags, registered keywords ("$…") and keywords that programs set for themselves: never shown as a tag."""
    name = keyword.casefold()
    if name.startswith(_THUNDERBIRD_LABEL):
        return False
    return name.startswith(("\\", "$", *_BOOKKEEPING_PREFIXES)) or name in _BOOKKEEPING


def _written(mapped: Mapping[str, str], value: str) -> str | None:
    return min((name for name, meaning in mapped.items() if meaning == value), default=None)
