"""Judge: applies the changes seen on known copies to their conversations, with the verbs that members use.

It always remembers the copy's new keywords; the merge decides whether they are a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import frozen_names
from app.inbox.conversations.message import Message
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary
from app.inbox.status import Status
from app.sync.meaning.kin import away
from app.sync.meaning.locked import LockedConversations
from app.sync.meaning.merge import News, Sight, Verdict, merge
from app.sync.meaning.removal import lost

_SEEN, _ANSWERED, _FORWARDED = "\\seen", "\\answered", "$forwarded"


class Judge:
    """`holding`: keywords that many copies lost at once. Further losses of them wait for a person, too."""

    def __init__(self, locked: LockedConversations, holding: frozenset[str] = frozenset()) -> None:
        self.locked = locked
        self._holding = holding
        self._told: set[tuple[int, str]] = set()  # (conversation, keyword of it that is held from now on)

    def saw(self, copy: Copy, keywords: Sequence[str]) -> None:
        """Record that a known copy shows these keywords now."""
        before = tuple(copy.keywords)
        conversation = self.locked.conversation_of(copy)
        vocabulary = conversation.unfrozen(self.locked.vocabulary)
        now_ours, shown = self.names_of(copy, keywords, vocabulary), vocabulary.ours(copy.shown)
        if set(before) == set(keywords) and copy.pushing is None and now_ours == shown:
            return
        sight = Sight(
            now_ours,
            shown,
            None if copy.pushing is None else frozenset(copy.pushing),
            fading=not now_ours >= shown and self.locked.is_fading(conversation, copy),
        )
        self._message_flags(copy.message, before, keywords)
        if shown - {STAR} and not now_ours - {STAR} and self._forgets_what_moved(copy):
            # Like a move that loses keywords: nothing is adopted, and our keywords are written again.
            self._remember(copy, keywords, vocabulary)
            conversation.want_push_of_copies()
            return
        self._tell_held(conversation, copy, now_ours - vocabulary.ours(keywords) - {*copy.held})
        self.apply(conversation, merge(sight, conversation.state, conversation.agreed, vocabulary))
        self._remember(copy, keywords, vocabulary)
        self.locked.follow_client_tags(conversation, before, keywords)
        if ("\\deleted" in _folded(before)) != ("\\deleted" in _folded(keywords)):
            self.locked.touched.add(conversation.id)
            if away(copy):
                self.locked.left.append(copy)
        if (conversation.mirrored and vocabulary.ours(copy.shown) != shown) or conversation.has_frozen:
            conversation.want_push()

    def saw_after_reset(self, copy: Copy, keywords: Sequence[str]) -> None:
        """The folder was reset: remember the keywords, adopt nothing, and push ours again."""
        conversation = self.locked.conversation_of(copy)
        self._remember(copy, keywords, conversation.unfrozen(self.locked.vocabulary))
        copy.matched()
        conversation.want_push_of_copies()
        self.locked.changed.add(conversation.id)
        self.locked.show_tags_of([conversation.id])

    def gone(self, copies: Iterable[Copy]) -> None:
        """Record that these copies are no longer in their folder. Their rows stay, with the keywords they showed and
        those we had begun to write, because they explain where a moved copy came from."""
        went = list(copies)
        for copy in went:
            copy.went(self.locked.mailbox.pulls)
            conversation = self.locked.conversation_of(copy)
            conversation.want_push_of_copies()  # an older copy may have to carry the keywords now
            self.locked.touched.add(conversation.id)
            self.locked.changed.add(conversation.id)
        self.locked.left += went

    def apply(self, conversation: Conversation, news: Iterable[News]) -> None:
        """Call the member's verbs for the changes, and record what both sides agree on."""
        for one in news:
            state = conversation.state
            if one.verdict is Verdict.CONFLICT:
                theirs = None if one.value is None else str(one.value)
                conversation.note_conflict(one.register, theirs, by=self.locked.by)
                continue
            if one.verdict is Verdict.ADOPT:
                self._adopt(conversation, one)
                state = conversation.state
            conversation.agree(_with(conversation.agreed, state, one))

    def names_of(self, copy: Copy, keywords: Sequence[str], vocabulary: Vocabulary) -> frozenset[str]:
        """Our keywords on the copy. Keywords held for a person count as present."""
        there = vocabulary.ours(keywords)
        gone = lost(copy.shown, there, copy.pushing, vocabulary) & self._holding
        return there | gone | lost(copy.held, there, None, vocabulary)

    def _remember(self, copy: Copy, keywords: Sequence[str], vocabulary: Vocabulary) -> None:
        names = self.names_of(copy, keywords, vocabulary)
        shown = names | frozen_names(copy, vocabulary)
        copy.saw(keywords, shown=shown, held=names - vocabulary.ours(keywords), pull=self.locked.mailbox.pulls)

    def _tell_held(self, conversation: Conversation, copy: Copy, names: Iterable[str]) -> None:
        for name in sorted(names):
            if (conversation.id, name) not in self._told:
                self._told.add((conversation.id, name))
                conversation.record(EventKind.HELD, self.locked.by, before={"keyword": name})

    def _adopt(self, conversation: Conversation, news: News) -> None:
        if news.register == "owner":
            if news.value is None:
                conversation.release(by=self.locked.by)
            else:
                conversation.assign_name(str(news.value), by=self.locked.by)
        elif news.register == "status":
            conversation.change_status(Status(str(news.value)), by=self.locked.by)
        elif news.register == "star":
            (conversation.star if news.value else conversation.unstar)(by=self.locked.by)
        else:
            (conversation.tag if news.value else conversation.untag)(news.tag, by=self.locked.by)

    def _message_flags(self, message: Message, before: Sequence[str], after: Sequence[str]) -> None:
        """\\Seen, \\Answered and $Forwarded belong to the message: a change on one copy changes the message."""
        old, new = _folded(before), _folded(after)
        if (_SEEN in old) != (_SEEN in new):
            message.seen = _SEEN in new
            self.locked.touched.add(message.conversation_id)
        if (_ANSWERED in old) != (_ANSWERED in new):
            message.answered = _ANSWERED in new
        if (_FORWARDED in old) != (_FORWARDED in new):
            message.forwarded = _FORWARDED in new

    def _forgets_what_moved(self, copy: Copy) -> bool:
        """Whether a client has just moved the mail here, on a server that loses keywords in a move. Such a server may
        show them at first and lose them a moment later."""
        if self.locked.mailbox.report.get("capabilities", {}).get("keywords_travel", True):
            return False
        came_from = (Copy.message_id == copy.message_id, Copy.gone_pull >= self.locked.mailbox.pulls - 1)
        return bool(self.locked.session.scalar(select(select(Copy.id).where(*came_from).exists())))


def _with(agreed: State, ours: State, news: News) -> State:
    """The agreed state with one register set to our value."""
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
