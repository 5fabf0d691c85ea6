"""Judge: applies what copies show to their conversations, with the same verbs a member uses.

Works inside one transaction in which the conversations are locked, all of them first, in id order. A copy's new
sight is always remembered; whether it is news is the merge's to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.inbox.actor import Actor, mail_client
from app.inbox.arriving.thread import refresh
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import carrying, frozen_names
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import share_words, vocabulary
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary
from app.inbox.status import Status
from app.sync.meaning.junk import follow_into_junk
from app.sync.meaning.kin import away
from app.sync.meaning.merge import News, Sight, Verdict, merge
from app.sync.meaning.removal import lost
from app.sync.meaning.taking import live_copies, long_conversations, show_client_tags

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
        if shown - {STAR} and not now_ours - {STAR} and self._forgets_what_moved(copy):
            # It goes as a move without its names does: nothing is adopted, and they are written again.
            self._remember(copy, keywords, words)
            conversation.want_push_of_copies()
            return
        self._tell_held(conversation, copy, now_ours - words.ours(keywords) - {*copy.held})
        self._apply(conversation, merge(sight, conversation.state, conversation.agreed, words))
        self._remember(copy, keywords, words)
        self._follow_client_tags(conversation, before, keywords)
        if ("\\deleted" in _folded(before)) != ("\\deleted" in _folded(keywords)):
            self.touched.add(conversation.id)
            if away(copy):
                self._left.append(copy)
        if (conversation.mirrored and words.ours(copy.shown) != shown) or conversation.has_frozen:
            conversation.want_push()

    def saw_after_reset(self, copy: Copy, keywords: Sequence[str]) -> None:
        """The folder was reset: what is seen is remembered, nothing is adopted, our names are pushed again."""
        conversation = self._conversation(copy)
        self._remember(copy, keywords, conversation.in_words(self.words))
        copy.matched()
        conversation.want_push_of_copies()
        self._changed.add(conversation.id)
        self._retagged.add(conversation.id)

    def gone(self, copies: Iterable[Copy]) -> None:
        """These copies are no longer in their folder. Their rows stay, with what they showed and what we had begun to
        write on them: they explain where a moved one came from."""
        went = list(copies)
        for copy in went:
            copy.went(self.mailbox.pulls)
            conversation = self._conversation(copy)
            conversation.want_push_of_copies()  # an older copy may carry the names now
            self.touched.add(conversation.id)
            self._changed.add(conversation.id)
        self._left += went

    # the end of a batch -------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Work out what follows and tell everyone, once for each conversation."""
        self.session.flush()
        if self._left:
            follow_into_junk(self.session, self._left, self.mailbox.pulls, by=self.by)
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

    def _remember(self, copy: Copy, keywords: Sequence[str], words: Vocabulary) -> None:
        names = self._names_of(copy, keywords, words)
        shown = names | frozen_names(copy, words)
        copy.saw(keywords, shown=shown, held=names - words.ours(keywords), pull=self.mailbox.pulls)

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

    def _forgets_what_moved(self, copy: Copy) -> bool:
        """Whether a client moved the mail here just now, on a server that loses keywords by a move: it may show them at
        first and forget them a moment later."""
        if self.mailbox.report.get("capabilities", {}).get("keywords_travel", True):
            return False
        came_from = (Copy.message_id == copy.message_id, Copy.gone_pull >= self.mailbox.pulls - 1)
        return bool(self.session.scalar(select(select(Copy.id).where(*came_from).exists())))

    def _fading(self, conversation: Conversation, copy: Copy) -> bool:
        """Whether names fall off this copy: it only matters where some are missing from one of many."""
        if self._long is None:
            self._long = long_conversations(self.session, self._held)
        if conversation.id not in self._long:
            return False
        return copy not in carrying(live_copies(self.session, [conversation.id])[conversation.id])

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
