"""Locked conversations: those whose copies are judged in one transaction.

We lock all of them first, in id order. The consequences are worked out once for each, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.inbox.actor import Actor
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import carrying
from app.inbox.conversations.locking import locked
from app.inbox.conversations.tag import share_vocabulary, vocabulary_of
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import Vocabulary
from app.sync.meaning.junk import follow_into_junk
from app.sync.meaning.taking import live_copies, long_conversations, show_client_tags


class LockedConversations:
    """The conversations of a batch of copies in one folder. `by`: the actor of the changes.

    Judging fills these: `touched`, conversations whose data in lists must be worked out again; `changed`, those where
    only a copy changed; `raised`, those whose revision was already raised; `left`, copies that disappeared."""

    def __init__(self, session: Session, mailbox: Mailbox, *, by: Actor) -> None:
        self.session = session
        self.mailbox = mailbox
        self.by = by
        share_vocabulary(session, mailbox)
        self.vocabulary = vocabulary_of(session, mailbox)
        self.touched: set[int] = set()
        self.changed: set[int] = set()
        self.raised: set[int] = set()
        self.left: list[Copy] = []
        self._retagged: set[int] = set()  # conversations where the client tags of a copy changed
        self._by_id: dict[int, Conversation] = {}
        self._revisions: dict[int, int] = {}
        self._long: set[int] | None = None  # of the locked ones, those with more copies than may carry keywords
        self._carrying: dict[int, set[int]] = {}  # a long conversation -> its copies that carry keywords

    def copies(self, folder_id: int, uidvalidity: int, uids: Iterable[int]) -> dict[int, Copy]:
        """UID -> live copy with its message and conversation; the conversations are locked, in id order."""
        copies = self._copies(folder_id, uidvalidity, uids)
        while True:
            belong = {copy.message.conversation_id for copy in copies.values()}
            self.lock(belong)
            copies = self._copies(folder_id, uidvalidity, uids)
            # A member may have merged or split while we waited for the locks. The mails then belong to other
            # conversations.
            if belong >= {copy.message.conversation_id for copy in copies.values()}:
                return copies

    def lock(self, ids: Iterable[int]) -> dict[int, Conversation]:
        """Lock and keep them: the session drops objects without references, and would read them again one by one."""
        conversations = {c.id: c for c in locked(self.session, ids, selectinload(Conversation.tags))}
        self._by_id |= conversations
        self._long = None
        self._carrying.clear()
        for id_, conversation in conversations.items():
            self._revisions.setdefault(id_, conversation.revision)
        return conversations

    def conversation_of(self, copy: Copy) -> Conversation:
        id_ = copy.message.conversation_id
        return self._by_id.get(id_) or self.session.get_one(Conversation, id_)

    def words_of(self, copy: Copy) -> Vocabulary:
        """The vocabulary without the registers that are frozen on its conversation."""
        return self.conversation_of(copy).unfrozen(self.vocabulary)

    def is_fading(self, conversation: Conversation, copy: Copy) -> bool:
        """Whether we no longer write keywords on this copy. That matters only if one of many copies lacks some."""
        if self._long is None:
            self._long = long_conversations(self.session, self._by_id)
        if conversation.id not in self._long:
            return False
        if conversation.id not in self._carrying:
            copies = live_copies(self.session, [conversation.id])[conversation.id]
            self._carrying[conversation.id] = {one.id for one in carrying(copies)}
        return copy.id not in self._carrying[conversation.id]

    def follow_client_tags(self, conversation: Conversation, before: Sequence[str], after: Sequence[str]) -> None:
        """A conversation shows clients' own tags while any of its copies carries them."""
        if self.vocabulary.client_tags(before) != self.vocabulary.client_tags(after):
            self._retagged.add(conversation.id)

    def show_tags_of(self, ids: Iterable[int]) -> None:
        """Work out clients' own tags of these conversations at the end."""
        self._retagged.update(ids)

    def finish(self) -> None:
        """Work out the consequences and announce the changes, once for each conversation."""
        self.session.flush()
        if self.left:
            follow_into_junk(self.session, self.left, self.mailbox.pulls, by=self.by)
        if self._retagged:
            show_client_tags(self.session, self.mailbox, self.vocabulary, self._retagged)
        self.raised |= {id_ for id_, revision in self._revisions.items() if self._by_id[id_].revision != revision}
        refresh(self.session, self.touched)
        for conversation in locked(self.session, self.changed | self._retagged | self.touched):
            if conversation.id in self.raised:
                conversation.tell()
            else:
                conversation.changed()

    def _copies(self, folder_id: int, uidvalidity: int, uids: Iterable[int]) -> dict[int, Copy]:
        rows = self.session.scalars(
            select(Copy)
            .options(joinedload(Copy.message), joinedload(Copy.folder))
            .where(
                Copy.folder_id == folder_id,
                Copy.uidvalidity == uidvalidity,
                Copy.gone_at.is_(None),
                Copy.unmatched_since.is_(None),
                Copy.uid.in_(sorted(set(uids))),
            )
            .order_by(Copy.id)
            .execution_options(populate_existing=True)
        )
        return {copy.uid: copy for copy in rows}
