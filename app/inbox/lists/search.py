"""Search: runs a query over mails and conversations, by scan or by index.

All conditions on a mail must hold for one and the same mail. A condition with a minus must hold for no mail of the
conversation. Words that are in many mails are found fastest by scanning the newest conversations, rare words by the
word index. Postgres cannot know how many mails have a word with a given beginning, and guesses badly. So `first_ids`
scans the newest few and counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    cast,
    false,
    func,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.conversations.note import Note
from app.inbox.conversations.reading import Reading
from app.inbox.conversations.tag import ConversationTag, Tag
from app.inbox.lists.find import visible_to
from app.inbox.lists.query import IN_MAIL, QUOTES, Term, day, number, parse, unquoted
from app.inbox.lists.text_query import tsquery
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.status import Status

#: The number of newest conversations to scan in each step. The number of matches decides how to continue. The first few
#: may be all alike, so a larger step follows. After the last step, the index answers if the query has words.
STEPS = (250, 1250, 5000)
#: (id, at) of the conversations of one mailbox, in order.
Part = Select[int, Any]
_OF_MAIL = (*IN_MAIL, "hash", "before", "after", "has")


@dataclass(frozen=True)
class Search:
    """A member's query as conditions."""

    tag: str | None  # a required tag: the list of a tag has an index
    mail: list[ColumnElement[bool]]  # conditions for one and the same mail
    note: ColumnElement[bool] | None  # or the condition for a note; None if only a mail can match
    number: ColumnElement[bool] | None  # or the number of a conversation
    has_words: bool
    quick: list[ColumnElement[bool]]  # conditions on the conversation's own columns
    slow: list[ColumnElement[bool]]  # conditions on other tables
    everything: ColumnElement[bool] | None  # the meaning of view "all" if the query names a place or status

    @property
    def empty(self) -> bool:
        return not (self.mail or self.quick or self.slow or self.everything is not None)


def search(member: Member, q: str) -> Search:
    """The conditions in `q`. A date is a day in the member's time zone."""
    terms, zone = parse(q), ZoneInfo(member.time_zone)
    positive = [t for t in terms if not t.negated]
    kinds = {t.kind for t in positive}
    numbered = next((_numbered(t.value, member) for t in positive if t.kind == "hash"), None)
    quick = [_of_conversation(t, member) for t in positive if _is_quick(t)]
    quick += [Conversation.last_at >= _start(t, zone) for t in positive if t.kind == "after"]
    slow = [_of_conversation(t, member) for t in positive if t.kind not in _OF_MAIL and not _is_quick(t)]
    slow += [_lacks(t, member, zone) for t in terms if t.negated]
    return Search(
        tag=next((t.value for t in positive if t.kind == "tag"), None),
        mail=_of_mail(positive, zone),
        note=_of_note(positive),
        number=numbered,
        has_words=any(tsquery(t) for t in positive),
        quick=quick,
        slow=slow,
        everything=_everything(kinds, numbered),
    )


def called(name: str) -> ColumnElement[bool]:
    """A tag by its keyword or its label, ignoring case and quotes."""
    return or_(_named(Tag.name) == unquoted(name.lower()), _named(Tag.label) == unquoted(name.lower()))


def first_ids(
    session: Session, part: Part, query: Search, mailbox_id: int, limit: int, oldest_first: bool
) -> list[int]:
    """The first matching ids of `part`."""
    fits = and_(true(), *query.slow, _says(query))
    for many in STEPS if query.has_words else STEPS[-1:]:
        ids, more = _among(session, part.add_columns(fits.label("fits")), many, limit, oldest_first)
        if not more:
            return ids
        if query.has_words and _is_rare(session, part, mailbox_id, len(ids), many, limit):
            break
    if query.has_words:
        return list(session.scalars(_in_order(_rare(part, query, mailbox_id), oldest_first).limit(limit)))
    return list(session.scalars(part.where(fits).limit(limit)))


def _among(session: Session, part: Part, many: int, limit: int, oldest_first: bool) -> tuple[list[int], bool]:
    """The first matching ids among the first `many` of `part`, which has `fits`, and whether there are more to scan.
    Postgres stops once it has found enough or reached the limit."""
    first = part.limit(many + 1).subquery()
    order = _order(first, oldest_first)
    counted = select(first, func.row_number().over(order_by=order).label("place")).subquery()
    rows = _in_order(counted, oldest_first).add_columns(counted.c.place)
    rows = rows.where(or_(counted.c.fits, counted.c.place > many)).limit(limit)
    met = session.execute(rows).all()
    ids = [id_ for id_, place in met if place <= many]
    return ids, len(ids) < len(met)


