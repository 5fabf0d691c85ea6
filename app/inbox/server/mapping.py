"""Mapping: a keyword is given a meaning in a mailbox, or loses it, while mails carry it already.

What is read from a mail is news only against what it showed before. A keyword that means something from now on was
there before: so it counts as shown at once, and what it says is taken as from a mail that is seen first, where nobody
owns the conversation and it is open. Elsewhere ours stays, and the next push puts it in the keyword's place. All of
that is one transaction: a crash leaves no mail whose keyword is nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.announcements import ConversationChanged
from app.db import announce
from app.inbox.actor import Actor
from app.inbox.conversations import bulk
from app.inbox.conversations.locking import lock_rows
from app.inbox.conversations.tag import ConversationTag, Mapping, Tag, client_tags, spelling, take_words
from app.inbox.errors import N_, CannotOwn, Invalid
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.vocabulary import is_bookkeeping, is_writable
from app.inbox.people.member import Member, possible_owner
from app.inbox.permission import Action, require
from app.inbox.server.many import assign_free, stand_free
from app.inbox.status import Status

_CARRYING = text(
    """
    SELECT DISTINCT message.conversation_id FROM copy JOIN message ON message.id = copy.message_id
    WHERE message.mailbox_id = :mailbox AND copy.gone_at IS NULL
      AND (:name = ANY(shown) OR EXISTS (SELECT FROM unnest(copy.keywords) AS keyword WHERE lower(keyword) = :name))
    """
)
_ON_THEM = text(
    """
    SELECT message.conversation_id, min(keyword)
    FROM message JOIN copy ON message.id = copy.message_id CROSS JOIN unnest(copy.keywords) AS keyword
    WHERE message.conversation_id = ANY(:ids) AND copy.gone_at IS NULL AND lower(keyword) = :name
    GROUP BY message.conversation_id
    """
)
_TAG = text(
    """
    INSERT INTO conversation_tag (conversation_id, tag_id, last_at)
    SELECT id, :tag, last_at FROM conversation WHERE id = ANY(:ids) ON CONFLICT DO NOTHING
    """
)


def map_name(session: Session, mailbox: Mailbox, name: str, meaning: str, value: str, *, by: Actor) -> None:
    """Give an owner or a status the name `name` in this mailbox, read and written. Raises Invalid, NotAllowed."""
    require(by, Action.MAKE_TAGS, mailbox)
    take_words(session, mailbox)
    name = _free_name(session, mailbox, name)
    owner = _meant(session, mailbox, meaning, value)
    session.execute(
        insert(Mapping)
        .values(mailbox_id=mailbox.id, name=name, meaning=meaning, value=value)
        .on_conflict_do_update(index_elements=["mailbox_id", "name"], set_={"meaning": meaning, "value": value})
    )
    record(session, EventKind.MAPPED, by=by, mailbox_id=mailbox.id, after={"name": name, meaning: value})
    if mailbox.mode == Mode.KEYWORDS:
        carrying = _lock_carrying(session, mailbox, name)
        bulk.take_keyword_as_shown(session, carrying, name)
        _end_client_tag(session, mailbox, name)
        session.flush()
        session.expire_all()
        taken = _take(session, mailbox, carrying, owner or Status(value), by=by)
        _push(session, mailbox, set(carrying).difference(taken))
    mailbox.tell_health()


def unmap_name(session: Session, mailbox: Mailbox, name: str, *, by: Actor) -> None:
    """The keyword means nothing here any more: it is a client's tag, which nobody writes or removes. Conversations keep
    owner and status, and these are written by their usual names. Raises NotAllowed."""
    require(by, Action.MAKE_TAGS, mailbox)
    take_words(session, mailbox)
    name = name.strip().casefold()
    mapping = session.scalar(select(Mapping).filter_by(mailbox_id=mailbox.id, name=name))
    if mapping is None:
        return
    before = {"name": name, mapping.meaning: mapping.value}
    session.delete(mapping)
    record(session, EventKind.UNMAPPED, by=by, mailbox_id=mailbox.id, before=before)
    session.flush()
    if mailbox.mode == Mode.KEYWORDS:
        carrying = _lock_carrying(session, mailbox, name)
        bulk.forget_keyword(session, mailbox.id, name)
        _show_client_tag(session, mailbox, name, carrying)
        session.expire_all()
        _push(session, mailbox, carrying)
    mailbox.tell_health()


def _free_name(session: Session, mailbox: Mailbox, name: str) -> str:
    """The name, casefolded. Raises Invalid for one that no server takes, or that means something without a mapping."""
    name = name.strip()
    if not is_writable(name):
        raise Invalid(
            "keyword",
            N_("“%(name)s” is not a valid keyword. Use at most 50 plain letters, digits and signs, without spaces."),
            name=name,
        )
    folded = name.casefold()
    words = replace(spelling(session, mailbox), owners={}, statuses={})
    if is_bookkeeping(name) or words.ours([name]):
        raise Invalid("keyword", N_("“%(name)s” already means something else in this mailbox."), name=name)
    return folded


def _meant(session: Session, mailbox: Mailbox, meaning: str, value: str) -> Member | None:
    """The member that is meant, if one is. Raises Invalid for what a keyword cannot mean here."""
    if meaning not in ("owner", "status") or (meaning == "status" and value not in list(Status)[1:]):
        raise Invalid("mapping", N_("Choose an owner, or one of pending, snoozed, closed and spam."))
    if meaning == "status":
        return None
    owner = possible_owner(session, mailbox.id, value)
    if owner is None:
        raise CannotOwn(value, "mapping")
    return owner


def _lock_carrying(session: Session, mailbox: Mailbox, name: str) -> list[int]:
    """The conversations with a live copy that carries the keyword, locked in id order. While we wait for a lock mails
    may have gone to another conversation: then that is locked as well."""
    locked_ids: set[int] = set()
    while True:
        carrying = set(session.scalars(_CARRYING, {"mailbox": mailbox.id, "name": name}))
        if carrying <= locked_ids:
            return sorted(carrying)
        locked_ids.update(lock_rows(session, carrying))


def _take(
    session: Session, mailbox: Mailbox, ids: Sequence[int], meant: Member | Status, *, by: Actor
) -> Sequence[int]:
    """What the keyword says is taken where nobody has said anything else, and both sides agree on it. What is frozen
    waits for a person."""
    if isinstance(meant, Member):
        return assign_free(session, mailbox, ids, meant, by=by)
    return stand_free(session, mailbox, ids, meant, by=by)


def _push(session: Session, mailbox: Mailbox, ids: Collection[int]) -> None:
    """Ours is written to these, in whatever words it has now; pages and the worker are told."""
    session.flush()
    for id_, revision, push in bulk.want_push(session, ids):
        announce(session, ConversationChanged(mailbox.id, id_, revision, push))


def _end_client_tag(session: Session, mailbox: Mailbox, name: str) -> None:
    """It has a meaning, so it is shown as that and not as a word beside it."""
    tags = session.scalars(
        select(Tag.id).where(Tag.mailbox_id == mailbox.id, func.lower(Tag.name) == name, ~Tag.adopted)
    ).all()
    session.execute(delete(ConversationTag).where(ConversationTag.tag_id.in_(tags)))
    session.execute(delete(Tag).where(Tag.id.in_(tags)))


def _show_client_tag(session: Session, mailbox: Mailbox, name: str, ids: Sequence[int]) -> None:
    """On the conversations that carry it still: what waits for a person has lost it."""
    spelt: dict[int, str] = dict(session.execute(_ON_THEM, {"ids": ids, "name": name}).all())
    for tag in client_tags(session, mailbox.id, spelt.values()).values():
        session.execute(_TAG, {"tag": tag.id, "ids": sorted(spelt)})
