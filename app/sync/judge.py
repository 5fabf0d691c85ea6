"""Judge: applies what copies show to their conversations, with the same verbs a member uses.

Works inside one transaction in which the conversations are locked, all of them first, in id order. A copy's new
sight is always remembered; whether it is news is the merge's to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.clock import now
from app.inbox.actor import Actor, mail_client
from app.inbox.arrival import Received
from app.inbox.conversation import Conversation
from app.inbox.copy import Copy
from app.inbox.event import Event, EventKind, record
from app.inbox.folder import Folder
from app.inbox.goal import carrying, frozen_names
from app.inbox.locking import locked
from app.inbox.mailbox import Mailbox
from app.inbox.message import Message
from app.inbox.status import Status
from app.inbox.tag import share_words, vocabulary
from app.inbox.thread import refresh
from app.inbox.vocabulary import State, Vocabulary
from app.sync.kin import away, came_beside_just_now, kin_of, no_news, said_before
from app.sync.merge import News, Sight, Verdict, merge
from app.sync.removal import lost
from app.sync.taking import live_copies, long_conversations, show_client_tags, status_of_place, take_state_from_copies

_SEEN, _ANSWERED, _FORWARDED = "\\seen", "\\answered", "$forwarded"


class Judge:
    """For one batch of one folder. `not_before`: the last good look, before which nothing of this had happened.
    `holding`: names that many copies lost at once; what else is lost of them waits for a person too."""

    def __init__(
        self,
        session: Session,
        mailbox: Mailbox,
        not_before: dt.datetime | None,
        holding: frozenset[str] = frozenset(),
    ) -> None:
        self.session = session
        self.mailbox = mailbox
        share_words(session, mailbox)
        self.words = vocabulary(session, mailbox)
        self.by: Actor = mail_client(not_before)
        self._holding = holding
        self.touched: set[int] = set()
        self._changed: set[int] = set()
        self._retagged: set[int] = set()  # conversations of which a copy's client tags are different
        self._raised: set[int] = set()  # whose revision was raised for what is judged here
        self._long: set[int] | None = None  # of the held ones those with more copies than carry names
        self._held: dict[int, Conversation] = {}
        self._revisions: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()  # conversation and a name of it that is held from now on
        self._left: list[Copy] = []  # known copies that went, or were marked as deleted
        self._same_mail: dict[int, list[Copy]] = {}  # message -> all its copies

    # known copies -------------------------------------------------------------------------------------------------

    def copies(self, folder_id: int, uidvalidity: int, uids: Iterable[int]) -> dict[int, Copy]:
        """UID -> live copy with its message and conversation; the conversations are locked, in id order."""
        found = self._copies(folder_id, uidvalidity, uids)
        while True:
            belong = {copy.message.conversation_id for copy in found.values()}
            self.lock(belong)
            found = self._copies(folder_id, uidvalidity, uids)
            # While we waited for the locks a member may have merged or split: then the mails belong elsewhere.
            if belong >= {copy.message.conversation_id for copy in found.values()}:
                return found

    def lock(self, ids: Iterable[int]) -> dict[int, Conversation]:
        """Held here too: what nobody refers to the session forgets, and would read again one by one."""
        held = {c.id: c for c in locked(self.session, ids, selectinload(Conversation.tags))}
        self._held |= held
        self._long = None
        for id_, conversation in held.items():
            self._revisions.setdefault(id_, conversation.revision)
        return held

    def saw(self, copy: Copy, keywords: Sequence[str]) -> None:
        """A known copy shows these keywords now."""
        before = tuple(copy.keywords)
        conversation = self._conversation(copy)
        words = conversation.in_words(self.words)
        now_ours, shown = self._names_of(copy, keywords, words), words.ours(copy.shown)
        if set(before) == set(keywords) and copy.pushing is None and now_ours == shown:
            return
        sight = Sight(
            now_ours,
            shown,
            None if copy.pushing is None else frozenset(copy.pushing),
            fading=not now_ours >= shown and self._fading(conversation, copy),
        )
        self._message_flags(copy.message, before, keywords)
        self._tell_held(conversation, copy, now_ours - words.ours(keywords) - {*copy.held})
        self._apply(conversation, merge(sight, conversation.state, conversation.agreed, words))
        self._remember(copy, keywords, words)
        self._follow_client_tags(conversation, before, keywords)
        if ("\\deleted" in _folded(before)) != ("\\deleted" in _folded(keywords)):
            self.touched.add(conversation.id)
            if away(copy):
                self._left.append(copy)
        if (conversation.mirrored and words.ours(copy.shown) != shown) or conversation.has_frozen:
            conversation.push_needed = True

    def saw_after_reset(self, copy: Copy, keywords: Sequence[str]) -> None:
        """The folder was reset: what is seen is remembered, nothing is adopted, our names are pushed again."""
        conversation = self._conversation(copy)
        self._remember(copy, keywords, conversation.in_words(self.words))
        copy.refused, copy.refuses, copy.unmatched_since = 0, [], None
        conversation.push_needed = conversation.push_needed or conversation.is_pushed
        self._changed.add(conversation.id)
        self._retagged.add(conversation.id)

    def gone(self, copies: Iterable[Copy]) -> None:
        """These copies are no longer in their folder. Their rows stay, with what they showed and what we had begun to
        write on them: they explain where a moved one came from."""
        at = now()
        went = list(copies)
        for copy in went:
            copy.gone_at, copy.gone_pull, copy.wanted_folder_id = at, self.mailbox.pulls, None
            conversation = self._conversation(copy)
            if conversation.is_pushed:  # an older copy may carry the names now
                conversation.push_needed = True
            self.touched.add(conversation.id)
            self._changed.add(conversation.id)
        self._left += went

    # new copies ---------------------------------------------------------------------------------------------------

    def arrived(self, received: Sequence[Received], *, resetting: bool = False) -> None:
        """Judge the names of copies that were just received (not of an import)."""
        self.lock(r.conversation_id for r in received)
        copies = self._received(received)
        if not resetting:
            self._raised |= {r.conversation_id for r in received if r.new}
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
        """State of conversations nobody has acted on yet, from what their copies carry."""
        named = [r for r in received if self.words.ours(r.arrival.keywords)]
        copies = self._received(named)
        for r in named:
            copies[r.copy_id].shown = sorted(self.words.ours(r.arrival.keywords))
        self.session.flush()
        telling = self._telling(received)
        take_state_from_copies(self.session, self.mailbox, self.words, self.lock(telling).values())
        self.touched |= telling
        self._retagged |= telling

    def _telling(self, received: Sequence[Received]) -> set[int]:
        """The conversations of these copies of which any copy says something: a name of ours, a client's tag, or by
        lying in Junk. An older conversation counts too: the newest mail that came now may speak for it."""
        found = {r.conversation_id for r in received if self.words.client_tags(r.arrival.keywords)}
        found.update(
            self.session.scalars(
                select(Message.conversation_id)
                .join(Copy)
                .join(Folder, Folder.id == Copy.folder_id)
                .where(
                    Message.conversation_id.in_({r.conversation_id for r in received}),
                    or_(func.cardinality(Copy.shown) > 0, Folder.role == "junk"),
                )
            )
        )
        return found

    # the end of a batch -------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Work out what follows and tell everyone, once for each conversation."""
        self.session.flush()
        if self._left:
            self._went_to_junk(self._left)
        if self._retagged:
            show_client_tags(self.session, self.mailbox, self.words, self._retagged)
        self._raised |= {id_ for id_, revision in self._revisions.items() if self._held[id_].revision != revision}
        refresh(self.session, self.touched)
        for conversation in locked(self.session, self._changed | self._retagged | self.touched):
            if conversation.id in self._raised:
                conversation.tell()
            else:
                conversation.changed()

    # how ----------------------------------------------------------------------------------------------------------

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

    def _conversation(self, copy: Copy) -> Conversation:
        id_ = copy.message.conversation_id
        return self._held.get(id_) or self.session.get_one(Conversation, id_)

    def _received(self, received: Iterable[Received]) -> dict[int, Copy]:
        """The copies that were received, by id; what else lies of the same mails is kept for `kin_of`."""
        messages = {r.message_id for r in received}
        found = self.session.scalars(
            select(Copy)
            .options(joinedload(Copy.message), joinedload(Copy.folder))
            .where(Copy.message_id.in_(messages))
            .order_by(Copy.id)
        ).all()
        self._same_mail = {id_: [] for id_ in messages}
        for copy in found:
            self._same_mail[copy.message_id].append(copy)
        return {copy.id: copy for copy in found}

    def _remember(self, copy: Copy, keywords: Sequence[str], words: Vocabulary) -> None:
        names = self._names_of(copy, keywords, words)
        copy.remember(self.mailbox.pulls)
        copy.keywords = [keyword for keyword in keywords if keyword != "\\Recent"]
        copy.held = sorted(names - words.ours(keywords))
        copy.shown, copy.pushing = sorted(names | frozen_names(copy, words)), None

    def _names_of(self, copy: Copy, keywords: Sequence[str], words: Vocabulary) -> frozenset[str]:
        """The names of ours it shows. What is held for a person counts as there."""
        there = words.ours(keywords)
        gone = lost(copy.shown, there, copy.pushing, words) & self._holding
        return there | gone | lost(copy.held, there, None, words)

    def _tell_held(self, conversation: Conversation, copy: Copy, names: Iterable[str]) -> None:
        for name in sorted(names):
            if (conversation.id, name) not in self._told:
                self._told.add((conversation.id, name))
                conversation.record(EventKind.HELD, self.by, before={"keyword": name})

    def _apply(self, conversation: Conversation, news: Iterable[News]) -> None:
        for one in news:
            state = conversation.state
            if one.verdict is Verdict.CONFLICT:
                theirs = None if one.value is None else str(one.value)
                conversation.note_conflict(one.register, theirs, by=self.by)
                continue
            if one.verdict is Verdict.ADOPT:
                self._adopt(conversation, one)
                state = conversation.state
            conversation.agree(_with(conversation.agreed, state, one))

    def _adopt(self, conversation: Conversation, news: News) -> None:
        if news.register == "owner":
            if news.value is None:
                conversation.release(by=self.by)
            else:
                conversation.assign_name(str(news.value), by=self.by)
        elif news.register == "status":
            conversation.change_status(Status(str(news.value)), by=self.by)
        elif news.register == "star":
            (conversation.star if news.value else conversation.unstar)(by=self.by)
        else:
            (conversation.tag if news.value else conversation.untag)(news.tag, by=self.by)

    def _message_flags(self, message: Message, before: Sequence[str], after: Sequence[str]) -> None:
        """\\Seen, \\Answered and $Forwarded belong to the message: what changed on a copy changed on it."""
        old, new = _folded(before), _folded(after)
        if (_SEEN in old) != (_SEEN in new):
            message.seen = _SEEN in new
            self.touched.add(message.conversation_id)
        if (_ANSWERED in old) != (_ANSWERED in new):
            message.answered = _ANSWERED in new
        if (_FORWARDED in old) != (_FORWARDED in new):
            message.forwarded = _FORWARDED in new

    def _fading(self, conversation: Conversation, copy: Copy) -> bool:
        """Whether names fall off this copy: it only matters where some are missing from one of many."""
        if self._long is None:
            self._long = long_conversations(self.session, self._held)
        if conversation.id not in self._long:
            return False
        return copy not in carrying(live_copies(self.session, [conversation.id])[conversation.id])

    def _first_seen(self, copy: Copy) -> None:
        """A new mail carries no history: its names are an outside change only where nobody owns the conversation
        and it is open; tags and star are united. What is not taken has a quiet line."""
        conversation = self._conversation(copy)
        words = conversation.in_words(self.words)
        sight = Sight(words.ours(copy.keywords), frozenset())
        free = conversation.owner is None and conversation.status == Status.OPEN
        news = merge(sight, conversation.state, conversation.agreed, words)
        taken = [one for one in news if free or one.register in ("star", "tag")]
        if any(one not in taken and one.verdict is not Verdict.AGREE for one in news):
            self._record_place(conversation, None, copy, copy.keywords)
        self._apply(conversation, taken)
        alone = conversation.message_count == 1 and free and not words.status_names(sight.now)
        if alone and copy.message.direction == "in" and status_of_place(copy) is Status.SPAM:
            conversation.mark_spam(by=self.by)  # the server's own filter put it there
        copy.remember(self.mailbox.pulls)  # it was bare once: a twin of it may still be
        copy.shown = sorted(sight.now)
        self._follow_client_tags(conversation, (), copy.keywords)
        if conversation.is_pushed:
            conversation.push_needed = True

    def _seen_elsewhere(self, copy: Copy) -> None:
        """A mail we know lies at a new place: moved or copied by a client, or by us before a crash."""
        conversation = self._conversation(copy)
        kin = kin_of(copy, self._same_mail[copy.message_id], self.mailbox.pulls)
        went = next((k for k in kin if away(k)), None)
        own_move = next((k for k in kin if k.moving_folder_id == copy.folder_id and not k.left_behind), None)
        carried = list(copy.keywords)
        if not kin:
            self._first_seen(copy)
        else:
            if (left := went or own_move) is not None:  # what waits for a person waits wherever it lies
                copy.held, copy.shown = list(left.held), list(left.held)
            words = conversation.in_words(self.words)
            names = self._names_of(copy, carried, words)
            older = self._once(conversation, names - no_news(names, kin, went, words)) if went is None else set()
            copy.shown = sorted(no_news(names - older, kin, went, words) | older)
            copy.keywords = list((went or kin[0]).keywords)
            if own_move is None:
                copy.beside_pull = self.mailbox.pulls if went is None else None
                self._record_place(conversation, went, copy, carried)
            self.saw(copy, carried)
        if own_move is not None:
            self._follow_own_move(conversation, own_move, copy)
        elif went is not None:
            self._follow_junk(conversation, went, copy, kin)
        if went is not None and went.unmatched_since is not None:
            self._let_go(went)
        if conversation.is_pushed:
            conversation.push_needed = True
        self.touched.add(conversation.id)

    def _follow_own_move(self, conversation: Conversation, original: Copy, copy: Copy) -> None:
        """Our own hand, though we heard no answer. Without MOVE the original may still be there: the push deletes it,
        and the wish, which may be another by now, is the copy's. `moving_folder_id` stays until the pull has ended."""
        copy.came_from_folder_id = original.came_from_folder_id
        if not original.live:
            original.wanted_folder_id = original.moving_folder_id = None
            return
        wanted = original.wanted_folder_id or original.folder_id
        copy.wanted_folder_id = wanted if wanted != copy.folder_id else None
        original.left_behind = conversation.push_needed = True

    def _once(self, conversation: Conversation, names: frozenset[str]) -> frozenset[str]:
        """Those of the names that say what the conversation was once: a copy that lay in a folder which is not watched
        tells of that time."""
        if not names:
            return names
        events = select(Event.before, Event.after).where(Event.conversation_id == conversation.id)
        sides = (side for pair in self.session.execute(events) for side in pair)
        return said_before(names, sides, conversation.in_words(self.words))

    def _record_place(self, conversation: Conversation, went: Copy | None, copy: Copy, carried: Sequence[str]) -> None:
        """A quiet line: it lies elsewhere now, with these names; those that are older are no news."""
        record(
            self.session,
            EventKind.MOVED if went is not None else EventKind.ARRIVED_OLDER,
            by=self.by,
            mailbox_id=self.mailbox.id,
            conversation_id=conversation.id,
            before={"folder": went.folder.name} if went is not None else None,
            after={"folder": copy.folder.name, "shown": sorted(conversation.in_words(self.words).ours(carried))},
        )

    def _follow_junk(self, conversation: Conversation, went: Copy, copy: Copy, kin: Sequence[Copy]) -> None:
        """A client's move into or out of Junk sets or clears spam. A mail that still lies elsewhere was copied into
        Junk, one that still lies in Junk was copied out of it."""
        if copy.message.direction != "in":
            return
        stays = {k.folder.role for k in kin if not away(k)}
        into = copy.folder.role == "junk" and went.folder.role != "junk" and not stays
        out_of = went.folder.role == "junk" and copy.folder.role not in ("junk", "trash") and "junk" not in stays
        if into and conversation.status != Status.SPAM:
            copy.came_from_folder_id = went.folder_id
            conversation.mark_spam(by=self.by)
        elif out_of and conversation.status == Status.SPAM:
            conversation.reopen(by=self.by)

    def _went_to_junk(self, left: Sequence[Copy]) -> None:
        """A client's move is seen in two steps if it happens while we look: first the copy in Junk beside the other,
        then this. One that has been beside it for longer was copied, and this is no move."""
        there = self.session.scalars(
            select(Copy)
            .options(joinedload(Copy.message), joinedload(Copy.folder))
            .where(Copy.message_id.in_([copy.message_id for copy in left]), Copy.gone_at.is_(None))
        ).all()
        for one in left:
            beside = [copy for copy in there if copy.message_id == one.message_id and copy is not one]
            found = next((copy for copy in beside if copy.folder.role == "junk"), None)
            if found is not None and came_beside_just_now(found, self.mailbox.pulls) and one.moving_folder_id is None:
                self._follow_junk(self._conversation(one), one, found, [copy for copy in beside if copy is not found])

    def _unmatched(self, copy: Copy) -> Copy | None:
        """The copy of the same mail that its folder lost in a reset."""
        same = (other for other in self._same_mail[copy.message_id] if other.folder_id == copy.folder_id)
        return next((other for other in same if other.unmatched_since is not None and other.live), None)

    def _found_again(self, copy: Copy, old: Copy | None) -> None:
        """After a reset this is the copy we knew under another UID; the old row has done its duty."""
        if old is not None:
            copy.came_from_folder_id, copy.wanted_folder_id = old.came_from_folder_id, old.wanted_folder_id
            copy.left_behind = old.left_behind
            words = self._conversation(copy).in_words(self.words)
            copy.held, copy.shown = list(old.held), sorted(frozen_names(old, words).union(old.held))
            self._let_go(old)
        self.saw_after_reset(copy, copy.keywords)
        self.touched.add(copy.message.conversation_id)

    def _let_go(self, old: Copy) -> None:
        """Its mail was found elsewhere: nobody waits for it in its folder any more."""
        old.gone_at, old.gone_pull = now(), self.mailbox.pulls
        old.unmatched_since, old.wanted_folder_id = None, None

    def _follow_client_tags(self, conversation: Conversation, before: Sequence[str], after: Sequence[str]) -> None:
        """Clients' own tags are shown on the conversation while any of its copies carries them."""
        if self.words.client_tags(before) != self.words.client_tags(after):
            self._retagged.add(conversation.id)


def _with(agreed: State, ours: State, news: News) -> State:
    """The agreed state with one register brought to what we hold."""
    if news.register == "tag":
        on = news.tag in ours.tags
        tags = agreed.tags | {news.tag} if on else agreed.tags - {news.tag}
        return State(agreed.owner, agreed.status, agreed.star, tags)
    return State(
        ours.owner if news.register == "owner" else agreed.owner,
        ours.status if news.register == "status" else agreed.status,
        ours.star if news.register == "star" else agreed.star,
        agreed.tags,
    )


def _folded(keywords: Iterable[str]) -> set[str]:
    return {keyword.casefold() for keyword in keywords}
