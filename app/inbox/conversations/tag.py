"""Tag: a label on conversations, and the keyword of the same name. Mapping: another name for an owner or a status.

A tag is ours once a member created, used or adopted it. Until then it is a client's tag: shown, never copied, never
removed. Merging a into b keeps a as an alias of b; renaming changes the label only, never the keyword. `mapping.py`
gives keywords a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Index, UniqueConstraint, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.announcements import PushWanted
from app.db import Base, announce, rows
from app.inbox.actor import Actor
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.errors import N_, Invalid, NotFound, TagTaken, UnknownTag
from app.inbox.history.event import EventKind, record
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.mailboxes.rows import MailboxRow
from app.inbox.mailboxes.vocabulary import EVERYTHING, Vocabulary, is_bookkeeping
from app.inbox.naming import one_line
from app.inbox.permission import Action, may, require
from app.inbox.status import Status
from app.locks import VOCABULARY

_SHARE = text("SELECT pg_advisory_xact_lock_shared(:lock, :id)")
_TAKE = text("SELECT pg_advisory_xact_lock(:lock, :id)")
_HOLD = text(
    """
    SELECT id FROM conversation WHERE id IN (
      SELECT conversation_id FROM conversation_tag WHERE tag_id = ANY(:tags)
      UNION SELECT id FROM conversation WHERE mailbox_id = :mailbox AND frozen <> '{}' AND frozen && :registers)
    ORDER BY id FOR NO KEY UPDATE
    """
)
#: Conversations with one tag get the other. Agreed and frozen values are translated too, although only the server may
#: show them.
_MERGE_TAGS = (
    text(
        """
        UPDATE conversation SET revision = revision + 1, push_needed = push_needed OR mirrored OR frozen <> '{}',
          frozen = array_replace(frozen, 'tag ' || CAST(:old AS text), 'tag ' || CAST(:new AS text)),
          agreed_tags = CASE WHEN :new = ANY(agreed_tags) THEN array_remove(agreed_tags, :old)
                             ELSE array_replace(agreed_tags, :old, :new) END
        WHERE id IN (
          SELECT conversation_id FROM conversation_tag WHERE tag_id = :source
          UNION SELECT id FROM conversation
            WHERE mailbox_id = :mailbox AND frozen <> '{}' AND 'tag ' || CAST(:old AS text) = ANY(frozen))
        """
    ),
    text(
        """
        INSERT INTO conversation_tag (conversation_id, tag_id, last_at)
        SELECT conversation_id, :into, last_at FROM conversation_tag WHERE tag_id = :source ON CONFLICT DO NOTHING
        """
    ),
    text("DELETE FROM conversation_tag WHERE tag_id = :source"),
)
#: All names with a meaning, and the meaning. An alias means the tag it belongs to, which is never an alias itself.
_MEANINGS = """
    SELECT tag.name, 'tag' AS meaning, coalesce(meant.name, tag.name) AS value
    FROM tag LEFT JOIN tag AS meant ON meant.id = tag.alias_of_id AND meant.adopted
    WHERE tag.mailbox_id = %(mailbox_id)s AND tag.adopted
    UNION ALL SELECT name, meaning, value FROM mapping WHERE mailbox_id = %(mailbox_id)s
"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
HUES = 8


