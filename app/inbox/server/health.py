"""Health of a mailbox, in the contract's shape: what the last rounds met and what is still on its way."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, text
from sqlalchemy.orm import Session

from app.clock import now, rfc3339
from app.inbox.arriving import deferral
from app.inbox.arriving.slow_mail import LastSlow, last_slow, recent_slow
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.registers import FROZEN, NOT_COMPARED
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.held import Hold, holds

_HEARTBEAT_LASTS = dt.timedelta(seconds=60)
#: `flask worker --once` from a timer serves a mailbox too: there is no heartbeat, but there are rounds.
_ROUND_OVERDUE = dt.timedelta(minutes=15)
#: New mail that has waited for so long to be read makes the mailbox behind.
_BEHIND = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Health:
    """`missing`: the server's UIDs we lack; among them `deferred`: those that the server did not give, to be asked for
    again, and `waiting_read`: new mails that the worker has yet to read, the first since `waiting_read_since`;
    `behind`: they have waited for a minute. `slow_mails`: how many in the last hour took long to parse; `last_slow`:
    the latest. `unreadable`: messages without their text, read again too; `unmatched`: ours that the server lacks;
    `refused`: copies of which the server refused a name for good; `no_room`: conversations with names that do not fit
    into a folder; `held`: names that many conversations lost at once, for a person to decide; `frozen`: conversations
    of which a person is to choose a side, after the mailbox was in mode `database`; `lost_folders`, `refused_folders`:
    watched ones that are gone, or that the server refuses to show; `unwritable_folders`: those where it keeps no names
    of ours. `error`: why the last round failed, or why something waits though it went well (no space on the server, or
    it could not do one thing at that moment); an English sentence, which pages say by the mailbox's `error_code`."""

    state: str  # ok, importing, failing, paused
    last_round_at: dt.datetime | None
    missing: int
    unmatched: int
    left_out: int
    unreadable: int
    deferred: int
    behind: bool
    waiting_read: int
    waiting_read_since: dt.datetime | None
    slow_mails: int
    last_slow: LastSlow | None
    waiting_push: int
    refused: int
    no_room: int
    queued_replies: int
    held: list[Hold]
    frozen: int
    lost_folders: list[str]
    refused_folders: list[str]
    unwritable_folders: list[str]
    error: str | None = None

    @property
    def something_waits(self) -> bool:
        """Rounds go well, and something waits for the next: the server has no space for it, or could not do it now."""
        return self.state in ("ok", "importing") and self.error is not None

    def shape(self) -> dict[str, Any]:
        """As commands and API show it. `error` is there when there is one."""
        shown = asdict(self) | {
            "last_round_at": _time(self.last_round_at),
            "waiting_read_since": _time(self.waiting_read_since),
            "last_slow": self.last_slow.shape() if self.last_slow else None,
        }
        return {name: value for name, value in shown.items() if (name, value) != ("error", None)}


def _time(at: dt.datetime | None) -> str | None:
    return rfc3339(at) if at else None


def served(mailbox: Mailbox) -> bool:
    """Whether a worker wrote a heartbeat for it within the last minute."""
    return mailbox.holder_beat_at is not None and mailbox.holder_beat_at > now() - _HEARTBEAT_LASTS


def unattended(mailbox: Mailbox) -> bool:
    """Whether it is not served though it should be: there is no heartbeat, and the last round was long ago."""
    if mailbox.state not in ("ok", "importing") or served(mailbox):
        return False
    return (mailbox.last_round_at or mailbox.created_at) < now() - _ROUND_OVERDUE


def health(session: Session, mailbox: Mailbox) -> Health:
    """In one statement, beside the folders and what is held: every page asks for it."""
    counts = session.execute(_counts(mailbox)).one()
    watched = [folder for folder in mailbox.folders if folder.watched]
    waiting = counts.slow + sum(folder.waiting for folder in watched)
    times = [counts.slow_since, *(folder.waiting_since for folder in watched)]
    since = min((at for at in times if at is not None), default=None)
    return Health(
        state=mailbox.state,
        last_round_at=mailbox.last_round_at,
        missing=sum(folder.missing for folder in watched) + counts.deferred + waiting,
        unmatched=sum(folder.unmatched for folder in watched),
        left_out=sum(folder.left_out for folder in watched),
        unreadable=counts.unreadable,
        deferred=counts.deferred,
        behind=since is not None and since < now() - _BEHIND,
        waiting_read=waiting,
        waiting_read_since=since,
        slow_mails=counts.recent_slow,
        last_slow=last_slow(session, mailbox.id) if counts.recent_slow else None,
        waiting_push=counts.waiting_push,
        refused=counts.refused,
        no_room=counts.no_room,
        queued_replies=0,
        held=holds(session, mailbox),
        frozen=counts.frozen,
        lost_folders=[folder.name for folder in watched if folder.gone],
        refused_folders=[folder.name for folder in watched if folder.refused],
        unwritable_folders=[folder.name for folder in watched if not folder.takes_names(mailbox.mode)],
        error=mailbox.error_text,
    )


def _counts(mailbox: Mailbox) -> Select[Any]:
    here = select(func.count()).select_from(Conversation).where(Conversation.mailbox_id == mailbox.id)
    to_push = here.where(Conversation.push_needed).scalar_subquery()
    not_compared = here.where(~Conversation.push_needed, text(NOT_COMPARED))
    no_room = here.where(Conversation.lacks_room, Conversation.place.in_(("here", "trash")))
    frozen = here.where(text(FROZEN))
    in_keywords = mailbox.mode == Mode.KEYWORDS
    slow, slow_since = deferral.slow(mailbox.id)
    return select(
        _unreadable(mailbox).scalar_subquery().label("unreadable"),
        _refused(mailbox).scalar_subquery().label("refused"),
        deferral.not_given(mailbox.id).scalar_subquery().label("deferred"),
        slow.scalar_subquery().label("slow"),
        slow_since.scalar_subquery().label("slow_since"),
        recent_slow(mailbox.id).scalar_subquery().label("recent_slow"),
        (to_push + (not_compared.scalar_subquery() if in_keywords else 0)).label("waiting_push"),
        (no_room.scalar_subquery() if in_keywords else literal(0)).label("no_room"),
        (frozen.scalar_subquery() if in_keywords else literal(0)).label("frozen"),
    )


def _unreadable(mailbox: Mailbox) -> Select[int]:
    return select(func.count()).select_from(Message).where(Message.mailbox_id == mailbox.id, Message.unreadable)


def _refused(mailbox: Mailbox) -> Select[int]:
    refused = select(func.count()).select_from(Copy).join(Folder, Folder.id == Copy.folder_id)
    return refused.where(Folder.mailbox_id == mailbox.id, text("copy.refuses <> '{}'"), Copy.gone_at.is_(None))
