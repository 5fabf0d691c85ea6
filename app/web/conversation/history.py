"""Events as sentences: who, what, from where, when. IMAP tells neither who acted nor exactly when, and neither do we:
an act in a mail client reads "Assigned to Carla in a mail client, between 10:41 and 10:42"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.inbox.actor import Source
from app.inbox.errors import N_
from app.inbox.history.event import EventKind, EventRow
from app.web.icons import STATUS_ICONS
from app.web.language import gettext as _
from app.web.language import isolated
from app.web.when import clock, moment, until
from app.web.words import status_names


@dataclass(frozen=True)
class _Kind:
    """Sentences for a kind of event: with a person as subject, or without. Only kinds with an icon appear beside the
    messages."""

    icon: str = ""
    by_member: str = N_("%(who)s changed something")
    by_itself: str = N_("Something changed")


_OTHER = _Kind()
_IMPORTED_OWNED = _Kind(by_itself=N_("Imported from the mail server, assigned to %(to)s"))
_KINDS = {
    EventKind.IMPORTED: _Kind(by_itself=N_("Imported from the mail server")),
    EventKind.ARRIVED: _Kind(by_itself=N_("New mail arrived")),
    EventKind.ARRIVED_OLDER: _Kind(by_itself=N_("A message was moved or copied; its keywords were already known")),
    EventKind.CLAIMED: _Kind("bi-person-check", N_("%(who)s claimed this"), N_("Assigned to %(to)s")),
    EventKind.ASSIGNED: _Kind("bi-person", N_("%(who)s assigned this to %(to)s"), N_("Assigned to %(to)s")),
    EventKind.TAKEN_OVER: _Kind(
        "bi-person-up",
        N_("%(who)s reassigned this from %(from)s to %(to)s"),
        N_("Reassigned from %(from)s to %(to)s"),
    ),
    EventKind.RELEASED: _Kind("bi-person-dash", N_("%(who)s released this"), N_("Released from %(from)s")),
    EventKind.REOPENED: _Kind("bi-arrow-counterclockwise", by_itself=N_("Reopened by new mail")),
    EventKind.WOKEN: _Kind("bi-alarm", by_itself=N_("Snooze ended")),
    EventKind.TAGGED: _Kind("bi-tag", N_("%(who)s added the tag %(tag)s"), N_("Tag %(tag)s added")),
    EventKind.UNTAGGED: _Kind("bi-tag", N_("%(who)s removed the tag %(tag)s"), N_("Tag %(tag)s removed")),
    EventKind.STARRED: _Kind("bi-star", N_("%(who)s starred this"), N_("Starred")),
    EventKind.UNSTARRED: _Kind("bi-star", N_("%(who)s removed the star"), N_("Star removed")),
    EventKind.NOTED: _Kind("bi-sticky", N_("%(who)s wrote a note")),
    EventKind.NOTE_EDITED: _Kind(by_member=N_("%(who)s edited a note")),
    EventKind.MOVED: _Kind("bi-folder2", N_("%(who)s moved this to %(folder)s"), N_("Moved to %(folder)s")),
    EventKind.MERGED: _Kind(
        "bi-sign-merge-left", N_("%(who)s merged two conversations"), N_("A message joined two conversations")
    ),
    EventKind.SPLIT: _Kind("bi-scissors", N_("%(who)s split a message off")),
    EventKind.GONE: _Kind("bi-cloud-minus", by_itself=N_("The last copy disappeared from the mail server")),
    EventKind.CONFLICT: _Kind(
        "bi-signpost-split", by_itself=N_("%(theirs)s was also set in a mail client; Signalbox’s value was kept")
    ),
    EventKind.HELD: _Kind(
        "bi-hourglass", by_itself=N_("%(keyword)s disappeared from many messages at once; an administrator decides")
    ),
    EventKind.SETTLED: _Kind("bi-signpost", N_("%(who)s kept Signalbox’s value"), N_("Signalbox’s value was kept")),
    EventKind.RESET: _Kind(by_itself=N_("The mail server renumbered the folder; its messages were found again")),
}
_STATUSES = {
    "open": _Kind("bi-arrow-counterclockwise", N_("%(who)s reopened this"), N_("Reopened")),
    "pending": _Kind(STATUS_ICONS["pending"], N_("%(who)s set this to pending"), N_("Set to pending")),
    "snoozed": _Kind(
        STATUS_ICONS["snoozed"], N_("%(who)s snoozed this until %(until)s"), N_("Snoozed until %(until)s")
    ),
    "closed": _Kind(STATUS_ICONS["closed"], N_("%(who)s closed this"), N_("Closed")),
    "spam": _Kind(STATUS_ICONS["spam"], N_("%(who)s marked this as spam"), N_("Marked as spam")),
}
#: States of a reply that only the API and the audit show.
_STEPS = ("connecting", "handed")
#: By the state that a reply went into; empty: it was deleted.
_REPLIES = {
    "scheduled": _Kind("bi-clock", N_("%(who)s scheduled a reply for %(until)s")),
    "queued": _Kind("bi-send", N_("%(who)s sent a reply"), N_("A reply waits to be sent again")),
    "draft": _Kind(
        "bi-pencil", N_("%(who)s called a reply back"), N_("A reply became a draft again because new mail arrived")
    ),
    "sent": _Kind("bi-send-check", by_itself=N_("The mail server accepted a reply")),
    "failed": _Kind("bi-send-x", by_itself=N_("A reply could not be sent")),
    "unknown": _Kind("bi-send-exclamation", by_itself=N_("A reply may or may not have been sent")),
    "": _Kind("bi-trash3", N_("%(who)s deleted a draft")),
}
#: Kinds shown beside the messages. Kinds that messages and notes show themselves are only in the history.
IN_THREAD = {kind for kind, told in _KINDS.items() if told.icon} - {EventKind.NOTED} | {EventKind.STATUS}


@dataclass(frozen=True)
class HistoryLine:
    id: int
    kind: str
    at: dt.datetime
    icon: str
    words: Markup


def lines(events: Sequence[EventRow], names: Mapping[str, str], labels: Mapping[str, str]) -> list[HistoryLine]:
    """`names`: members' names by handle; `labels`: tags' labels by name."""
    known = _Known(names, labels)
    return [HistoryLine(e.id, e.kind, e.at, _icon(e), _words(e, known)) for e in _told(events)]


def _told(events: Sequence[EventRow]) -> list[EventRow]:
    """Drop redundant events: an import that took state from the server recorded its arrival and the state, which is
    enough alone. The steps of sending matter only if sending stops there."""
    took = {e.conversation_id for e in events if e.kind == EventKind.IMPORTED and e.after}
    events = [e for e in events if e.kind != EventKind.IMPORTED or e.after or e.conversation_id not in took]
    return [e for e in events if e.kind != EventKind.REPLY or (e.after or {}).get("state") not in _STEPS]


def _kind(event: EventRow) -> _Kind:
    after = event.after or {}
    if event.kind == EventKind.STATUS:
        return _STATUSES.get(str(after.get("status", "")), _OTHER)
    if event.kind == EventKind.REPLY:
        return _REPLIES.get(str(after.get("state", "")), _OTHER)
    if event.kind == EventKind.IMPORTED and after.get("assignee") is not None:
        return _IMPORTED_OWNED
    return _KINDS.get(EventKind(event.kind), _OTHER)


def _icon(event: EventRow) -> str:
    if event.source == Source.MAIL_CLIENT and event.kind == EventKind.ASSIGNED:
        return "bi-envelope"
    return _kind(event).icon or (STATUS_ICONS["open"] if event.kind == EventKind.STATUS else "bi-dot")


@dataclass(frozen=True)
class _Known:
    """Names for people, for the names in events."""

    members: Mapping[str, str]
    labels: Mapping[str, str]

    def member(self, handle: object) -> str:
        return _("nobody") if handle is None else self.members.get(str(handle), str(handle)).split()[0]

    def owners(self, names: object) -> str:
        """The owners in a conflict: one, none, or several separated by commas."""
        return ", ".join(self.member(name) for name in str(names).split(", ")) if names else self.member(None)

    def tag(self, name: object) -> str:
        return self.labels.get(str(name), str(name))


def _words(event: EventRow, known: _Known) -> Markup:
    kind = _kind(event)
    sentence = _(kind.by_itself if event.actor is None else kind.by_member) % _values(event, known)
    return Markup(_with_source(event, Markup(sentence)))  # noqa: S704  every value in it was escaped


def _values(event: EventRow, known: _Known) -> dict[str, Markup]:
    before, after = event.before or {}, event.after or {}
    return {
        "who": _bold(event.actor_name.split()[0] if event.actor_name else ""),
        "to": _bold(known.member(after.get("assignee"))),
        "from": _bold(known.member(before.get("assignee"))),
        "tag": _bold(known.tag(after.get("tag") or before.get("tag") or "")),
        "folder": _bold(str(after.get("folder", ""))),
        "until": _until(after.get("until") or after.get("at")),
        "theirs": _bold(_theirs(before, known)),
        "keyword": _bold(str(before.get("keyword", ""))),
    }


def _with_source(event: EventRow, what: Markup) -> str:
    match event.source:
        case Source.MAIL_CLIENT if event.not_before is not None:
            after, before = _moments(event.not_before, event.at)
            if after == before:
                return _("%(what)s in a mail client, at %(at)s", what=what, at=before)
            return _(
                "%(what)s in a mail client, between %(after)s and %(before)s", what=what, after=after, before=before
            )
        case Source.MAIL_CLIENT:
            return _("%(what)s in a mail client", what=what)
        case Source.API:
            return _("%(what)s, through the API", what=what)
        case Source.RULE:
            return _("%(what)s by a rule", what=what)
        case Source.COMMAND:
            return _("%(what)s on the command line", what=what)
    return what


def _moments(after: dt.datetime, before: dt.datetime) -> tuple[str, str]:
    if before - after < dt.timedelta(hours=12):
        return clock(after), clock(before)
    return moment(after), moment(before)


def _theirs(before: Mapping[str, object], known: _Known) -> str:
    """The other side's value in a conflict: an owner or a status."""
    if "status" in before:
        return status_names().get(str(before["status"] or "open"), str(before["status"]))
    return known.owners(before.get("owner"))


def _bold(words: str) -> Markup:
    return Markup("<b>{}</b>").format(isolated(words))


def _until(value: object) -> Markup:
    return escape(until(dt.datetime.fromisoformat(str(value)))) if value else escape("")
