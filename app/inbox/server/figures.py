"""Figures for monitoring an installation. All are counted in the database, so every process gives the same answer.
Counters only grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.conversations.derived import LATE, OVER, UNASSIGNED
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.failure import Failure
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.sign_in_history import sign_in_counts
from app.inbox.server.download import Download
from app.inbox.server.health import Health, health, served

STATES = ("ok", "importing", "failing", "paused")
#: (name, help, kind); the default kind is gauge.
_FIGURES = (
    ("mailbox_state", "1 for the state it is in: ok, importing, failing or paused."),
    ("mailbox_served", "1 when a worker wrote a heartbeat for it within the last minute."),
    ("rounds_total", "Rounds that looked at all its folders.", "counter"),
    ("lag_seconds", "Since the last good round began: how old what is known of the server may be."),
    ("failures_total", "Rounds that failed, by kind (docs/administrators.md explains each).", "counter"),
    ("messages", "Mails that are here."),
    ("import_messages", "Mails the first import has to read."),
    ("imported_messages", "Mails it has read so far."),
    ("waiting_push", "Conversations with a change that is not on the server yet."),
    ("waiting_downloads", "Attachments and originals that a page asked for and that are not fetched yet."),
    ("missing_messages", "Mails of the server that are not here; 0 is the promise."),
    ("unmatched_copies", "Copies not found again after the server renumbered a folder."),
    ("left_out_messages", "Mails older than the start of the import."),
    ("unreadable_messages", "Mails that are listed without their text; they are read again."),
    ("deferred_messages", "Mails that the server did not give so far; they are asked for again."),
    ("waiting_read_messages", "New mails that the worker has yet to read."),
    ("waiting_read_seconds", "Since the first of them came: how far the mailbox is behind."),
    ("slow_messages", "Mails of the last hour that took long to parse."),
    ("refused_copies", "Copies of which the server refused a name for good."),
    ("no_room_conversations", "Conversations with names for which a folder has no room."),
    ("held_conversations", "Conversations whose names were lost at once and wait for a person's decision."),
    ("frozen_conversations", "Conversations that wait for a side after a change of the storage mode."),
    ("lost_folders", "Watched folders that are not on the server any more."),
    ("refused_folders", "Watched folders that the server refuses to show."),
    ("unwritable_folders", "Watched folders where the server keeps no names."),
    ("unassigned_conversations", "Open conversations that nobody owns."),
    ("late_conversations", "Of these, how many wait longer than the mailbox’s limits: late, over."),
    ("sign_ins_total", "Sign-ins with a password, by outcome: good, refused, throttled, busy.", "counter"),
    ("longest_wait_seconds", "Since the customer wrote who has waited longest for somebody to take it."),
)
#: (name, labels besides the mailbox, value)
_Sample = tuple[str, dict[str, str], float | None]
_UNASSIGNED = text(
    f"""
    SELECT count(*), min(waiting_since), count(*) FILTER (WHERE {LATE}), count(*) FILTER (WHERE {OVER})
    FROM conversation JOIN mailbox ON mailbox.id = mailbox_id WHERE mailbox_id = :id AND {UNASSIGNED}
    """  # noqa: S608  rules of ours
)


@dataclass
class Figure:
    """`samples`: the labels in their order, and the value."""

    name: str
    help: str
    kind: str = "gauge"  # or counter
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)


def figures(session: Session) -> list[Figure]:
    """Every figure, with a sample for each mailbox, or each outcome of sign-ins."""
    made = {figure.name: figure for figure in _all()}
    for mailbox in session.scalars(select(Mailbox).order_by(Mailbox.name)):
        for name, labels, value in _of(session, mailbox):
            if value is not None:
                made[name].samples.append(({"mailbox": mailbox.name, **labels}, value))
    for outcome, number in sign_in_counts(session):
        made["sign_ins_total"].samples.append(({"outcome": outcome}, number))
    return list(made.values())


def _all() -> list[Figure]:
    return [Figure(*one) for one in _FIGURES]


def _of(session: Session, mailbox: Mailbox) -> Iterator[_Sample]:
    how = health(session, mailbox)
    for state in STATES:
        yield "mailbox_state", {"state": state}, how.state == state
    yield "mailbox_served", {}, served(mailbox)
    yield "rounds_total", {}, mailbox.pulls
    yield "lag_seconds", {}, (now() - how.last_round_at).total_seconds() if how.last_round_at else None
    for failure in session.scalars(select(Failure).where(Failure.mailbox_id == mailbox.id).order_by(Failure.kind)):
        yield "failures_total", {"kind": failure.kind}, failure.count
    yield "messages", {}, session.scalar(select(func.count()).where(Message.mailbox_id == mailbox.id))
    yield "import_messages", {}, mailbox.import_total
    yield "imported_messages", {}, mailbox.import_done
    yield "waiting_push", {}, how.waiting_push
    waiting = select(func.count()).where(Download.mailbox_id == mailbox.id, Download.state == "waiting")
    yield "waiting_downloads", {}, session.scalar(waiting)
    yield from _of_health(how)
    yield from _of_unassigned(session, mailbox)


def _of_health(how: Health) -> Iterator[_Sample]:
    yield "missing_messages", {}, how.missing
    yield "unmatched_copies", {}, how.unmatched
    yield "left_out_messages", {}, how.left_out
    yield "unreadable_messages", {}, how.unreadable
    yield "deferred_messages", {}, how.deferred
    since = how.waiting_read_since
    yield "waiting_read_messages", {}, how.waiting_read
    yield "waiting_read_seconds", {}, max(0.0, (now() - since).total_seconds()) if since else 0
    yield "slow_messages", {}, how.slow_mails
    yield "refused_copies", {}, how.refused
    yield "no_room_conversations", {}, how.no_room
    yield "held_conversations", {}, sum(hold.conversations for hold in how.held)
    yield "frozen_conversations", {}, how.frozen
    yield "lost_folders", {}, len(how.lost_folders)
    yield "refused_folders", {}, len(how.refused_folders)
    yield "unwritable_folders", {}, len(how.unwritable_folders)


def _of_unassigned(session: Session, mailbox: Mailbox) -> Iterator[_Sample]:
    unassigned, longest, late, over = session.execute(_UNASSIGNED, {"id": mailbox.id, "now": now()}).one()
    yield "unassigned_conversations", {}, unassigned
    yield "late_conversations", {"level": "late"}, late
    yield "late_conversations", {"level": "over"}, over
    yield "longest_wait_seconds", {}, (now() - longest).total_seconds() if longest else 0
