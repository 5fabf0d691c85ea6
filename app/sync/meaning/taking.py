"""Taking: copies' keywords become the state of conversations that nobody has acted on. There is nothing to judge.

An import (and a rebuild) takes owner, status, star and tags from the copies. Clients' own tags are shown as long as a
copy carries them. A batch needs a fixed number of statements, however many conversations it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.clock import now
from app.db import any_of
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import NEWEST
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import Tag, client_tags
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary
from app.inbox.status import Status
from app.sync.meaning.junk import status_of_place
from app.sync.meaning.merge import several

_TAG = text(
    """
    INSERT INTO conversation_tag (conversation_id, tag_id, last_at)
    SELECT c.id, wanted.tag_id, c.last_at FROM unnest(CAST(:ids AS int[]), CAST(:tags AS int[])) AS wanted (id, tag_id)
      JOIN conversation AS c ON c.id = wanted.id
    ON CONFLICT DO NOTHING
    """
)
_UNTAG = text(
    """
    DELETE FROM conversation_tag AS held USING tag
    WHERE tag.id = held.tag_id AND NOT tag.adopted AND held.conversation_id = ANY(CAST(:all AS int[]))
      AND NOT EXISTS (
        SELECT FROM unnest(CAST(:ids AS int[]), CAST(:tags AS int[])) AS wanted (id, tag_id)
        WHERE wanted.id = held.conversation_id AND wanted.tag_id = held.tag_id)
    """
)


def take_state_from_copies(
    session: Session, mailbox: Mailbox, vocabulary: Vocabulary, conversations: Collection[Conversation]
) -> None:
    """For import and rebuild, take the owner from the newest copy that names one, the status from the newest inbound
    copy, and all tags. If that copy names two owners, none is taken, and a conflict is shown. If members have acted
    already, their values win. Registers that wait for a person's choice are left alone."""
    for conversation in conversations:
        if conversation.mirrored:
            conversation.want_push()
    free = {one.id: one for one in conversations if not one.mirrored and not one.has_frozen}
    copies = live_copies(session, free)
    tags_to_set: list[tuple[int, str]] = []
    for id_, conversation in free.items():
        owners = _owners(copies[id_], vocabulary)
        state = _state(copies[id_], vocabulary, owners)
        conversation.take(state)
        if len(owners) > 1:
            theirs = several(owners)
            conversation.conflict = {"register": "owner", "theirs": theirs, "ours": None, "at": now().isoformat()}
        tags_to_set += [(id_, tag) for tag in state.tags]
    names = {name for _, name in tags_to_set}
    tags = session.scalars(select(Tag).where(Tag.mailbox_id == mailbox.id, func.lower(Tag.name).in_(names)))
    ids = {tag.name.casefold(): tag.id for tag in tags} if names else {}
    _tag(session, [(id_, ids[name]) for id_, name in tags_to_set if name in ids])


def show_client_tags(session: Session, mailbox: Mailbox, vocabulary: Vocabulary, ids: Collection[int]) -> None:
    """Set the unadopted tags of these conversations to exactly those that their live copies carry."""
    carried: dict[int, set[str]] = defaultdict(set)
    for id_, keywords in session.execute(
        select(Message.conversation_id, Copy.keywords)
        .join(Copy)
        .where(Message.conversation_id == any_of(ids), Copy.gone_at.is_(None))
    ):
        carried[id_] |= vocabulary.client_tags(keywords)
    tags = client_tags(session, mailbox.id, {name for names in carried.values() for name in names})
    theirs = {name: tag.id for name, tag in tags.items() if not tag.adopted}
    pairs = [
        (id_, theirs[name])
        for id_, names in carried.items()
        for name in sorted({name.casefold() for name in names})
        if name in theirs
    ]
    session.execute(_UNTAG, _pairs(pairs) | {"all": sorted(ids)})
    _tag(session, pairs)


def live_copies(session: Session, ids: Collection[int]) -> Mapping[int, list[Copy]]:
    """Conversation -> its live copies with message and folder, newest mail first."""
    copies: dict[int, list[Copy]] = defaultdict(list)
    for copy in session.scalars(
        select(Copy)
        .join(Copy.message)
        .options(contains_eager(Copy.message), joinedload(Copy.folder))
        .where(Message.conversation_id == any_of(ids), Copy.gone_at.is_(None))
        .order_by(Message.received_at.desc(), Copy.id.desc())
    ):
        copies[copy.message.conversation_id].append(copy)
    return copies


def long_conversations(session: Session, ids: Collection[int]) -> set[int]:
    """The conversations with more live copies than may carry keywords."""
    counted = select(Message.conversation_id).join(Copy).where(Copy.gone_at.is_(None))
    return set(
        session.scalars(
            counted.where(Message.conversation_id == any_of(ids))
            .group_by(Message.conversation_id)
            .having(func.count() > NEWEST)
        )
    )


def _owners(copies: Sequence[Copy], vocabulary: Vocabulary) -> set[str]:
    named = (
        {owner for name in vocabulary.owner_names(copy.shown) if (owner := vocabulary.owner_of(name))}
        for copy in copies
    )
    return next(filter(None, named), set())


def _state(copies: Sequence[Copy], vocabulary: Vocabulary, owners: set[str]) -> State:
    newest_in = next((copy for copy in copies if copy.message.direction == "in"), copies[0] if copies else None)
    statuses = {vocabulary.status_of(name) for name in vocabulary.status_names(newest_in.shown)} if newest_in else set()
    return State(
        owner=next(iter(owners)) if len(owners) == 1 else None,
        status=next((status for status in Status if status in statuses), status_of_place(newest_in)),
        star=any(STAR in copy.shown for copy in copies),
        tags=frozenset(tag for copy in copies for name in copy.shown if (tag := vocabulary.tag_of(name)) is not None),
    )


def _tag(session: Session, tags: Sequence[tuple[int, int]]) -> None:
    if tags:
        session.execute(_TAG, _pairs(tags))


def _pairs(tags: Sequence[tuple[int, int]]) -> dict[str, list[int]]:
    return {"ids": [id_ for id_, _ in tags], "tags": [tag for _, tag in tags]}
