"""Removal: one keyword that disappears from many copies at once is treated as an accident, not as a person's decision.

We then adopt nothing and write nothing. The copies count as still showing it (`Copy.held`) until a person decides
(app/inbox/server/held.py). Losses in the reset of a folder are handled elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import Vocabulary
from app.inbox.server.held import names_held
from app.sync.look.look import MANY, Look, chunks, too_many


def lost(
    shown: Iterable[str], now: frozenset[str], pushing: Iterable[str] | None, vocabulary: Vocabulary
) -> frozenset[str]:
    """Keywords that disappeared from a copy, not by our own write, and without another one in their place."""
    gone = vocabulary.ours(shown).difference(now)
    if pushing is not None:
        gone = gone.intersection(pushing)
    return frozenset(name for name in gone if not vocabulary.only(vocabulary.register_of(name), now))


def names_to_hold(mailbox_id: int, looks: Sequence[Look]) -> frozenset[str]:
    """The keywords that too many copies lost in this round, and those that are held already: later rounds may see the
    rest of a removal."""
    rows = sum(len(look.rows) for look in looks)
    if not rows:
        return frozenset()
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        names = names_held(session, mailbox)
        if rows > MANY:
            vocabulary = vocabulary_of(session, mailbox)
            counts = Counter(name for look in looks for name in _lost_in(session, look, vocabulary))
            names |= {name for name, count in counts.items() if too_many(count, _carrying(session, mailbox, name))}
        return names


def _lost_in(session: Session, look: Look, vocabulary: Vocabulary) -> Iterator[str]:
    for some in chunks(look.rows):
        now = {row.uid: vocabulary.ours(row.flags) for row in some}
        known = (
            select(Copy.uid, Copy.shown, Copy.pushing, Conversation.frozen)
            .join(Message, Message.id == Copy.message_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(*look.live, Copy.uid.in_(now))
        )
        for uid, shown, pushing, frozen in session.execute(known):
            yield from lost(shown, now[uid], pushing, vocabulary.without(frozen) if frozen else vocabulary)


def _carrying(session: Session, mailbox: Mailbox, name: str) -> int:
    live = select(func.count()).select_from(Copy).join(Folder, Folder.id == Copy.folder_id)
    shown = live.where(Folder.mailbox_id == mailbox.id, Copy.gone_at.is_(None), Copy.shown.contains([name]))
    return session.scalar(shown) or 0
