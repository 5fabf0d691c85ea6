"""Attempt: a mailbox that an administrator is about to connect, or one whose servers are about to change.

The web seals the password and creates the attempt. A worker tests the account and records the result. The administrator
then chooses, and only then the mailbox is created. An attempt that nobody continues for 15 minutes is erased, with its
passwords.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ForeignKey, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.announcements import AttemptWaits
from app.clock import now
from app.db import Base, announce, session_of
from app.inbox.actor import Actor
from app.inbox.admin import team
from app.inbox.errors import N_, Invalid, NotFound
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode, check_new_name
from app.inbox.mailboxes.servers import Servers
from app.inbox.people.address import check_address
from app.inbox.people.member import Member
from app.inbox.permission import Role, require_admin
from app.inbox.server.retrying import limit_keywords, resume
from app.queue import SEE_LOG, Queued

_LASTS = dt.timedelta(minutes=15)
_FIRST_DAY = dt.date(1970, 1, 1)  # earlier than any mailbox
#: Folders that are watched by default, if the server has them.
WATCHED_ROLES = ("inbox", "sent", "junk", "trash", "archive")
#: Mail is counted by age in days, so that people see how much an import would bring.
AGES = (7, 14, 30, 90, 180, 365, 730, 1825)


class AttemptStage(StrEnum):
    ASKED = "asked"
    FOUND = "found"
    FAILED = "failed"


@dataclass(frozen=True)
class FoundFolder:
    """A folder of the server. The fields from `exists` on are from opening it; None if it was not opened.

    `younger`: days -> number of mails that arrived since then, for folders with a role."""

    name: str
    role: str | None
    exists: int | None = None
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None
    read_only: bool = False
    keywords: list[str] = field(default_factory=list)
    younger: dict[str, int] = field(default_factory=dict)

    @property
    def usual(self) -> bool:
        return self.exists is not None and self.role in WATCHED_ROLES

    @property
    def is_inbox(self) -> bool:
        return self.role == "inbox"

    def since(self, days: int) -> int:
        """The number of mails that are at most this old, or of all mails if they were not counted."""
        return self.younger.get(str(days), self.exists or 0)


def _end() -> dt.datetime:
    return now() + _LASTS


class Attempt(Queued, Servers, Base):
    """A worker tests it as a job. `expires_at`: when it is erased."""

    __tablename__ = "attempt"

    LEASE = dt.timedelta(minutes=3)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox.id"))  # an existing mailbox
    name: Mapped[str]
    address: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(default=_end)

    # filled by the worker
    stage: Mapped[str] = mapped_column(default=AttemptStage.ASKED)
    error_server: Mapped[str | None]  # imap or smtp
    error_code: Mapped[str | None]  # as for a mailbox
    error_text: Mapped[str | None]
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the shape of `mailbox check --json`, without folders
    found: Mapped[list[Any]] = mapped_column(default=list)
    keyword_limit: Mapped[int | None]

    # filled by the administrator
    watched: Mapped[list[str]] = mapped_column(default=list)
    import_choice: Mapped[str] = mapped_column(default="all")
    import_since: Mapped[dt.datetime | None]
    close_older_than_days: Mapped[int | None]

    @property
    def folders(self) -> list[FoundFolder]:
        return [FoundFolder(**folder) for folder in self.found]

    def note_found(self, report: Mapping[str, Any], folders: Iterable[FoundFolder], keyword_limit: int | None) -> None:
        """Record that the account can be used."""
        self.finish()
        self.stage, self.report, self.keyword_limit = AttemptStage.FOUND, dict(report), keyword_limit
        self.found = [asdict(folder) for folder in folders]
        self.watched = [folder.name for folder in self.folders if folder.usual]
        self.error_server = self.error_code = self.error_text = None

    def note_failed(self, server: str, code: str, text: str) -> None:
        self.finish()
        self.stage, self.error_server, self.error_code, self.error_text = AttemptStage.FAILED, server, code, text

    def ask(self, *, by: Actor) -> None:
        """Have a worker test it (again)."""
        require_admin(by)
        self.touch()
        self.stage = AttemptStage.ASKED
        self.enqueue()
        announce(session_of(self), AttemptWaits())

    def give_up(self) -> None:
        self.note_failed("imap", "internal", SEE_LOG)

    def touch(self) -> None:
        self.expires_at = _end()

    def watch(self, names: Iterable[str]) -> None:
        """Choose the folders to watch. Raises Invalid for a folder that does not exist, or without the inbox."""
        self.touch()
        chosen, openable = set(names), [f for f in self.folders if f.exists is not None]
        for name in sorted(chosen - {f.name for f in openable}):
            raise no_folder(name, openable)
        if not any(f.is_inbox and f.name in chosen for f in openable):
            raise Invalid("folder", N_("The inbox must be watched, because new mail arrives there."))
        self.watched = [f.name for f in openable if f.name in chosen]

    def choose_import(self, choice: str, since: dt.date | None, close_days: int | None) -> None:
        """`since`: the first day, for that choice. Raises Invalid for a choice that is not offered."""
        self.touch()
        if choice not in ("all", "new", "since"):
            raise Invalid("import", N_("“%(value)s” is not one of the choices."), value=choice)
        if choice == "since" and (since is None or not _FIRST_DAY <= since <= now().date()):
            raise Invalid("import", N_("Choose a day in the past."))
        if close_days is not None and close_days not in AGES:
            raise Invalid("close", N_("“%(value)s” is not one of the choices."), value=close_days)
        self.import_choice, self.close_older_than_days = choice, close_days
        midnight = dt.datetime.combine(since, dt.time(), dt.UTC) if since else None
        self.import_since = midnight if choice == "since" else None

    def end(self) -> None:
        session_of(self).delete(self)


def find_attempt(session: Session, member: Member, attempt_id: int, *, lock: bool = False) -> Attempt:
    """One of the member's own attempts that has not expired. Raises NotFound."""
    query = select(Attempt).where(Attempt.id == attempt_id, Attempt.member_id == member.id, Attempt.expires_at > now())
    attempt = session.scalar(query.with_for_update() if lock else query)
    if attempt is None:
        raise NotFound
    return attempt


