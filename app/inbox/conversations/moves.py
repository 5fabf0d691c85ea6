"""Moves: the folder in which a conversation's inbound copies are wanted, and the resulting view.

This module sets a wish (`wanted_folder_id`); the worker moves the copies on the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.db import session_of
from app.inbox.conversations import derived
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.folder import Folder
from app.inbox.status import Status

if TYPE_CHECKING:
    from app.inbox.conversations.conversation import Conversation


def send_to(conversation: Conversation, folder: Folder) -> list[str]:
    """Want the inbound copies in `folder`. Returns the names of the folders that they leave."""
    left = {copy.folder.name for copy in inbound_copies(conversation) if _send(copy, folder)}
    work_out(conversation)
    return sorted(left)


def follow_status(conversation: Conversation, status: Status) -> None:
    """Spam moves inbound copies to Junk; the end of spam moves them back to their folders."""
    if Status.SPAM not in (status, conversation.status):
        return
    junk = conversation.mailbox.folder("junk")
    if junk is None:
        return
    if status is Status.SPAM:
        for copy in inbound_copies(conversation):
            follow_to_junk(copy, junk)
    else:
        inbox = conversation.mailbox.folder("inbox")
        for copy in inbound_copies(conversation):
            _send_back(copy, junk, inbox)
    work_out(conversation)


def follow_to_junk(copy: Copy, junk: Folder) -> bool:
    """Want a copy of a spam conversation in Junk, and remember its folder. Returns whether it has to move."""
    origin = copy.destination_id
    if not _send(copy, junk):
        return False
    copy.remember_origin(origin)
    return True


def work_out(conversation: Conversation) -> None:
    """Work out the view after a verb changed the wished folders."""
    if conversation.place in ("here", "trash"):
        conversation.place = derived.place_of(conversation, [(copy, "in") for copy in inbound_copies(conversation)])


def inbound_copies(conversation: Conversation) -> list[Copy]:
    live = select(Copy).join(Message).where(Copy.gone_at.is_(None), Message.direction == "in")
    of_it = live.where(Message.conversation_id == conversation.id).options(joinedload(Copy.folder)).order_by(Copy.id)
    # Read them again now that the conversation is locked, because the worker records our moves while a verb waits for
    # the lock.
    return list(session_of(conversation).scalars(of_it.execution_options(populate_existing=True)))


def _send(copy: Copy, folder: Folder) -> bool:
    if copy.destination_id == folder.id:
        return False
    copy.want_in(folder.id)
    return True


def _send_back(copy: Copy, junk: Folder, inbox: Folder | None) -> None:
    if copy.destination_id != junk.id:
        return
    copy.want_in(copy.came_from_folder_id or (inbox.id if inbox else None))
    copy.remember_origin(None)
