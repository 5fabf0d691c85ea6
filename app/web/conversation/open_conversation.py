"""Additional data for the page of one conversation: thread, menus, the server's side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import web
from app.inbox.arriving.own import OwnAddresses
from app.inbox.conversations.derived import Limits, wait_level
from app.inbox.conversations.rows import MailboxTagRow, WholeConversation
from app.inbox.mailboxes.mailbox import Mode
from app.inbox.mailboxes.rows import FolderRow
from app.inbox.mailboxes.vocabulary import registered
from app.inbox.people.member import Member, MemberRow, team
from app.inbox.permission import Action, may
from app.inbox.server.keywords_on_server import ServerCopy, server_copies
from app.web.conversation.history import lines
from app.web.conversation.thread import thread
from app.web.conversation.trust import Senders
from app.web.language import gettext as _
from app.web.language import zone
from app.web.when import time, waited
from app.web.words import status_names

#: Messages that the page of a conversation shows at first, because more take seconds to draw. The rest is one click
#: away.
NEWEST = 50


@dataclass(frozen=True)
class Snooze:
    words: str
    at: dt.datetime


@dataclass(frozen=True)
class MoveTarget:
    """A folder as a move target, in words."""

    id: int
    role: str | None
    words: str
    icon: str


@dataclass(frozen=True)
class Name:
    """A keyword or flag on a copy; `way`: adding or leaving while the change is pending."""

    text: str
    ours: bool
    way: str = ""


@dataclass(frozen=True)
class ServerSide:
    """The server's side: the copies of the messages and pending changes."""

    copies: list[ServerCopy]
    words: str

    @property
    def waiting(self) -> int:
        return sum(copy.waiting for copy in self.copies)

    @property
    def lacking(self) -> bool:
        return any(copy.lacking for copy in self.copies)

    def names(self, copy: ServerCopy) -> list[Name]:
        leaving = set(copy.leaving)
        adding = [Name(registered(name), ours=True, way="adding") for name in copy.adding]
        present = [Name(k, ours=k in copy.ours, way="leaving" if k in leaving else "") for k in copy.keywords]
        present.sort(key=lambda name: (not name.ours, name.text.startswith("\\"), name.text.lower()))
        return [name for name in present if name.ours] + adding + [name for name in present if not name.ours]


@dataclass(frozen=True)
class Conflict:
    title: str
    ours: str
    theirs: str
    our_member: MemberRow | None
    their_member: MemberRow | None
    at: dt.datetime
    may_take: bool


def open_context(
    session: Session, member: Member, conversation: WholeConversation, *, images: int | None = None
) -> dict[str, Any]:
    mailbox = conversation.mailbox
    members = team(session, mailbox.id)
    names = {member.handle: member.name for member in members}
    history = lines(conversation.events, names, {tag.name: tag.label for tag in conversation.mailbox_tags})
    server = ServerSide(server_copies(session, conversation), _server_words(conversation))
    return {
        "conversation": conversation,
        "mailbox": mailbox,
        **_waiting(conversation.waiting_since, mailbox),
        "selected": conversation.id,
        "present": conversation.place != "gone",
        "trust": Senders(OwnAddresses(mailbox.addresses, (member.email for member in members))).trust,
        "thread": thread(conversation, history, images=images),
        "drafts": [r for r in conversation.replies if r.state == "draft" and (r.writer_id or r.author_id) != member.id],
        "earlier": conversation.message_count - len(conversation.messages),
        "history": list(reversed(history)),
        "server": server,
        "owner_on_way": any(name.startswith(mailbox.assigned_prefix) for c in server.copies for name in c.adding),
        "conflict": _conflict(member, conversation, members),
        "team": [one for one in members if one.may_own],
        "offered_tags": _offered(conversation.mailbox_tags),
        "places": _places(conversation.folders.values()),
        "snoozes": snoozes(),
        "note_key": token_urlsafe(8),
        "marks_seen": may(web(member), Action.SEE, mailbox),
    }


