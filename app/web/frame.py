"""The frame of every list: sidebar, banner, foot. Read with a handful of queries per page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.inbox.actor import web
from app.inbox.lists.counts import COUNT_CAP, TagCount, counts, tags
from app.inbox.lists.find import MailboxName, mailbox_names
from app.inbox.mailboxes.rows import FolderRow, MailboxRow
from app.inbox.people.member import Member
from app.inbox.permission import Action, may
from app.inbox.server.health import Health, health
from app.inbox.server.keywords_on_server import full_folders
from app.web.icons import VIEW_ICONS
from app.web.language import gettext as _
from app.web.where import VIEW_KEYS, view_names

TAGS_SHOWN = 8


@dataclass(frozen=True)
class ViewItem:
    name: str
    title: str
    icon: str
    key: str | None
    count: int

    @property
    def wants(self) -> bool:
        return self.name == "unassigned"

    @property
    def count_text(self) -> str:
        return count_text(self.count)


@dataclass(frozen=True)
class Frame:
    """`mailboxes`: those to choose from; empty if the member sees only this one."""

    mailbox: MailboxRow
    mailboxes: list[MailboxName]
    views: list[ViewItem]
    tags: list[TagCount]
    folders: list[FolderRow]
    full_folders: list[FolderRow]
    health: Health
    manages: bool
    tags_shown: int = TAGS_SHOWN

    @property
    def state(self) -> str:
        return self.health.state

    @property
    def first_tags(self) -> set[str]:
        return {tag.name for tag in self.tags[: self.tags_shown]}

    def label_of(self, tag: str | None) -> str:
        """The label of a tag; a name that nothing carries has none."""
        return next((line.label for line in self.tags if tag and line.name.lower() == tag.lower()), "")

    @property
    def import_percent(self) -> int:
        total = self.mailbox.import_total
        return min(99, 100 * self.mailbox.import_done // total) if total else 0

    @property
    def trouble(self) -> str:
        """The problem with the mail server, in a sentence that says what to do."""
        return {
            "unreachable": _("The mail server does not answer."),
            "unavailable": _("The mail server is overloaded or under maintenance."),
            "login_refused": _("The mail server rejects the sign-in. An administrator must check the password."),
            "untrusted": _("The mail server’s certificate is not trusted. An administrator must check it."),
            "secret": _("The worker cannot decrypt this mailbox’s password. An administrator must check the key."),
            "servers_changed": _(
                "The servers of this mailbox were changed without its password. An administrator must enter it again."
            ),
            "over_quota": _("The mail account is full (quota). An administrator must free space."),
            "disk_full": _("The database’s disk is full. An administrator must free space."),
        }.get(self.mailbox.error_code or "", _("The mail server is not available."))


def frame(session: Session, member: Member, mailbox: MailboxRow) -> Frame:
    counted = counts(session, member, mailbox.id)
    return Frame(
        mailbox=mailbox,
        mailboxes=mailbox_names(session, member) if len(member.grants) > 1 else [],
        views=[_view_item(name, title, counted) for name, title in view_names().items()],
        tags=tags(session, member, mailbox.id),
        folders=_folders(mailbox),
        full_folders=full_folders(mailbox),
        health=health(session, mailbox),
        manages=may(web(member), Action.MAKE_TAGS, mailbox),
    )


def count_text(count: int) -> str:
    return f"{count}+" if count >= COUNT_CAP else str(count)


def _folders(mailbox: MailboxRow) -> list[FolderRow]:
    """The watched folders, the inbox first. Junk and Trash are views already."""
    shown = [f for f in mailbox.folders if f.watched and f.role not in ("junk", "trash") and f.lost_at is None]
    return sorted(shown, key=lambda f: (f.role != "inbox", f.role is None, f.name.lower()))


def _view_item(name: str, title: str, counted: dict[str, int]) -> ViewItem:
    return ViewItem(name, title, VIEW_ICONS[name], VIEW_KEYS.get(name), counted.get(name, 0))
