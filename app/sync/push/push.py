"""Push: writes what copies should show to the server. Push compares states and keeps no log of commands.

It plans what each copy lacks and commits the plan (planning.py), then writes and reads back (writing.py, moving.py).
Once every copy is at its goal, it records the agreement (agreeing.py). Other changes in the answers are left for the
next pull.
"""

from __future__ import annotations

from sqlalchemy import select, text

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.registers import NOT_COMPARED
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.sync.link import Link
from app.sync.push.agreeing import agree
from app.sync.push.planning import Plan, plan_for, with_copies
from app.sync.push.writing import write_folder

#: Conversations handled at once. The limit shows progress during a bulk change, and a crash repeats little.
_CONVERSATIONS = 100
#: Batches of frozen conversations that are compared before other work gets its turn.
_COMPARED_AT_ONCE = 20


def push(link: Link) -> bool:
    """Write until nothing is left that can be written now. Returns whether frozen conversations are left to be
    compared. Only a limited number is compared at a time, because nobody else is served meanwhile, and a whole mailbox
    may be frozen."""
    compared = 0
    plan = _next(link.mailbox_id, None, compare=True)
    while plan is not None:
        for work in plan.folders:
            write_folder(link, work)
        compared += plan.compares
        plan = _next(link.mailbox_id, plan, compare=compared < _COMPARED_AT_ONCE)
    return compared == _COMPARED_AT_ONCE


def _next(mailbox_id: int, written: Plan | None, *, compare: bool) -> Plan | None:
    """Record the result of the last plan and make the next one: conversations to push, by id, then those that were not
    compared yet. The writes about to begin are committed with it. None for a paused mailbox."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        vocabulary = vocabulary_of(session, mailbox)
        if written is not None:
            agree(session, written, vocabulary)
        if mailbox.paused_at is not None:
            return None
        last = written.last if written is not None else 0
        mine = select(Conversation).where(Conversation.mailbox_id == mailbox_id).limit(_CONVERSATIONS)
        if waiting := with_copies(session, mine.where(Conversation.push_needed, Conversation.id > last)):
            return plan_for(waiting, vocabulary, waiting[-1][0].id)
        if not compare or mailbox.mode != Mode.KEYWORDS:
            return None
        waiting = with_copies(session, mine.where(text(NOT_COMPARED)))
        return plan_for(waiting, vocabulary, last, compares=True) if waiting else None