def _waiting(since: dt.datetime | None, limits: Limits) -> dict[str, Any]:
    if since is None:
        return {"waiting": None}
    return {"waiting": time(since, waited(since)), "wait_level": wait_level(since, limits)}


def snoozes() -> list[Snooze]:
    """Suggested times to snooze until, on the member's clock."""
    here = now().astimezone(zone())
    nine = here.replace(hour=9, minute=0, second=0, microsecond=0)
    later = (here + dt.timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    monday = nine + dt.timedelta(days=7 - here.weekday())
    return [
        Snooze(_("In three hours"), later),
        Snooze(_("Tomorrow morning"), nine + dt.timedelta(days=1)),
        Snooze(_("Next Monday"), monday),
        Snooze(_("In a month"), nine + dt.timedelta(days=30)),
    ]


def _offered(tags: Iterable[MailboxTagRow]) -> list[MailboxTagRow]:
    """Our tags that it does not have yet."""
    return [tag for tag in tags if tag.adopted and not tag.is_alias and not tag.carried]


def _places(folders: Iterable[FolderRow]) -> list[MoveTarget]:
    """Watched folders that mail can be moved to, the most used first."""
    order = {"archive": 0, "inbox": 1, None: 2, "trash": 3}
    offered = [f for f in folders if f.watched and f.lost_at is None and f.role in order]
    return [_place(folder) for folder in sorted(offered, key=lambda f: (order[f.role], f.name.lower()))]


def _place(folder: FolderRow) -> MoveTarget:
    words = {
        "archive": _("Archive"),
        "inbox": _("Move to the inbox"),
        "trash": _("Move to the trash"),
    }.get(folder.role or "", _("Move to %(folder)s", folder=folder.name))
    icons = {"archive": "bi-archive", "inbox": "bi-inbox", "trash": "bi-trash3"}
    return MoveTarget(folder.id, folder.role, words, icons.get(folder.role or "", "bi-folder2"))


def _server_words(conversation: WholeConversation) -> str:
    mailbox = conversation.mailbox
    if mailbox.mode == Mode.DATABASE and mailbox.probed_mode == Mode.KEYWORDS:
        return _(
            "This mailbox keeps owner, status and tags in Signalbox only. It does not read keywords from its mail "
            "server."
        )
    if mailbox.mode == Mode.DATABASE:
        return _("This mail server does not keep keywords, so owner, status and tags are kept here only.")
    if conversation.has_frozen:
        return _(
            "Signalbox and the mail server differ here. An administrator chooses which value counts; until then "
            "Signalbox does not sync the difference."
        )
    return _("Any mail client on this mailbox can show and change these.")


def _conflict(member: Member, conversation: WholeConversation, members: Iterable[MemberRow]) -> Conflict | None:
    if conversation.conflict is None:
        return None
    register, theirs = conversation.conflict["register"], conversation.conflict["theirs"]
    at = dt.datetime.fromisoformat(conversation.conflict["at"])
    if register == "owner":
        them = [name for name in (theirs or "").split(", ") if name]
        known = {one.handle: one for one in members}
        us = conversation.assignee
        return Conflict(
            title=_("Assigned to two people."),
            ours=us.name if us else conversation.assigned_name or _("Nobody"),
            theirs=", ".join(known[name].name if name in known else name for name in them) or _("Nobody"),
            our_member=us,
            their_member=known.get(them[0]) if len(them) == 1 else None,
            at=at,
            may_take=len(them) <= 1
            and may(web(member), Action.CLAIM, conversation.mailbox)
            and (us is None or us.id == member.id or may(web(member), Action.TAKE_OVER, conversation.mailbox)),
        )
    names = status_names()
    return Conflict(
        title=_("Two statuses were set."),
        ours=names[str(conversation.status)],
        theirs=names.get(theirs or "open", str(theirs)),
        our_member=None,
        their_member=None,
        at=at,
        may_take=may(web(member), Action.STATUS, conversation.mailbox),
    )