def _has_more(session: Session, part: Part, many: int) -> bool:
    return (session.scalar(select(func.count()).select_from(part.limit(many + 1).subquery())) or 0) > many


def _is_rare(session: Session, part: Part, mailbox_id: int, fitting: int, many: int, limit: int) -> bool:
    """Whether reading all matches from the index is less work than scanning `part` until `limit` match. The smaller the
    share of matches, the more must be scanned, and the fewer are in the index. We add three to the matches, because a
    small number may be chance."""
    share = (fitting + 3) / many
    conversations = session.scalars(select(Mailbox.next_number).where(Mailbox.id == mailbox_id)).one()
    in_index = int(share * conversations)
    return in_index < limit / share and _has_more(session, part, in_index)


def _in_order(read: FromClause, oldest_first: bool) -> Select[Any]:
    """The ids of a subquery that has (id, at)."""
    return select(read.c.id).order_by(*_order(read, oldest_first))


def _order(read: FromClause, oldest_first: bool) -> list[ColumnElement[Any]]:
    return [column.asc() if oldest_first else column.desc() for column in (read.c.at, read.c.id)]


def _rare(part: Part, query: Search, mailbox_id: int) -> Subquery:
    """The matches of `part`, from the word index and then conversation by conversation, because Postgres cannot
    estimate their number."""
    ways = [select(Message.conversation_id.label("id")).where(Message.mailbox_id == mailbox_id, *query.mail)]
    if query.note is not None:
        ways.append(select(Note.conversation_id).where(query.note))
    if query.number is not None:
        ways.append(select(Conversation.id).where(Conversation.mailbox_id == mailbox_id, query.number))
    hits = union(*ways).offset(0).subquery()
    hit = part.order_by(None).where(Conversation.id == hits.c.id, *query.slow).offset(0).lateral()
    return select(hit.c.id, hit.c.at).select_from(hits).join(hit, true()).subquery()


def _everything(kinds: set[str], numbered: ColumnElement[bool] | None) -> ColumnElement[bool] | None:
    if kinds & {"in", "number"}:
        return Conversation.place != "merged"
    if "status" in kinds:
        return Conversation.place == "here"
    if numbered is not None:
        usual = and_(Conversation.place == "here", Conversation.status != Status.SPAM)
        return and_(Conversation.place != "merged", or_(usual, numbered))
    return None


def _numbered(value: str, member: Member) -> ColumnElement[bool]:
    """The conversation with this number, or the one it was merged into."""
    merged = aliased(Conversation)
    first = select(merged.id, merged.merged_into_id)
    first = first.where(merged.mailbox_id.in_(visible_to(member)), merged.number == number(value))
    path, target = first.cte("path", recursive=True), aliased(Conversation)
    leads = select(target.id, target.merged_into_id).join(path, target.id == path.c.merged_into_id)
    path = path.union_all(leads)
    return Conversation.id.in_(select(path.c.id).where(path.c.merged_into_id.is_(None)))


def _of_note(terms: Sequence[Term]) -> ColumnElement[bool] | None:
    """The condition for a note: words only, and nothing that only a mail can have."""
    if any(t.kind in _OF_MAIL and t.kind not in ("words", "hash") for t in terms):
        return None
    text_query = tsquery(*terms)
    return Note.search.bool_op("@@")(cast(text_query, TSQUERY)) if text_query else None


def _of_mail(terms: Sequence[Term], zone: ZoneInfo) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = []
    if text_query := tsquery(*terms):
        meant.append(Message.search.bool_op("@@")(cast(text_query, TSQUERY)))
    for term in terms:
        if term.kind == "after":
            meant.append(Message.received_at >= _start(term, zone))
        elif term.kind == "before":
            meant.append(Message.received_at < _start(term, zone))
        elif term.kind == "has":
            meant.append(and_(Message.has_attachments))
    return meant


def _is_quick(term: Term) -> bool:
    return term.kind in ("status", "assignee", "number") or (term.kind == "is" and term.value.lower() == "starred")


