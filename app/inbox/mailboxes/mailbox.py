"""Mailbox: one IMAP account the team shares; its servers, sealed secrets, choices and health."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Integer, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.announcements import HealthChanged
from app.clock import now
from app.db import Base, announce, session_of
from app.inbox.actor import Actor
from app.inbox.errors import N_, Invalid, NotFound
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.servers import Servers
from app.inbox.naming import one_line
from app.inbox.people.address import check_address
from app.inbox.permission import require_admin

#: The number of keywords that a folder holds: by default, on Cyrus, and without a limit.
KEYWORD_LIMITS = (24, 100, None)
_MOST_ADDRESSES = 100


class Mode(StrEnum):
    """Where the state of conversations is stored."""

    KEYWORDS = "keywords"  # on the server, for every mail client to see
    DATABASE = "database"  # in Postgres only, because the server keeps no keywords


class MailboxColumns(Protocol):
    @property
    def address(self) -> str: ...

    @property
    def other_addresses(self) -> list[str]: ...

    @property
    def paused_at(self) -> dt.datetime | None: ...

    @property
    def failing_since(self) -> dt.datetime | None: ...

    @property
    def imported_at(self) -> dt.datetime | None: ...


class MailboxRules:
    """Rules for the columns of a mailbox, shared by the row that verbs change and the one that pages read."""

    @property
    def addresses(self: MailboxColumns) -> list[str]:
        """Its own address and its aliases."""
        return [self.address, *self.other_addresses]

    @property
    def state(self: MailboxColumns) -> str:
        """ok, importing, failing or paused."""
        if self.paused_at is not None:
            return "paused"
        if self.failing_since is not None:
            return "failing"
        return "ok" if self.imported_at is not None else "importing"


class Mailbox(MailboxRules, Servers, Base):
    __tablename__ = "mailbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    #: Aliases under which the team receives and writes mail.
    other_addresses: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    # choices
    mode: Mapped[str] = mapped_column(default=Mode.KEYWORDS)
    #: On the way from `database` to `keywords`: the server has to be tested first, and every mail to be compared.
    returning: Mapped[bool] = mapped_column(default=False)
    assigned_prefix: Mapped[str] = mapped_column(default="assigned-")  # fixed once connected
    state_prefix: Mapped[str] = mapped_column(default="state-")
    #: Per folder. None: the server has no limit (a value, not a missing one).
    keyword_limit: Mapped[int | None] = mapped_column(Integer().evaluates_none(), default=24)
    time_zone: Mapped[str] = mapped_column(default="UTC")
    agents_assign: Mapped[bool] = mapped_column(default=True)
    marks_seen: Mapped[bool] = mapped_column(default=True)
    #: Minutes after which a customer's wait is late, and over: see `derived.wait_level`.
    late_minutes: Mapped[int] = mapped_column(default=120)
    over_minutes: Mapped[int] = mapped_column(default=360)
    #: Mail servers whose results about senders are trusted (the authserv-id of RFC 8601), in lower case.
    authserv_ids: Mapped[list[str]] = mapped_column(default=list)
    import_since: Mapped[dt.datetime | None]  # None: everything; see `import_choice`
    import_choice: Mapped[str] = mapped_column(default="all")  # all, new, since
    close_older_than_days: Mapped[int | None]

    # the result of the probe, in the shape of `mailbox check --json`
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)

    # health: the errors of the last rounds, or why something waits although they succeeded. Pages translate
    # `error_code`; `error_text` has the server's words.
    paused_at: Mapped[dt.datetime | None]
    imported_at: Mapped[dt.datetime | None]
    import_total: Mapped[int] = mapped_column(default=0)
    import_done: Mapped[int] = mapped_column(default=0)
    last_round_at: Mapped[dt.datetime | None]
    failing_since: Mapped[dt.datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[dt.datetime | None]
    error_code: Mapped[str | None]
    error_text: Mapped[str | None]

    #: The version of the parser that reads its mail (app/mail/version.py). Messages below `renew_below` were read by an
    #: older one and are read again; None: none are left. See app/inbox/arriving/renewal.py.
    read_version: Mapped[int] = mapped_column(default=0)
    renew_below: Mapped[int | None]

    next_number: Mapped[int] = mapped_column(default=1)
    pulls: Mapped[int] = mapped_column(default=0)  # number of full pulls; "within the last two" refers to it
    #: The worker that serves the mailbox: backend of its lock connection, and its last heartbeat.
    holder_pid: Mapped[int | None]
    holder_beat_at: Mapped[dt.datetime | None]

    folders: Mapped[list[Folder]] = relationship(
        order_by="Folder.name", cascade="all, delete-orphan", back_populates="mailbox"
    )

    def folder(self, role: str) -> Folder | None:
        """The watched folder with this role (inbox, sent, junk, trash, archive). An existing one wins over a lost
        one."""
        having = [f for f in self.folders if f.role == role and f.watched]
        return min(having, key=lambda f: f.lost_at is not None, default=None)

    def folder_by_id(self, folder_id: int) -> Folder:
        """One of its folders. Raises NotFound."""
        for folder in self.folders:
            if folder.id == folder_id:
                return folder
        raise NotFound

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def next_working_day(self) -> dt.datetime:
        """The next Monday to Friday at 09:00 in the mailbox's time zone: the end of a snooze without a time."""
        day = now().astimezone(self.zone) + dt.timedelta(days=1)
        while day.weekday() >= 5:
            day += dt.timedelta(days=1)
        return day.replace(hour=9, minute=0, second=0, microsecond=0).astimezone(dt.UTC)

    @property
    def wanted_mode(self) -> Mode:
        """The mode that was requested last."""
        return Mode.KEYWORDS if self.returning else Mode(self.mode)

    @property
    def read_whole(self) -> bool:
        """Whether no mail waits to be read, for the first time or after a reset, ignoring hidden folders."""
        there = [folder for folder in self.folders if folder.watched and folder.lost_at is None]
        return not any(folder.importing or folder.reset_at is not None for folder in there)

    def tell_health(self) -> None:
        """Have open pages show the health."""
        announce(session_of(self), HealthChanged(self.id, self.state))

    def change(
        self, *, name: str, address: str, time_zone: str, agents_assign: bool, marks_seen: bool, by: Actor
    ) -> None:
        """Change what people see of it and may do in it. Raises Invalid for an impossible value."""
        require_admin(by)
        if time_zone not in available_timezones():
            raise Invalid(
                "time_zone", N_("“%(zone)s” is not a time zone. Choose one such as Europe/Madrid."), zone=time_zone
            )
        values = {
            "name": check_new_name(session_of(self), name, of=self),
            "address": check_address(address),
            "time_zone": time_zone,
            "agents_assign": agents_assign,
            "marks_seen": marks_seen,
        }
        changed = sorted(field for field, value in values.items() if getattr(self, field) != value)
        for field in changed:
            setattr(self, field, values[field])
        if changed:
            self.record(EventKind.MAILBOX_CHANGED, by, changed=changed)

    def trust_servers(self, ids: str, *, by: Actor) -> None:
        """Trust the results of these mail servers about senders, for future mail. Names are separated by spaces or
        commas. Raises Invalid."""
        require_admin(by)
        names = list(dict.fromkeys(ids.lower().replace(",", " ").split()))
        if len(names) > 10 or any(len(id_) > 255 or ";" in id_ or not id_.isprintable() for id_ in names):
            raise Invalid("authserv_ids", N_("Enter at most 10 mail server names, such as mx.example.com."))
        if names != self.authserv_ids:
            self.authserv_ids = names
            self.record(EventKind.MAILBOX_CHANGED, by, changed=["authserv_ids"], authserv_ids=names)

    def authentication_of(self, results: Iterable[tuple[str, str]]) -> str | None:
        """The trusted servers' result for a mail: pass, fail or none; None if no server is trusted."""
        if not self.authserv_ids:
            return None
        return next((verdict for id_, verdict in results if id_ in self.authserv_ids), "none")

    def change_other_addresses(self, addresses: Iterable[str], *, by: Actor) -> None:
        """Set the aliases. Mail from these addresses counts as ours from now on. Raises Invalid if it is not an
        address."""
        require_admin(by)
        addresses = sorted({check_address(address, "other_addresses").lower() for address in addresses})
        if len(addresses) > _MOST_ADDRESSES:
            raise Invalid("other_addresses", N_("A mailbox can have at most %(most)d aliases."), most=_MOST_ADDRESSES)
        if addresses != self.other_addresses:
            self.other_addresses = addresses
            self.record(EventKind.MAILBOX_CHANGED, by, changed=["other_addresses"])

    def watch(self, folder: Folder, *, by: Actor) -> None:
        """Start to import and sync another folder."""
        require_admin(by)
        if not folder.watched:
            folder.watched = True
            self.record(EventKind.FOLDER_WATCHED, by, folder=folder.name)

    def unwatch(self, folder: Folder, *, by: Actor) -> None:
        """Stop watching the folder and hide its mail, as if it were gone. Raises Invalid for the inbox."""
        require_admin(by)
        if folder.role == "inbox":
            raise Invalid("folder", N_("The inbox must be watched, because new mail arrives there."))
        if folder.watched:
            folder.watched = False
            self.record(EventKind.FOLDER_UNWATCHED, by, folder=folder.name)

    def pause(self, *, by: Actor) -> None:
        require_admin(by)
        if self.paused_at is None:
            self.paused_at = now()
            self.record(EventKind.MAILBOX_PAUSED, by)

    def number_block(self, count: int) -> int:
        """Reserve `count` conversation numbers; returns the first."""
        after = session_of(self).scalar(
            update(Mailbox)
            .where(Mailbox.id == self.id)
            .values(next_number=Mailbox.next_number + count)
            .returning(Mailbox.next_number)
            .execution_options(synchronize_session=False)
        )
        assert after is not None
        return after - count

    def record(self, kind: EventKind, by: Actor, **more: Any) -> None:
        """Record a line of its history, and update health on open pages."""
        session = session_of(self)
        record(session, kind, by=by, mailbox_id=self.id, after={"mailbox": self.name, **more})
        self.tell_health()


def find_mailbox(session: Session, name: str) -> Mailbox | None:
    """Find a mailbox by name, ignoring case."""
    return session.scalar(select(Mailbox).where(func.lower(Mailbox.name) == name.strip().lower()))


def keyword_limit_of(value: str) -> int | None:
    """The limit as written in forms and commands. Raises Invalid."""
    for limit in KEYWORD_LIMITS:
        if value == keyword_limit_words(limit):
            return limit
    raise Invalid("keyword_limit", N_("“%(value)s” is not one of the choices."), value=value)


def keyword_limit_words(limit: int | None) -> str:
    return "none" if limit is None else str(limit)


def check_new_name(session: Session, name: str, *, of: Mailbox | None = None) -> str:
    """The name as it will be stored. Raises Invalid if it is empty or in use."""
    name = one_line(name)
    if not 1 <= len(name) <= 60:
        raise Invalid("name", N_("A mailbox needs a name of 1 to 60 characters."))
    if find_mailbox(session, name) not in (None, of):
        raise Invalid("name", N_("A mailbox named “%(name)s” already exists. Choose another name."), name=name)
    return name
