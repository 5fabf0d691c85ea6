"""Derived: rules that follow from a conversation's columns, messages and copies.

Each rule is here once: in SQL for many conversations, and beside it in Python for a loaded one.
`tests/inbox/test_derived.py` compares the two on random conversations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Boolean, ColumnElement, literal_column

from app.clock import now
from app.inbox.conversations.message import AUTOMATIC_ANSWERS, Message
from app.inbox.status import Status

if TYPE_CHECKING:
    from app.inbox.conversations.conversation import Conversation
    from app.inbox.conversations.copy import Copy

#: A conversation without a copy on the server is `gone` after this long: a client may be moving it.
GRACE = dt.timedelta(minutes=10)


def sql(fragment: str) -> ColumnElement[bool]:
    """A condition of this module for a query built from columns."""
    return literal_column(fragment, Boolean())


# Unassigned: open, not in the trash, and owned by no member. An assigned name does not count as an owner. -------------

UNASSIGNED = "(conversation.status = 'open' AND conversation.assignee_id IS NULL AND conversation.place = 'here')"


def is_unassigned(conversation: Conversation) -> bool:
    """The same rule for one loaded conversation. A test compares both."""
    return conversation.status == Status.OPEN and conversation.assignee_id is None and conversation.place == "here"


# Waiting since: the first inbound message after the last answer or the last closing.
# An automatic answer counts only if it began the conversation. --------------------------------------------------------

#: `old` is the conversation; `m` has the id of its first message and the time of its last answer.
WAITING_SINCE = f"""
    SELECT min(received_at) AS since FROM message
    WHERE conversation_id = old.id AND direction = 'in'
      AND (id = m.first_id OR coalesce(machine, '') NOT IN ({", ".join(f"'{kind}'" for kind in AUTOMATIC_ANSWERS)}))
      AND received_at > coalesce(greatest(m.last_out, old.handled_at), '-infinity')
"""  # noqa: S608  words of ours


def waiting_since(messages: Sequence[Message], handled_at: dt.datetime | None) -> dt.datetime | None:
    """`messages`: all messages of the conversation, in order."""
    answers = [message.received_at for message in messages if message.direction == "out"]
    handled = max(answers + ([handled_at] if handled_at else []), default=None)
    questions = [
        message.received_at
        for message in messages
        if message.direction == "in" and (message is messages[0] or not message.is_automatic_answer)
    ]
    return min((at for at in questions if handled is None or at > handled), default=None)


# Place: `trash` if all inbound copies are in the trash, or will be (without inbound ones: all copies);
# `gone` some time after the last copy disappeared; otherwise `here`. --------------------------------------------------

#: `old` is the conversation. (OFFSET 0: goes message by message, also while the tables have no statistics.)
COPIES = """
    SELECT count(*) FILTER (WHERE gone_at IS NULL) AS live, max(gone_at) AS gone_at,
      bool_and(trashed) FILTER (WHERE gone_at IS NULL AND direction = 'in') AS inbound_trashed,
      bool_and(trashed) FILTER (WHERE gone_at IS NULL) AS all_trashed
    FROM message CROSS JOIN LATERAL (
      SELECT copy.gone_at, folder.role IS NOT DISTINCT FROM 'trash' OR '\\Deleted' = ANY(copy.keywords) AS trashed
      FROM copy JOIN folder ON folder.id = coalesce(copy.wanted_folder_id, copy.folder_id)
      WHERE copy.message_id = message.id OFFSET 0) AS copies
    WHERE message.conversation_id = old.id
"""
#: `lies` is COPIES of the conversation; `:gone_before` is GRACE ago.
PLACE = """
    CASE
      WHEN lies.live = 0 THEN CASE WHEN lies.gone_at < :gone_before THEN 'gone' ELSE old.place END
      WHEN coalesce(lies.inbound_trashed, lies.all_trashed) THEN 'trash'
      ELSE 'here' END
"""


def place_of(conversation: Conversation, copies: Iterable[tuple[Copy, str]]) -> str:
    """`copies`: all copies of the conversation, each with the direction of its message. If inbound copies exist, those
    are enough."""
    trash = {folder.id for folder in conversation.mailbox.folders if folder.role == "trash"}
    copies = list(copies)
    there = [(copy, direction) for copy, direction in copies if copy.gone_at is None]
    if not there:
        gone_at = max((copy.gone_at for copy, _ in copies if copy.gone_at), default=None)
        return "gone" if gone_at and gone_at < now() - GRACE else conversation.place
    counted = [copy for copy, direction in there if direction == "in"] or [copy for copy, _ in there]
    return "trash" if all(_is_trashed(copy, trash) for copy in counted) else "here"


def _is_trashed(copy: Copy, trash: set[int]) -> bool:
    return copy.destination_id in trash or "\\Deleted" in copy.keywords


# Late and over: how long a wait is, compared with the limits of the mailbox. ------------------------------------------

#: `:now` is the present time.
LATE = "conversation.waiting_since <= :now - make_interval(mins => mailbox.late_minutes)"
OVER = "conversation.waiting_since <= :now - make_interval(mins => mailbox.over_minutes)"


class Limits(Protocol):
    """A mailbox, or a row that a page has read of it."""

    @property
    def late_minutes(self) -> int: ...

    @property
    def over_minutes(self) -> int: ...


def wait_level(since: dt.datetime, limits: Limits) -> str:
    """Empty, `late` or `over`."""
    minutes = (now() - since) / dt.timedelta(minutes=1)
    return "over" if minutes >= limits.over_minutes else "late" if minutes >= limits.late_minutes else ""
