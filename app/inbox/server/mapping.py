"""Mapping: gives a keyword a meaning in a mailbox, or removes it, while mails already carry it.

A keyword on a mail is a change only compared with what the mail showed before. A keyword that gets a meaning was there
before. So it counts as shown at once. Its value is taken as from a new mail, if the conversation is open and nobody
owns it. In other conversations our value stays, and the next push replaces the keyword. All of that is one transaction,
so a crash cannot leave a mail with a half-changed meaning.
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
from app.inbox.server.bulk_mapping import assign_free, stand_free
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
    """Make `name` a name of an owner or a status in this mailbox, for reading and writing. Raises Invalid,
    NotAllowed."""
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
    """Remove the keyword's meaning. It becomes a client's tag, which we neither write nor remove. Conversations keep
    owner and status, which are then written under their usual names. Raises NotAllowed."""
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
    """The name, casefolded. Raises Invalid if no server accepts it, or if it has a meaning without a mapping."""
    name = name.strip()
    if not is_writable(name):
        raise Invalid(
            "keyword",
            N_("“%(name)s” is not a valid keyword. Use at most 50 plain letters, digits and signs, without spaces."),
            name=name,
        )
    folded = name.casefold()
    vocabulary = replace(spelling(session, mailbox), owners={}, statuses={})
    if is_bookkeeping(name) or vocabulary.ours([name]):
        raise Invalid("keyword", N_("“%(name)s” already means something else in this mailbox."), name=name)
    return folded


def _meant(session: Session, mailbox: Mailbox, meaning: str, value: str) -> Member | None:
    """The member who is meant, if any. Raises Invalid for a meaning that a keyword cannot have here."""
    if meaning not in ("owner", "status") or (meaning == "status" and value not in list(Status)[1:]):
        raise Invalid("mapping", N_("Choose an owner, or one of pending, snoozed, closed and spam."))
    if meaning == "status":
        return None
    owner = possible_owner(session, mailbox.id, value)
    if owner is None:
        raise CannotOwn(value, "mapping")
    return owner


def _lock_carrying(session: Session, mailbox: Mailbox, name: str) -> list[int]:
    """The conversations with a live copy that carries the keyword, locked in id order. While we wait for a lock, mails
    may move to another conversation. Then that one is locked as well."""
    locked_ids: set[int] = set()
    while True:
        carrying = set(session.scalars(_CARRYING, {"mailbox": mailbox.id, "name": name}))
        if carrying <= locked_ids:
            return sorted(carrying)
        locked_ids.update(lock_rows(session, carrying))


def _take(
    session: Session, mailbox: Mailbox, ids: Sequence[int], meant: Member | Status, *, by: Actor
) -> Sequence[int]:
    """Take the keyword's value where there is no other, with both sides in agreement. Frozen registers wait for a
    person."""
    if isinstance(meant, Member):
        return assign_free(session, mailbox, ids, meant, by=by)
    return stand_free(session, mailbox, ids, meant, by=by)


def _push(session: Session, mailbox: Mailbox, ids: Collection[int]) -> None:
    """Have our values written to these conversations, in the present vocabulary, and inform pages and the worker."""
    session.flush()
    for id_, revision, push in bulk.want_push(session, ids):
        announce(session, ConversationChanged(mailbox.id, id_, revision, push))


def _end_client_tag(session: Session, mailbox: Mailbox, name: str) -> None:
    """A keyword with a meaning is no longer shown as a tag."""
    tags = session.scalars(
        select(Tag.id).where(Tag.mailbox_id == mailbox.id, func.lower(Tag.name) == name, ~Tag.adopted)
    ).all()
    session.execute(delete(ConversationTag).where(ConversationTag.tag_id.in_(tags)))
    session.execute(delete(Tag).where(Tag.id.in_(tags)))


def _show_client_tag(session: Session, mailbox: Mailbox, name: str, ids: Sequence[int]) -> None:
    """Show the tag on the conversations that still carry it. Copies where it was held have lost it."""
    spelt: dict[int, str] = dict(session.execute(_ON_THEM, {"ids": ids, "name": name}).all())
    for tag in client_tags(session, mailbox.id, spelt.values()).values():
        session.execute(_TAG, {"tag": tag.id, "ids": sorted(spelt)})
