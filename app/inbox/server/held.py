"""Held: keywords that many copies lost at once on the mail server, which may be an accident.

Owners, statuses and tags stay, and nothing is written back, until an administrator decides. "Theirs" means that the
keywords were removed on purpose; "ours" writes them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.db import rows
from app.inbox.actor import Actor, mail_client
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import says
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import STAR, Vocabulary
from app.inbox.permission import require_admin

#: Conversations decided in one transaction, so that nobody waits long for its locks.
_CONVERSATIONS = 500
_HOLDING = text("copy.held <> '{}'")  # in the spelling of the index


@dataclass(frozen=True)
class Hold:
    """A keyword, and the number of conversations that lost it."""

    keyword: str
    conversations: int


#: For the mailbox `id`, largest number first.
HOLDS = """
    SELECT keyword, count(DISTINCT message.conversation_id) AS conversations
    FROM copy JOIN message ON message.id = copy.message_id JOIN folder ON folder.id = copy.folder_id
    CROSS JOIN LATERAL unnest(copy.held) AS keyword
    WHERE folder.mailbox_id = %(id)s AND copy.gone_at IS NULL AND copy.held <> '{}'
    GROUP BY keyword ORDER BY conversations DESC, keyword
"""


def holds(session: Session, mailbox: Mailbox) -> list[Hold]:
    """The keywords that wait for a decision, largest number first."""
    return rows(session, HOLDS, Hold, id=mailbox.id)


def names_held(session: Session, mailbox: Mailbox) -> frozenset[str]:
    return frozenset(hold.keyword for hold in holds(session, mailbox))


def decide(session: Session, mailbox: Mailbox, keyword: str, *, take_theirs: bool, by: Actor) -> int | None:
    """Take the server's values, or keep ours. Handles some hundred conversations and returns their number; None if
    nothing is left. Raises NotAllowed unless an administrator decides."""
    require_admin(by)
    ids = _holding(session, mailbox, keyword)
    if not ids:
        return None
    vocabulary = vocabulary_of(session, mailbox)
    candidates = locked(session, ids, selectinload(Conversation.tags))
    copies = _copies(session, ids, keyword)
    # While we waited for the lock, the keyword may have come back, or somebody else may have decided.
    conversations = [conversation for conversation in candidates if conversation.id in copies]
    for conversation in conversations:
        _decide(conversation, copies[conversation.id], keyword, vocabulary, take_theirs=take_theirs, by=by)
    if conversations:
        details = {"keyword": keyword, "use": "server" if take_theirs else "ours", "conversations": len(conversations)}
        record(session, EventKind.DECIDED, by=by, mailbox_id=mailbox.id, after=details)
        mailbox.tell_health()
    return len(conversations)


def _decide(
    conversation: Conversation,
    copies: Sequence[Copy],
    keyword: str,
    vocabulary: Vocabulary,
    *,
    take_theirs: bool,
    by: Actor,
) -> None:
    for copy in copies:
        copy.stop_holding([keyword], lost=True)
    still_says = says(conversation.state, keyword, vocabulary)  # if not, a member decided by another act
    if still_says and take_theirs:
        _take_off(conversation, keyword, vocabulary)
    elif still_says:
        conversation.mirrored = True
        conversation.record(EventKind.SETTLED, by, before={"keyword": keyword}, after={"use": "ours"})
    conversation.want_push()
    conversation.tell()


def _holding(session: Session, mailbox: Mailbox, keyword: str) -> Sequence[int]:
    return session.scalars(
        select(Message.conversation_id)
        .join(Copy, Copy.message_id == Message.id)
        .join(Folder, Folder.id == Copy.folder_id)
        .where(
            Folder.mailbox_id == mailbox.id,
            Copy.gone_at.is_(None),
            _HOLDING,
            Copy.held.contains([keyword]),
        )
        .distinct()
        .order_by(Message.conversation_id)
        .limit(_CONVERSATIONS)
    ).all()


def _copies(session: Session, ids: Sequence[int], keyword: str) -> dict[int, list[Copy]]:
    """Conversation -> its copies that lost the keyword, locked, including those that have disappeared since."""
    copies: dict[int, list[Copy]] = defaultdict(list)
    for copy in session.scalars(
        select(Copy)
        .join(Copy.message)
        .options(contains_eager(Copy.message))
        .where(Message.conversation_id.in_(ids), Copy.held.contains([keyword]))
        .order_by(Copy.id)
        .with_for_update(of=Copy)
    ):
        copies[copy.message.conversation_id].append(copy)
    return copies


def _take_off(conversation: Conversation, keyword: str, vocabulary: Vocabulary) -> None:
    """It was an act in a mail client after all: call the verb that removes this value."""
    by = mail_client(None)
    if keyword == STAR:
        conversation.unstar(by=by)
    elif vocabulary.owner_of(keyword) is not None:
        conversation.release(by=by)
    elif vocabulary.status_of(keyword) is not None:
        conversation.reopen(by=by)
    elif (tag := vocabulary.tag_of(keyword)) is not None:
        conversation.untag(tag, by=by)
