"""Events as sentences: who, what, from where, when. IMAP never says who or exactly when, so neither do we: an act in
a mail client reads "Assigned to Carla in a mail client, between 10:41 and 10:42"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import Source
from app.inbox.conversations.tag import Tag
from app.inbox.history.event import Event, EventKind
from app.inbox.people.member import Member
from app.web.language import gettext as _
from app.web.language import isolated
from app.web.when import clock, moment, until
from app.web.words import status_names

_ICONS = {
    EventKind.ASSIGNED: "bi-person",
    EventKind.CLAIMED: "bi-person-check",
    EventKind.TAKEN_OVER: "bi-person-up",
    EventKind.RELEASED: "bi-person-dash",
    EventKind.REOPENED: "bi-arrow-counterclockwise",
    EventKind.WOKEN: "bi-alarm",
    EventKind.TAGGED: "bi-tag",
    EventKind.UNTAGGED: "bi-tag",
    EventKind.STARRED: "bi-star",
    EventKind.UNSTARRED: "bi-star",
    EventKind.NOTED: "bi-sticky",
    EventKind.MOVED: "bi-folder2",
    EventKind.MERGED: "bi-sign-merge-left",
    EventKind.SPLIT: "bi-scissors",
    EventKind.GONE: "bi-cloud-minus",
    EventKind.CONFLICT: "bi-signpost-split",
    EventKind.HELD: "bi-hourglass",
    EventKind.SETTLED: "bi-signpost",
}
_STATUS_ICONS = {
    "open": "bi-arrow-counterclockwise",
    "pending": "bi-circle-half",
    "snoozed": "bi-moon",
    "closed": "bi-check-circle",
    "spam": "bi-exclamation-octagon",
}
#: Told beside the messages; what the messages and notes say themselves stands in the history only.
IN_THREAD = set(_ICONS) - {EventKind.NOTED} | {EventKind.STATUS}


@dataclass(frozen=True)
class Line:
    id: int
    kind: str
    at: dt.datetime
    icon: str
    words: Markup


def lines(session: Session, events: Sequence[Event]) -> list[Line]:
    known = _known(session, events)
    return [Line(e.id, e.kind, e.at, _icon(e), _words(e, known)) for e in _told(events)]


def _told(events: Sequence[Event]) -> list[Event]:
    """An import that took state from the server has two events: that it came, and what it took, which says it all."""
    took = {e.conversation_id for e in events if e.kind == EventKind.IMPORTED and e.after}
    return [e for e in events if e.kind != EventKind.IMPORTED or e.after or e.conversation_id not in took]


def _icon(event: Event) -> str:
    if event.kind == EventKind.STATUS:
        return _STATUS_ICONS.get((event.after or {}).get("status", ""), "bi-circle")
    if event.source == Source.MAIL_CLIENT and event.kind == EventKind.ASSIGNED:
        return "bi-envelope"
    return _ICONS.get(EventKind(event.kind), "bi-dot")


@dataclass(frozen=True)
class _Known:
    """What people call what events know by its name."""

    members: Mapping[str, str]
    tags: Mapping[str, str]

    def member(self, handle: object) -> str:
        return _("nobody") if handle is None else self.members.get(str(handle), str(handle)).split()[0]

    def owners(self, names: object) -> str:
        """What a conflict says: one owner, nobody, or several with a comma between them."""
        return ", ".join(self.member(name) for name in str(names).split(", ")) if names else self.member(None)

    def tag(self, name: object) -> str:
        return self.tags.get(str(name), str(name))


def _words(event: Event, known: _Known) -> Markup:
    what = _Telling(event, known)
    sentence = what.by_member() if event.member is not None else what.by_itself()
    return _with_source(event, Markup(sentence))  # noqa: S704  every value in it was escaped


class _Telling:
    """One event in words: with a person as subject, or as something that happened."""

    def __init__(self, event: Event, known: _Known) -> None:
        before, after = event.before or {}, event.after or {}
        self.event = event
        self.status = str(after.get("status", ""))
        self.owned = after.get("assignee") is not None
        self.value = {
            "who": _bold(event.member.name.split()[0] if event.member is not None else ""),
            "to": _bold(known.member(after.get("assignee"))),
            "from": _bold(known.member(before.get("assignee"))),
            "tag": _bold(known.tag(after.get("tag") or before.get("tag") or "")),
            "folder": _bold(str(after.get("folder", ""))),
            "until": _until(after.get("until")),
            "theirs": _bold(_theirs(before, known)),
            "keyword": _bold(str(before.get("keyword", ""))),
        }

    def by_member(self) -> str:
        kinds = {
            EventKind.CLAIMED: _("%(who)s claimed this"),
            EventKind.ASSIGNED: _("%(who)s assigned this to %(to)s"),
            EventKind.TAKEN_OVER: _("%(who)s gave this to %(to)s; it was %(from)s’s"),
            EventKind.RELEASED: _("%(who)s released this"),
            EventKind.TAGGED: _("%(who)s added the tag %(tag)s"),
            EventKind.UNTAGGED: _("%(who)s removed the tag %(tag)s"),
            EventKind.STARRED: _("%(who)s starred this"),
            EventKind.UNSTARRED: _("%(who)s took the star off"),
            EventKind.NOTED: _("%(who)s wrote a note"),
            EventKind.NOTE_EDITED: _("%(who)s changed a note"),
            EventKind.MOVED: _("%(who)s moved this to %(folder)s"),
            EventKind.MERGED: _("%(who)s merged two conversations"),
            EventKind.SPLIT: _("%(who)s split a message off"),
            EventKind.SETTLED: _("%(who)s kept ours"),
        }
        statuses = {
            "open": _("%(who)s opened this again"),
            "pending": _("%(who)s set this to pending"),
            "snoozed": _("%(who)s snoozed this until %(until)s"),
            "closed": _("%(who)s closed this"),
            "spam": _("%(who)s marked this as spam"),
        }
        return self._told(kinds, statuses, _("%(who)s changed something"))

    def by_itself(self) -> str:
        kinds = {
            EventKind.IMPORTED: _("Imported from the mail server, assigned to %(to)s")
            if self.owned
            else _("Imported from the mail server"),
            EventKind.ARRIVED: _("A mail arrived"),
            EventKind.ARRIVED_OLDER: _("A copy was moved or copied; its keywords were no news"),
            EventKind.ASSIGNED: _("Assigned to %(to)s"),
            EventKind.CLAIMED: _("Assigned to %(to)s"),
            EventKind.TAKEN_OVER: _("Assigned to %(to)s; it was %(from)s’s"),
            EventKind.RELEASED: _("Released; it was %(from)s’s"),
            EventKind.REOPENED: _("Opened again by a new mail"),
            EventKind.WOKEN: _("Woke up"),
            EventKind.TAGGED: _("Tag %(tag)s added"),
            EventKind.UNTAGGED: _("Tag %(tag)s removed"),
            EventKind.STARRED: _("Starred"),
            EventKind.UNSTARRED: _("Star taken off"),
            EventKind.MOVED: _("Moved to %(folder)s"),
            EventKind.MERGED: _("A mail joined two conversations"),
            EventKind.GONE: _("The last copy went from the mail server"),
            EventKind.CONFLICT: _("Both sides changed this and ours stayed; theirs was %(theirs)s"),
            EventKind.HELD: _("%(keyword)s was taken off many mails at once; an administrator decides"),
            EventKind.SETTLED: _("Ours was kept"),
            EventKind.RESET: _("The folder was renumbered by the mail server; its copies were found again"),
        }
        statuses = {
            "open": _("Opened again"),
            "pending": _("Set to pending"),
            "snoozed": _("Snoozed until %(until)s"),
            "closed": _("Closed"),
            "spam": _("Marked as spam"),
        }
        return self._told(kinds, statuses, _("Something changed"))

    def _told(self, kinds: Mapping[EventKind, str], statuses: Mapping[str, str], otherwise: str) -> str:
        if self.event.kind == EventKind.STATUS:
            pattern = statuses.get(self.status, otherwise)
        else:
            pattern = kinds.get(EventKind(self.event.kind), otherwise)
        return pattern % self.value


def _with_source(event: Event, what: Markup) -> Markup:
    match event.source:
        case Source.MAIL_CLIENT if event.not_before is not None:
            after, before = _moments(event.not_before, event.at)
            if after == before:
                return Markup(_("%(what)s in a mail client, at %(at)s", what=what, at=before))  # noqa: S704
            return Markup(  # noqa: S704
                _("%(what)s in a mail client, between %(after)s and %(before)s", what=what, after=after, before=before)
            )
        case Source.MAIL_CLIENT:
            return Markup(_("%(what)s in a mail client", what=what))  # noqa: S704
        case Source.API:
            return Markup(_("%(what)s, through the API", what=what))  # noqa: S704
        case Source.RULE:
            return Markup(_("%(what)s by a rule", what=what))  # noqa: S704
        case Source.COMMAND:
            return Markup(_("%(what)s on the command line", what=what))  # noqa: S704
    return what


def _moments(after: dt.datetime, before: dt.datetime) -> tuple[str, str]:
    if before - after < dt.timedelta(hours=12):
        return clock(after), clock(before)
    return moment(after), moment(before)


def _known(session: Session, events: Sequence[Event]) -> _Known:
    """The names of the members and the labels of the tags that the events mention."""
    sides = [side for e in events for side in (e.before or {}, e.after or {})]
    named = [str(side.get(field) or "") for side in sides for field in ("assignee", "owner")]
    handles = {handle for names in named for handle in names.split(", ")}
    members = select(Member.handle, Member.name).where(Member.handle.in_(handles))
    tags = select(Tag.name, Tag.label).where(
        Tag.mailbox_id.in_({e.mailbox_id for e in events}), Tag.name.in_({side.get("tag") for side in sides} - {None})
    )
    return _Known(dict(session.execute(members).all()), dict(session.execute(tags).all()))


def _theirs(before: Mapping[str, object], known: _Known) -> str:
    """What the other side of a conflict said: an owner or a status."""
    if "status" in before:
        return status_names().get(str(before["status"] or "open"), str(before["status"]))
    return known.owners(before.get("owner"))


def _bold(words: str) -> Markup:
    return Markup("<b>{}</b>").format(isolated(words))


def _until(value: object) -> Markup:
    return escape(until(dt.datetime.fromisoformat(str(value)))) if value else escape("")
