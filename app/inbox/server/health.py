"""Health of a mailbox, in the contract's shape: what the last rounds met and what is still on its way."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.clock import now, rfc3339
from app.inbox.arriving.deferral import not_stored
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.registers import FROZEN, NOT_COMPARED
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.held import Hold, holds

_SIGN_OF_LIFE = dt.timedelta(seconds=60)
#: `flask worker --once` from a timer serves a mailbox too: nobody's sign of life, but rounds.
_ROUND_OVERDUE = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Health:
    """`missing`: the server's UIDs we lack; among them `deferred`: those that the server did not give, to be asked
    for again. `unreadable`: messages without their text, read again too; `unmatched`: ours that the server lacks;
    `refused`: copies of which the server refused a name for good; `no_room`: conversations with names that do not fit
    into a folder; `held`: names that many conversations lost at once, for a person to decide; `frozen`: conversations
    of which a person is to choose a side, after the mailbox was in mode `database`; `lost_folders`,
    `refused_folders`: watched ones that are gone, or that the server refuses to show; `unwritable_folders`: those
    where it keeps no names of ours. `error`: why the last round failed, or why something waits though it went well
    (no space on the server, or it could not do one thing at that moment); an English sentence, which pages say by the
    mailbox's `error_code`."""

    state: str  # ok, importing, failing, paused
    last_round_at: dt.datetime | None
    missing: int
    unmatched: int
    left_out: int
    unreadable: int
    deferred: int
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
        shown = asdict(self) | {"last_round_at": rfc3339(self.last_round_at) if self.last_round_at else None}
        return {name: value for name, value in shown.items() if (name, value) != ("error", None)}


def served(mailbox: Mailbox) -> bool:
    """Whether a worker gave a sign of life for it within the last minute."""
    return mailbox.holder_beat_at is not None and mailbox.holder_beat_at > now() - _SIGN_OF_LIFE


def unattended(mailbox: Mailbox) -> bool:
    """Whether nobody looks at it who should: no worker gives a sign of life, and the last round was long ago."""
    if mailbox.state not in ("ok", "importing") or served(mailbox):
        return False
    return (mailbox.last_round_at or mailbox.created_at) < now() - _ROUND_OVERDUE


def health(session: Session, mailbox: Mailbox) -> Health:
    missing, unmatched, left_out = session.execute(
        select(
            func.coalesce(func.sum(Folder.missing), 0),
            func.coalesce(func.sum(Folder.unmatched), 0),
            func.coalesce(func.sum(Folder.left_out), 0),
        ).where(Folder.mailbox_id == mailbox.id, Folder.watched)
    ).one()
    unreadable = session.scalar(
        select(func.count()).select_from(Message).where(Message.mailbox_id == mailbox.id, Message.unreadable)
    )
    here = select(func.count()).select_from(Conversation).where(Conversation.mailbox_id == mailbox.id)
    waiting = session.scalar(here.where(Conversation.push_needed)) or 0
    no_room = frozen = 0
    if mailbox.mode == Mode.KEYWORDS:
        waiting += session.scalar(here.where(~Conversation.push_needed, text(NOT_COMPARED))) or 0
        no_room = session.scalar(here.where(Conversation.lacks_room, Conversation.place.in_(("here", "trash")))) or 0
        frozen = session.scalar(here.where(text(FROZEN))) or 0
    refused = session.scalar(
        select(func.count())
        .select_from(Copy)
        .join(Folder, Folder.id == Copy.folder_id)
        .where(Folder.mailbox_id == mailbox.id, text("copy.refuses <> '{}'"), Copy.gone_at.is_(None))
    )
    deferred = session.scalar(not_stored(mailbox.id)) or 0
    watched = [folder for folder in mailbox.folders if folder.watched]
    return Health(
        state=mailbox.state,
        last_round_at=mailbox.last_round_at,
        missing=missing + deferred,
        unmatched=unmatched,
        left_out=left_out,
        unreadable=unreadable or 0,
        deferred=deferred,
        waiting_push=waiting,
        refused=refused or 0,
        no_room=no_room,
        queued_replies=0,
        held=holds(session, mailbox),
        frozen=frozen,
        lost_folders=[folder.name for folder in watched if folder.gone],
        refused_folders=[folder.name for folder in watched if folder.refused],
        unwritable_folders=[folder.name for folder in watched if not folder.takes_names(mailbox.mode)],
        error=mailbox.error_text,
    )