def start(session: Session, attempt: Attempt, *, time_zone: str, roles: Mapping[int, Role], by: Actor) -> Mailbox:
    """Create the mailbox as it was tested and chosen; `roles` by the member's id. The worker begins to import within
    seconds.

    Raises Invalid for a name that was taken in the meantime, a wrong address, or a folder that does not exist."""
    require_admin(by)
    if attempt.stage != AttemptStage.FOUND or attempt.mailbox_id is not None:
        raise NotFound
    if time_zone not in available_timezones():
        raise Invalid(
            "time_zone", N_("“%(zone)s” is not a time zone. Choose one such as Europe/Madrid."), zone=time_zone
        )
    mailbox = Mailbox(
        name=check_new_name(session, attempt.name),
        address=check_address(attempt.address),
        mode=attempt.report["mode"],
        keyword_limit=attempt.keyword_limit,
        time_zone=time_zone,
        import_choice=attempt.import_choice,
        import_since=now() if attempt.import_choice == "new" else attempt.import_since,
        close_older_than_days=attempt.close_older_than_days,
        report=report_of(attempt.report, attempt.folders, attempt.watched),
        folders=[_folder(listed, attempt) for listed in attempt.folders],
    )
    mailbox.copy_servers(attempt)
    session.add(mailbox)
    session.flush()
    record(session, EventKind.MAILBOX_ADDED, by=by, mailbox_id=mailbox.id, after={"mailbox": mailbox.name})
    for member in session.scalars(select(Member).where(Member.id.in_(roles)).order_by(Member.id)):
        team.grant(session, member, mailbox, roles[member.id], by=by)
    mailbox.tell_health()
    return mailbox


def change_servers(session: Session, attempt: Attempt, *, by: Actor) -> Mailbox:
    """Give the mailbox the servers that were tested, and begin a round at once.

    Raises Invalid if the mailbox keeps its state as keywords but the new server keeps none, because all state would
    count as removed."""
    require_admin(by)
    if attempt.stage != AttemptStage.FOUND or attempt.mailbox_id is None:
        raise NotFound
    mailbox = session.get_one(Mailbox, attempt.mailbox_id)
    if attempt.report["mode"] == Mode.DATABASE != mailbox.mode:
        raise Invalid(
            "imap_host",
            N_(
                "This server does not keep keywords. First set the mailbox to keep its state in Signalbox only "
                "(Settings)."
            ),
        )
    # otherwise an administrator has set it
    if (mailbox.imap_host, mailbox.imap_port) != (attempt.imap_host, attempt.imap_port):
        limit_keywords(mailbox, attempt.keyword_limit, by=by)
    session.flush()
    # the web’s database role cannot do it directly
    session.execute(text("SELECT take_servers(:attempt)"), {"attempt": attempt.id})
    session.refresh(mailbox, list(Servers.__annotations__))
    watched = [folder.name for folder in mailbox.folders if folder.watched]
    mailbox.report = report_of(attempt.report, attempt.folders, watched)
    record(session, EventKind.MAILBOX_CHANGED, by=by, mailbox_id=mailbox.id, after={"changed": ["servers"]})
    resume(mailbox, by=by)
    mailbox.tell_health()
    return mailbox


def report_of(report: Mapping[str, Any], folders: Iterable[FoundFolder], watched: Iterable[str]) -> dict[str, Any]:
    """The whole report, in the shape of `mailbox check --json`."""
    names = set(watched)
    lines = [
        {"name": f.name, "role": f.role, "watched": f.name in names, "keywords": f.keywords if f.name in names else []}
        for f in folders
    ]
    return {**report, "folders": lines}


def no_folder(name: str, there: Iterable[FoundFolder]) -> Invalid:
    known = ", ".join(sorted(folder.name for folder in there))
    return Invalid("folder", N_("The server has no folder “%(name)s”. Its folders: %(known)s."), name=name, known=known)


def forget_old(session: Session) -> None:
    """Erase attempts that nobody continued, with their sealed passwords."""
    session.execute(delete(Attempt).where(Attempt.expires_at < now()))


def count_mails(folders: Iterable[FoundFolder], days: int | None = None) -> int:
    """Count the mails in these folders; with `days` only those of the last days."""
    return sum(f.since(days) if days else f.exists or 0 for f in folders)


def _folder(listed: FoundFolder, attempt: Attempt) -> Folder:
    folder = Folder(name=listed.name, role=listed.role, watched=listed.name in attempt.watched)
    if not folder.watched:
        return folder
    folder.read_only = listed.read_only
    folder.keywords = sorted({keyword.casefold() for keyword in listed.keywords})
    if attempt.import_choice == "new":
        # The start line was set when the account was tested. Mail that has arrived since is new.
        folder.uidvalidity, folder.uidnext, folder.highestmodseq = (
            listed.uidvalidity,
            listed.uidnext,
            listed.highestmodseq,
        )
        folder.start_uid = folder.import_uid = listed.uidnext or 1
        folder.server_count = folder.left_out = listed.exists or 0
    return folder
