"""Health of a mailbox, in the contract's shape: errors of the last rounds and pending work."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.clock import now, rfc3339
from app.db import rows
from app.inbox.arriving.slow_mail import RECENT, LastSlow, last_slow
from app.inbox.conversations.registers import FROZEN, NOT_COMPARED
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.rows import MailboxRow
from app.inbox.server.held import HOLDS, Hold

_HEARTBEAT_LASTS = dt.timedelta(seconds=60)
#: `flask worker --once` from a timer also serves a mailbox. There is no heartbeat then, but there are rounds.
_ROUND_OVERDUE = dt.timedelta(minutes=15)
#: A mailbox is behind if new mail has waited this long to be read.
_BEHIND = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Health:
    """`missing`: UIDs on the server that we lack. They include `deferred`: mails that the server did not deliver and
    that are fetched again; and `waiting_read`: new mails that the worker has not read yet, the first since
    `waiting_read_since`. `behind`: they have waited for a minute. `slow_mails`: number of mails in the last hour that
    took long to parse; `last_slow`: the latest. `unreadable`: messages without their text, which are read again, too;
    `unmatched`: our copies that the server lacks; `refused`: copies for which the server permanently rejected a
    keyword; `no_room`: conversations with keywords that do not fit into a folder; `queued_replies`: replies on their
    way; `held`: keywords that many conversations lost at once, for a person to decide; `frozen`: conversations where a
    person has to choose a side, after the mailbox was in mode `database`; `lost_folders`, `refused_folders`: watched
    folders that no longer exist, or that the server refuses to show; `unwritable_folders`: folders that do not keep our
    keywords. `error`: why the last round failed, or why something waits although it succeeded (no space on the server,
    or a temporary refusal). It is an English sentence; pages translate the mailbox's `error_code`."""

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
        """Rounds succeed, but something waits for the next one: the server had no space for it, or could not do it at
        that moment."""
        return self.state in ("ok", "importing") and self.error is not None

    def shape(self) -> dict[str, Any]:
        """The shape for commands and API. `error` is present only if there is one."""
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
    """Whether it should be served but is not: there is no heartbeat, and the last round was long ago."""
    if mailbox.state not in ("ok", "importing") or served(mailbox):
        return False
    return (mailbox.last_round_at or mailbox.created_at) < now() - _ROUND_OVERDUE


@dataclass(frozen=True)
class _Counts:
    unreadable: int
    refused: int
    deferred: int
    slow: int
    slow_since: dt.datetime | None
    recent_slow: int
    waiting_push: int
    no_room: int
    frozen: int
    queued_replies: int
    held: list[Any]


#: `deferred` and `slow`: mails that are not stored, because the server does not deliver them, or because they take long
#: to parse. (CASE: skips counts that are not needed.)
_COUNTS = f"""
    SELECT
      (SELECT count(*) FROM message WHERE mailbox_id = %(id)s AND unreadable) AS unreadable,
      (SELECT count(*) FROM copy JOIN folder ON folder.id = copy.folder_id
       WHERE folder.mailbox_id = %(id)s AND copy.refuses <> '{{}}' AND copy.gone_at IS NULL) AS refused,
      late.deferred, late.slow, late.slow_since,
      (SELECT count(*) FROM slow_mail WHERE mailbox_id = %(id)s AND at > %(slow_after)s) AS recent_slow,
      (SELECT count(*) FROM conversation WHERE mailbox_id = %(id)s AND push_needed)
      + CASE WHEN %(in_keywords)s THEN (
          SELECT count(*) FROM conversation WHERE mailbox_id = %(id)s AND NOT push_needed AND {NOT_COMPARED})
        ELSE 0 END AS waiting_push,
      CASE WHEN %(in_keywords)s THEN (
          SELECT count(*) FROM conversation WHERE mailbox_id = %(id)s AND lacks_room AND place IN ('here', 'trash'))
        ELSE 0 END AS no_room,
      CASE WHEN %(in_keywords)s THEN (SELECT count(*) FROM conversation WHERE mailbox_id = %(id)s AND {FROZEN})
        ELSE 0 END AS frozen,
      (SELECT count(*) FROM reply WHERE mailbox_id = %(id)s AND due_at IS NOT NULL
       AND state IN ('queued', 'connecting', 'handed')) AS queued_replies,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(keyword, conversations)), '[]') FROM ({HOLDS}) AS holds) AS held
    FROM (
      SELECT count(*) FILTER (WHERE NOT slow) AS deferred, count(*) FILTER (WHERE slow) AS slow,
        min(first_at) FILTER (WHERE slow) AS slow_since
      FROM deferral WHERE mailbox_id = %(id)s AND message_id IS NULL) AS late
"""  # noqa: S608  words of ours


def health(session: Session, mailbox: Mailbox | MailboxRow) -> Health:
    """One statement besides the folders, because every page needs it."""
    counts = _counts(session, mailbox)
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
        queued_replies=counts.queued_replies,
        held=[Hold(*values) for values in counts.held],
        frozen=counts.frozen,
        lost_folders=[folder.name for folder in watched if folder.gone],
        refused_folders=[folder.name for folder in watched if folder.refused],
        unwritable_folders=[folder.name for folder in watched if not folder.takes_names(mailbox.mode)],
        error=mailbox.error_text,
    )


def _counts(session: Session, mailbox: Mailbox | MailboxRow) -> _Counts:
    in_keywords = mailbox.mode == Mode.KEYWORDS
    values = {"id": mailbox.id, "in_keywords": in_keywords, "slow_after": now() - RECENT}
    return rows(session, _COUNTS, _Counts, **values)[0]