def _of_conversation(term: Term, member: Member) -> ColumnElement[bool]:
    value = term.value.lower()
    if term.kind == "status":
        return Conversation.status == value
    if term.kind == "number":
        return _numbered(value, member)
    if term.kind == "assignee":
        return _owned(value, member)
    if term.kind == "tag":
        return _tagged(value)
    if term.kind == "in":
        return _lies_in(value)
    return and_(Conversation.starred) if value == "starred" else _unread(member)


def _owned(value: str, member: Member) -> ColumnElement[bool]:
    """By handle, name, or an unknown name on the server; "me", or "none"."""
    if value == "me":
        return Conversation.assignee_id == member.id
    if value == "none":
        return Conversation.assignee_id.is_(None)
    bare = unquoted(value)
    people = select(Member.id).where(or_(_named(Member.handle) == bare, _named(Member.name) == bare))
    nobody_here = and_(Conversation.assignee_id.is_(None), _named(Conversation.assigned_name) == bare)
    return or_(Conversation.assignee_id.in_(people), nobody_here)


def _tagged(value: str) -> ColumnElement[bool]:
    named = select(func.coalesce(Tag.alias_of_id, Tag.id)).where(
        Tag.mailbox_id == Conversation.mailbox_id, called(value)
    )
    carried = select(ConversationTag.tag_id).where(
        ConversationTag.conversation_id == Conversation.id, ConversationTag.tag_id.in_(named.correlate(Conversation))
    )
    return carried.correlate(Conversation).exists()


def _lies_in(value: str) -> ColumnElement[bool]:
    """A folder by its name, the last part of it, or its role."""
    if value == "anywhere":
        return true()
    if value == "gone":
        return Conversation.place == "gone"
    name, bare = _named(Folder.name), unquoted(value)
    ends = [name.endswith(f"{separator}{bare}", autoescape=True) for separator in "/."]
    role = Folder.role == ("junk" if value == "spam" else value)
    folders = select(Folder.id).where(Folder.mailbox_id == Conversation.mailbox_id, or_(name == bare, role, *ends))
    copies = select(Copy.id).join(Message).where(Message.conversation_id == Conversation.id, Copy.gone_at.is_(None))
    return copies.where(Copy.folder_id.in_(folders.correlate(Conversation))).correlate(Conversation).offset(0).exists()


def _named(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[str]:
    """A name as we compare it: in lower case, without quotes, which cannot be inside a quoted query."""
    return func.translate(func.lower(column), QUOTES, "")


def _unread(member: Member) -> ColumnElement[bool]:
    """Unread by this member, as in the lists."""
    newer = select(Conversation.last_in_at > Reading.read_at).where(
        Reading.conversation_id == Conversation.id, Reading.member_id == member.id
    )
    return func.coalesce(newer.correlate(Conversation).scalar_subquery(), Conversation.unseen)


def _lacks(term: Term, member: Member, zone: ZoneInfo) -> ColumnElement[bool]:
    """The condition of a term with a minus. A word without letters is ignored."""
    if term.kind in _OF_MAIL:
        meant = _of_mail([term], zone)
        return not_(_has_either(meant, _of_note([term]))) if meant else true()
    return not_(func.coalesce(_of_conversation(term, member), false()))


def _says(query: Search) -> ColumnElement[bool]:
    """The condition on mails, notes or the number of the conversation."""
    by_text = _has_either(query.mail, query.note) if query.mail else true()
    return or_(by_text, query.number) if query.number is not None else by_text


def _has_either(mail: Sequence[ColumnElement[bool]], note: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return _has_mail(mail) if note is None else or_(_has_mail(mail), _has_note(note))


def _has_note(meant: ColumnElement[bool]) -> ColumnElement[bool]:
    notes = select(Note.id).where(Note.conversation_id == Conversation.id, meant)
    return notes.correlate(Conversation).offset(0).exists()


def _has_mail(meant: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """OFFSET 0 makes Postgres check the conversation's mails instead of joining all matching mails."""
    mails = select(Message.id).where(Message.conversation_id == Conversation.id, *meant)
    return mails.correlate(Conversation).offset(0).exists()


def _start(term: Term, zone: ZoneInfo) -> dt.datetime:
    on = day(term.value)
    assert on is not None
    return dt.datetime.combine(on, dt.time(), zone)