class Tag(Base):
    __tablename__ = "tag"
    __table_args__ = (Index("uq_tag_mailbox_id_name", "mailbox_id", text("lower(name)"), unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    name: Mapped[str]  # the keyword: ours in lower case, a client's in the first spelling seen
    label: Mapped[str]
    hue: Mapped[int] = mapped_column(default=1)  # 1 to 8, see tokens.css
    adopted: Mapped[bool] = mapped_column(default=True)
    alias_of_id: Mapped[int | None] = mapped_column(ForeignKey("tag.id"))


class ConversationTag(Base):
    """`last_at` is copied from the conversation, so that the list of a tag needs no sort."""

    __tablename__ = "conversation_tag"
    __table_args__ = (Index("ix_conversation_tag_list", "tag_id", text("last_at DESC"), text("conversation_id DESC")),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True)
    last_at: Mapped[object] = mapped_column(type_=Message.__table__.c.received_at.type)


class Mapping(Base):
    """In this mailbox the keyword `name` means an owner or a status (`meaning`: "owner" or "status")."""

    __tablename__ = "mapping"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    name: Mapped[str]  # casefolded
    meaning: Mapped[str]
    value: Mapped[str]


@dataclass(frozen=True)
class _Meaning:
    name: str
    meaning: str
    value: str


def check_tag_name(name: str) -> str:
    """The name as a keyword of ours. Raises Invalid if it cannot be a tag."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise Invalid("tag", N_("“%(name)s” is not a valid tag. Use a-z, 0-9 and -, at most 50 characters."), name=name)
    return name


def vocabulary_of(session: Session, mailbox: Mailbox | MailboxRow) -> Vocabulary:
    """The present vocabulary of this mailbox."""
    vocabulary = spelling(session, mailbox)
    return vocabulary if mailbox.mode == Mode.KEYWORDS else vocabulary.without({EVERYTHING})


def spelling(session: Session, mailbox: Mailbox | MailboxRow) -> Vocabulary:
    """The meaning of names in this mailbox, whether or not its mode has them on the server."""
    names = rows(session, _MEANINGS, _Meaning, mailbox_id=mailbox.id)
    return Vocabulary(
        assigned_prefix=mailbox.assigned_prefix,
        state_prefix=mailbox.state_prefix,
        owners={one.name: one.value for one in names if one.meaning == "owner"},
        statuses={one.name: Status(one.value) for one in names if one.meaning == "status"},
        tags={one.name.casefold(): one.value.casefold() for one in names if one.meaning == "tag"},
        limit=mailbox.keyword_limit,
    )


def share_vocabulary(session: Session, mailbox: Mailbox) -> None:
    """Prevent changes of meaning in this mailbox until this transaction ends. Code that judges copies must call this
    first. Otherwise a copy could be stored with the old meaning after all others have the new one."""
    session.execute(_SHARE, {"lock": VOCABULARY, "id": mailbox.id})


def take_words(session: Session, mailbox: Mailbox) -> None:
    """Lock the meanings of keywords exclusively, before any conversation, to give or remove a meaning."""
    session.execute(_TAKE, {"lock": VOCABULARY, "id": mailbox.id})


def find_tag(session: Session, mailbox: Mailbox, name: str) -> Tag | None:
    """Find a tag by keyword, ignoring case; an alias gives its tag."""
    tag = session.scalar(select(Tag).where(Tag.mailbox_id == mailbox.id, func.lower(Tag.name) == name.strip().lower()))
    return _target(session, tag) if tag is not None else None


def make_tag(session: Session, mailbox: Mailbox, name: str, *, by: Actor, label: str = "", hue: int = 0) -> Tag:
    """Create a tag. Raises Invalid for a name that cannot be a tag or has another meaning here, NotAllowed below
    manager."""
    require(by, Action.MAKE_TAGS, mailbox)
    name = check_tag_name(name)
    vocabulary = spelling(session, mailbox)
    if vocabulary.owner_of(name) is not None or vocabulary.status_of(name) is not None or is_bookkeeping(name):
        raise Invalid("tag", N_("“%(name)s” already means something else in this mailbox."), name=name)
    row = {
        "mailbox_id": mailbox.id,
        "name": name,
        "label": check_label(label or name),
        "hue": hue or _next_hue(session, mailbox),
    }
    # Waits for a concurrent insert of the same tag.
    tag: Tag | None = session.scalar(insert(Tag).values(row).on_conflict_do_nothing().returning(Tag))
    if tag is None:
        raise TagTaken(name)
    record(session, EventKind.TAG_MADE, by=by, mailbox_id=mailbox.id, after={"tag": name})
    return tag


def tag_to_use(session: Session, mailbox: Mailbox, name: str, *, by: Actor) -> Tag:
    """The tag with this name, created if it does not exist. Of concurrent callers one creates it for all.

    Raises UnknownTag if it does not exist and the actor may not create it, Invalid for a bad name."""
    tag = find_tag(session, mailbox, name)
    if tag is None and not may(by, Action.MAKE_TAGS, mailbox):
        raise UnknownTag(name)
    while tag is None:
        try:
            tag = make_tag(session, mailbox, name, by=by)
        except TagTaken:
            tag = find_tag(session, mailbox, name)
    return tag


def adopt_tag(session: Session, mailbox: Mailbox, tag: Tag, *, by: Actor) -> bool:
    """Make a client's tag ours. Both sides agree on what copies show of it now, so nothing counts as a change.

    Returns whether it was not ours yet; of concurrent callers only one gets True. Raises NotFound if it has just been
    removed."""
    if tag.adopted or _still_there(session, tag, lock=True).adopted:
        return False
    tag.adopted, tag.hue = True, _next_hue(session, mailbox)
    name = tag.name.casefold()
    session.flush()
    _lock_all_with(session, tag)
    keyword = func.unnest(Copy.keywords).column_valued("keyword")
    carrying = (
        select(Copy.id)
        .where(
            Copy.message_id.in_(select(Message.id).where(Message.mailbox_id == mailbox.id)),
            Copy.gone_at.is_(None),
            exists().where(func.lower(keyword) == name).correlate(Copy),
        )
        .order_by(Copy.id)
        .with_for_update()
    )
    session.execute(
        update(Copy).where(Copy.id.in_(carrying)).values(shown=func.array_append(Copy.shown, name)),
        execution_options={"synchronize_session": "fetch"},
    )
    session.execute(
        text(
            "UPDATE conversation SET agreed_tags = array_append(agreed_tags, :name) FROM conversation_tag"
            " WHERE conversation_id = conversation.id AND tag_id = :tag"
        ),
        {"name": name, "tag": tag.id},
    )
    for conversation in [thing for thing in session.identity_map.values() if hasattr(thing, "agreed_tags")]:
        session.expire(conversation, ["agreed_tags"])
    record(session, EventKind.TAG_ADOPTED, by=by, mailbox_id=mailbox.id, after={"tag": tag.name})
    return True


def change_tag(session: Session, mailbox: Mailbox, tag: Tag, *, label: str, hue: int, by: Actor) -> None:
    """Change what people see of it; the keyword stays. A client's tag becomes ours. Raises Invalid, NotAllowed."""
    require(by, Action.MAKE_TAGS, mailbox)
    before = {"tag": tag.name, "label": tag.label, "hue": tag.hue}
    label = check_label(label)
    if not 1 <= hue <= HUES:
        raise Invalid("hue", N_("Choose a colour from 1 to %(most)d."), most=HUES)
    adopt_tag(session, mailbox, tag, by=by)
    tag.label, tag.hue = label, hue
    after = {"tag": tag.name, "label": label, "hue": hue}
    if before != after:
        record(session, EventKind.TAG_CHANGED, by=by, mailbox_id=mailbox.id, before=before, after=after)


def _still_there(session: Session, tag: Tag, *, lock: bool = False) -> Tag:
    """The tag in its present state. Raises NotFound. The lock allows references to the row."""
    row_lock = {"key_share": True} if lock else None
    present = session.get(Tag, tag.id, populate_existing=True, with_for_update=row_lock)
    if present is None:
        raise NotFound
    return present


def merge_tags(session: Session, mailbox: Mailbox, source: Tag, into: Tag, *, by: Actor) -> None:
    """`source` becomes another name of `into` and is read as `into` from now on. The next push writes the name of
    `into`.

    Raises Invalid if they are the same tag or belong to different mailboxes, NotAllowed below manager."""
    require(by, Action.MAKE_TAGS, mailbox)
    take_words(session, mailbox)
    # While we waited for the lock, somebody may have merged them, even in the other direction, or given a client's tag
    # a meaning.
    source, into = (_still_there(session, tag) for tag in (source, into))
    into = _target(session, into)
    if source.id == into.id or {source.mailbox_id, into.mailbox_id} != {mailbox.id} or source.alias_of_id is not None:
        raise Invalid("into", N_("Only two different tags of one mailbox can be merged."))
    _lock_all_with(session, source, into)
    for tag in (source, into):
        adopt_tag(session, mailbox, tag, by=by)
    session.flush()
    session.execute(update(Tag).where(Tag.alias_of_id == source.id).values(alias_of_id=into.id))
    source.alias_of_id = into.id
    session.flush()
    ids = {"mailbox": mailbox.id, "source": source.id, "into": into.id}
    names = ids | {"old": source.name.casefold(), "new": into.name.casefold()}
    for statement in _MERGE_TAGS:
        session.execute(statement, names)
    session.expire_all()
    before, after = {"tag": source.name}, {"tag": into.name}
    record(session, EventKind.TAGS_MERGED, by=by, mailbox_id=mailbox.id, before=before, after=after)
    announce(session, PushWanted(mailbox.id))


def check_label(label: str) -> str:
    """The label as it is stored. Raises Invalid if it is empty or too long."""
    label = one_line(label)
    if not 1 <= len(label) <= 50:
        raise Invalid("label", N_("A tag needs a label of 1 to 50 characters."))
    return label


def client_tags(session: Session, mailbox_id: int, names: Iterable[str]) -> dict[str, Tag]:
    """Clients' own tags by casefolded name, created if new."""
    names_by_fold = {name.casefold(): name for name in names}
    if not names_by_fold:
        return {}
    new = [
        {"mailbox_id": mailbox_id, "name": name, "label": name, "hue": HUES, "adopted": False}
        for name in names_by_fold.values()
    ]
    session.execute(insert(Tag).values(new).on_conflict_do_nothing())
    tags = session.scalars(select(Tag).where(Tag.mailbox_id == mailbox_id, func.lower(Tag.name).in_(names_by_fold)))
    return {tag.name.casefold(): tag for tag in tags}


def _lock_all_with(session: Session, *tags: Tag) -> None:
    """Lock the conversations that carry these tags, or where they are frozen, in the usual order."""
    registers = [f"tag {tag.name.casefold()}" for tag in tags]
    session.execute(_HOLD, {"mailbox": tags[0].mailbox_id, "tags": [tag.id for tag in tags], "registers": registers})


def _target(session: Session, tag: Tag) -> Tag:
    while tag.alias_of_id is not None:
        tag = session.get_one(Tag, tag.alias_of_id)
    return tag


def _next_hue(session: Session, mailbox: Mailbox) -> int:
    """Our tags use the colours in turn."""
    ours = select(func.count()).select_from(Tag).where(Tag.mailbox_id == mailbox.id, Tag.adopted)
    return (session.scalar(ours) or 0) % HUES + 1
