"""An IMAP server in memory, only for interleavings: the test decides who acts between two commands, and where a worker
dies.

It has folders with UIDVALIDITY, UIDNEXT and MODSEQ, and as much of `ImapSession` as pull and push use. It does not test
the protocol, because it does what we believe about servers. The other tests of this folder prove on Dovecot that the
same code works with real servers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from app.mail.child import MailParser
from app.mail.errors import FolderGone
from app.mail.folders import with_roles
from app.mail.imap import ImapSession
from app.mail.names import UidSet
from app.mail.parse import MailSource, ParsedMail, parse
from app.mail.values import Changes, FetchedMail, FlagRow, FolderInfo, Selected, SizeRow

_START = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
EXTENSIONS = ("QRESYNC", "CONDSTORE", "none")


class Died(BaseException):
    """The worker is killed here. No `except Exception` catches it."""


@dataclass
class Mail:
    """A mail at one place. Flags by their casefolded name, in the server's spelling."""

    number: int
    raw: bytes
    at: dt.datetime
    flags: dict[str, str] = field(default_factory=dict)
    modseq: int = 1

    def names(self) -> frozenset[str]:
        return frozenset(self.flags)


@dataclass
class SimulatedFolder:
    name: str
    uidvalidity: int = 1
    uidnext: int = 1
    modseq: int = 1
    mails: dict[int, Mail] = field(default_factory=dict)
    vanished: dict[int, int] = field(default_factory=dict)  # UID -> MODSEQ at which it disappeared
    keywords: set[str] = field(default_factory=set)

    def put(self, mail: Mail) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.mails[uid] = mail
        self._touch(mail)
        return uid

    def take(self, uid: int) -> Mail | None:
        mail = self.mails.pop(uid, None)
        if mail is not None:
            self.modseq += 1
            self.vanished[uid] = self.modseq
        return mail

    def change(self, uid: int, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> bool:
        """Returns whether anything changed; as with Dovecot, nothing happens otherwise."""
        mail = self.mails.get(uid)
        if mail is None:
            return False
        before = dict(mail.flags)
        for name in add:
            mail.flags.setdefault(name.casefold(), name)
        for name in remove:
            mail.flags.pop(name.casefold(), None)
        if mail.flags == before:
            return False
        self._touch(mail)
        return True

    def _touch(self, mail: Mail) -> None:
        self.modseq += 1
        mail.modseq = self.modseq
        self.keywords |= {name for name in mail.flags.values() if not name.startswith("\\")}


class SimulatedServer:
    """`writes` counts the changes by sessions. `before` and `after` are called around every command of a session."""

    def __init__(self, names: Sequence[str], extensions: str = "QRESYNC") -> None:
        self.folders = {name: SimulatedFolder(name) for name in names}
        self.extensions = extensions
        self.writes = 0
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self._numbers = 0

    def deliver(self, raw: bytes, folder: str = "INBOX") -> Mail:
        self._numbers += 1
        mail = Mail(self._numbers, raw, _START + dt.timedelta(minutes=self._numbers))
        self.folders[folder].put(mail)
        return mail

    def places(self) -> list[tuple[SimulatedFolder, int, Mail]]:
        """Every mail at every place, in a fixed order."""
        return [(folder, uid, mail) for folder in self.folders.values() for uid, mail in folder.mails.items()]

    def move(self, folder: SimulatedFolder, uid: int, to: str) -> Mail | None:
        mail = folder.take(uid)
        if mail is not None:
            self.folders[to].put(mail)
        return mail

    def copy(self, mail: Mail, to: str) -> Mail:
        twin = Mail(mail.number, mail.raw, mail.at, dict(mail.flags))
        self.folders[to].put(twin)
        return twin

    def session(self) -> SimulatedSession:
        return SimulatedSession(self)


class SimulatedSession(ImapSession):
    """The session for pull and push. At every command others may act or the worker may die."""

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server
        self.selected: str | None = None
        self.qresync = server.extensions == "QRESYNC"
        self.condstore = server.extensions != "none"
        self.capabilities = frozenset({"MOVE", "UIDPLUS"} | ({server.extensions} - {"none"}))

    def close(self) -> None:
        self.selected = None

    def folders(self) -> list[FolderInfo]:
        with _Step(self._server):
            names = [FolderInfo(name, "/", frozenset(), None, True) for name in self._server.folders]
            return with_roles(names)

    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        with _Step(self._server):
            folder = self._server.folders.get(name)
            if folder is None:
                raise FolderGone(name)
            self.selected = name
            used = known is not None and self.qresync and known[0] == folder.uidvalidity
            since = known[1] if known is not None and used else None
            return Selected(
                name=name,
                exists=len(folder.mails),
                uidvalidity=folder.uidvalidity,
                uidnext=folder.uidnext,
                highestmodseq=folder.modseq if self.condstore else None,
                keywords=frozenset(folder.keywords),
                permanent=None,
                read_only=read_only,
                changes=[] if since is None else self._rows(since),
                vanished=[] if since is None else self._vanished(since),
                qresync_used=used,
            )

    def changes(self, modseq: int) -> Changes:
        with _Step(self._server):
            return Changes(self._rows(modseq), self._vanished(modseq) if self.qresync else [])

    def flags(self, uids: str | Iterable[int]) -> list[FlagRow]:
        with _Step(self._server):
            return [self._row(uid, mail) for uid, mail in self._named(uids)]

    def uids(self, low: int = 1, high: int | None = None) -> list[int]:
        with _Step(self._server):
            return sorted(uid for uid in self._folder.mails if low <= uid <= (high or uid))

    def sizes(self, uids: str | Iterable[int]) -> list[SizeRow]:
        with _Step(self._server):
            return [SizeRow(u, len(m.raw), tuple(m.flags.values()), m.modseq, m.at) for u, m in self._named(uids)]

    def fetch(self, uids: str | Iterable[int], *, max_whole: int = 256 * 1024) -> Iterator[FetchedMail]:
        with _Step(self._server):
            found = [
                FetchedMail(uid, tuple(mail.flags.values()), mail.modseq, mail.at, len(mail.raw), mail.raw, True)
                for uid, mail in self._named(uids)
            ]
        yield from found

    def add(self, uids: Iterable[int], names: Sequence[str]) -> None:
        with _Step(self._server):
            self._server.writes += sum(self._folder.change(uid, add=names) for uid in uids)

    def remove(self, uids: Iterable[int], names: Sequence[str]) -> None:
        with _Step(self._server):
            self._server.writes += sum(self._folder.change(uid, remove=names) for uid in uids)

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        with _Step(self._server):
            source, target = self._folder, self._server.folders.get(folder)
            if target is None:
                raise FolderGone(folder)
            moved = {}
            for uid in sorted(uids):
                mail = source.take(uid)
                if mail is not None:
                    moved[uid] = target.put(mail)
            self._server.writes += len(moved)
            return moved

    @property
    def _folder(self) -> SimulatedFolder:
        assert self.selected is not None, "no folder is open"
        return self._server.folders[self.selected]

    def _named(self, uids: str | Iterable[int]) -> list[tuple[int, Mail]]:
        mails = self._folder.mails
        if isinstance(uids, str):
            low = int(uids.removesuffix(":*"))
            return [(uid, mail) for uid, mail in sorted(mails.items()) if uid >= low]
        return [(uid, mails[uid]) for uid in sorted(set(uids)) if uid in mails]

    def _rows(self, since: int) -> list[FlagRow]:
        return [self._row(uid, mail) for uid, mail in sorted(self._folder.mails.items()) if mail.modseq > since]

    def _row(self, uid: int, mail: Mail) -> FlagRow:
        return FlagRow(uid, tuple(mail.flags.values()), mail.modseq if self.condstore else None)

    def _vanished(self, since: int) -> UidSet:
        return [(uid, uid) for uid, modseq in self._folder.vanished.items() if modseq > since]


class InlineParser(MailParser):
    """Parses at once in this process, because these mails are ours."""

    def __init__(self) -> None:
        """No child process."""

    def submit(self, mails: Sequence[MailSource], owner: Hashable = None) -> Future[list[ParsedMail]]:
        done: Future[list[ParsedMail]] = Future()
        done.set_result([parse(mail.raw) for mail in mails])
        return done

    def submit_quick(self, mails: Sequence[MailSource], owner: Hashable = None) -> Future[list[ParsedMail | None]]:
        done: Future[list[ParsedMail | None]] = Future()
        done.set_result([parse(mail.raw) for mail in mails])
        return done


class _Step:
    """One command: others may act before it, and the worker may die before or after it takes effect."""

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.before()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._server.after()
