"""Newcomers: decides what the keywords of copies mean that were just received. A new mail has no history. A known mail
was moved or copied.

Runs in the batch's transaction. `kin` decides which of its keywords are a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from app.db import any_of
from app.inbox.arriving.arrival import Received
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import frozen_names
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event, EventKind, record
from app.inbox.mailboxes.folder import Folder
from app.inbox.status import Status
from app.sync.meaning.judge import Judge
from app.sync.meaning.junk import follow_junk, status_of_place
from app.sync.meaning.kin import away, kin_of, no_news, said_before
from app.sync.meaning.locked import LockedConversations
from app.sync.meaning.merge import Sight, Verdict, merge
from app.sync.meaning.taking import take_state_from_copies


class Newcomers:
    """The newcomers of one batch from one folder, after `receive` has stored them."""

    def __init__(self, locked: LockedConversations) -> None:
        self.locked = locked
        self._judge = Judge(locked)
        self._same_mail: dict[int, list[Copy]] = {}  # message -> all its copies

    def arrived(self, received: Sequence[Received], *, resetting: bool = False) -> None:
        """Judge the keywords of copies that were just received (not of an import)."""
        self.locked.lock(r.conversation_id for r in received)
        copies = self._received(received)
        if not resetting:
            self.locked.raised |= {r.conversation_id for r in received if r.new}
        for r in received:
            copy = copies[r.copy_id]
            unmatched = None if r.new else self._unmatched(copy)
            if resetting or unmatched is not None:
                self._found_again(copy, unmatched)
            elif r.new:
                self._first_seen(copy)
            else:
                self._seen_elsewhere(copy)

    def imported(self, received: Sequence[Received]) -> None:
        """Take the state of conversations that nobody has acted on from their copies."""
        if named := [r for r in received if self.locked.vocabulary.ours(r.arrival.keywords)]:
            copies = self._received(named)
            for r in named:
                copies[r.copy_id].take_as_shown(self.locked.vocabulary.ours(r.arrival.keywords))
            self.locked.session.flush()
        if not (telling := self._telling(received)):
            return
        take_state_from_copies(
            self.locked.session, self.locked.mailbox, self.locked.vocabulary, self.locked.lock(telling).values()
        )
        self.locked.touched |= telling
        self.locked.show_tags_of(telling)

    def _telling(self, received: Sequence[Received]) -> set[int]:
        """The conversations of these copies where any copy carries state: our keyword, a client's tag, or its place in
        Junk. This includes older conversations, because their newest mail may have just arrived."""
        conversation_ids = {
            r.conversation_id for r in received if self.locked.vocabulary.client_tags(r.arrival.keywords)
        }
        conversation_ids.update(
            self.locked.session.scalars(
                select(Message.conversation_id)
                .join(Copy)
                .join(Folder, Folder.id == Copy.folder_id)
                .where(
                    Message.conversation_id == any_of({r.conversation_id for r in received}),
                    or_(func.cardinality(Copy.shown) > 0, Folder.role == "junk"),
                )
            )
        )
        return conversation_ids

    # helpers ------------------------------------------------------------------------------------------------------

    def _received(self, received: Iterable[Received]) -> dict[int, Copy]:
        """The received copies by id. Other copies of the same mails are kept for `kin_of`."""
        messages = {r.message_id for r in received}
        copies = self.locked.session.scalars(
            select(Copy)
            .options(joinedload(Copy.message), joinedload(Copy.folder))
            .where(Copy.message_id.in_(messages))
            .order_by(Copy.id)
        ).all()
        self._same_mail = {id_: [] for id_ in messages}
        for copy in copies:
            self._same_mail[copy.message_id].append(copy)
        return {copy.id: copy for copy in copies}

    def _first_seen(self, copy: Copy) -> None:
        """A new mail has no history. Its owner and status count only if the conversation is open and unassigned; tags
        and star are added. Ignored keywords get a quiet line in the history."""
        conversation = self.locked.conversation_of(copy)
        vocabulary = conversation.unfrozen(self.locked.vocabulary)
        sight = Sight(vocabulary.ours(copy.keywords), frozenset())
        free = conversation.owner is None and conversation.status == Status.OPEN
        news = merge(sight, conversation.state, conversation.agreed, vocabulary)
        taken = [one for one in news if free or one.register in ("star", "tag")]
        if any(one not in taken and one.verdict is not Verdict.AGREE for one in news):
            self._record_place(conversation, None, copy, copy.keywords)
        self._judge.apply(conversation, taken)
        alone = conversation.message_count == 1 and free and not vocabulary.status_names(sight.now)
        if alone and copy.message.direction == "in" and status_of_place(copy) is Status.SPAM:
            conversation.mark_spam(by=self.locked.by)  # the server's own filter put it there
        copy.remember(self.locked.mailbox.pulls)  # it was bare once, so a twin of it may still be
        copy.take_as_shown(sight.now)
        self.locked.follow_client_tags(conversation, (), copy.keywords)
        conversation.want_push_of_copies()

    def _seen_elsewhere(self, copy: Copy) -> None:
        """A known mail appears at a new place: a client moved or copied it, or we did before a crash."""
        conversation = self.locked.conversation_of(copy)
        kin = kin_of(copy, self._same_mail[copy.message_id], self.locked.mailbox.pulls)
        went = next((k for k in kin if away(k)), None)
        own_move = next((k for k in kin if k.moving_folder_id == copy.folder_id and not k.left_behind), None)
        carried = list(copy.keywords)
        if not kin:
            self._first_seen(copy)
        else:
            if (left := went or own_move) is not None:  # a decision that waits for a person follows the mail
                copy.take_held(left)
            vocabulary = conversation.unfrozen(self.locked.vocabulary)
            names = self._judge.names_of(copy, carried, vocabulary)
            older = self._once(conversation, names - no_news(names, kin, went, vocabulary)) if went is None else set()
            copy.take_as_shown(no_news(names - older, kin, went, vocabulary) | older)
            copy.take_keywords((went or kin[0]).keywords)
            if own_move is None:
                copy.came_beside(self.locked.mailbox.pulls if went is None else None)
                self._record_place(conversation, went, copy, carried)
            self._judge.saw(copy, carried)
        if own_move is not None:
            # `moving_folder_id` stays until the pull has ended.
            copy.finish_move_of(own_move)
            if own_move.live:
                conversation.want_push()
        elif went is not None:
            follow_junk(conversation, went, copy, kin, by=self.locked.by)
        if went is not None and went.unmatched_since is not None:
            went.went(self.locked.mailbox.pulls)
        conversation.want_push_of_copies()
        self.locked.touched.add(conversation.id)

    def _once(self, conversation: Conversation, names: frozenset[str]) -> frozenset[str]:
        """The keywords that give an earlier value of the conversation. A copy from an unwatched folder still has the
        keywords of that time."""
        if not names:
            return names
        events = select(Event.before, Event.after).where(Event.conversation_id == conversation.id)
        sides = (side for pair in self.locked.session.execute(events) for side in pair)
        return said_before(names, sides, conversation.unfrozen(self.locked.vocabulary))

    def _record_place(self, conversation: Conversation, went: Copy | None, copy: Copy, carried: Sequence[str]) -> None:
        """Record a quiet line: the mail has a new place, with these keywords. Older values are not a change."""
        record(
            self.locked.session,
            EventKind.MOVED if went is not None else EventKind.ARRIVED_OLDER,
            by=self.locked.by,
            mailbox_id=self.locked.mailbox.id,
            conversation_id=conversation.id,
            before={"folder": went.folder.name} if went is not None else None,
            after={
                "folder": copy.folder.name,
                "shown": sorted(conversation.unfrozen(self.locked.vocabulary).ours(carried)),
            },
        )

    def _unmatched(self, copy: Copy) -> Copy | None:
        """The copy of the same mail that its folder lost in a reset."""
        same = (other for other in self._same_mail[copy.message_id] if other.folder_id == copy.folder_id)
        return next((other for other in same if other.unmatched_since is not None and other.live), None)

    def _found_again(self, copy: Copy, old: Copy | None) -> None:
        """This is the known copy under a new UID after a reset, so the old row is no longer needed."""
        if old is not None:
            copy.replace(old)
            vocabulary = self.locked.conversation_of(copy).unfrozen(self.locked.vocabulary)
            copy.take_as_shown(frozen_names(old, vocabulary).union(old.held))
            old.went(self.locked.mailbox.pulls)
        self._judge.saw_after_reset(copy, copy.keywords)
        self.locked.touched.add(copy.message.conversation_id)
