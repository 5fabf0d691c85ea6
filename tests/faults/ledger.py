"""The ledger: what must be true after every fault. Nothing is lost or doubled, all copies are equal, and the history is
complete."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.sync.pull.reset import expire_unmatched
from tests.account import AnyAccount, Shown
from tests.sync.stage import Stage
from tests.sync.truth import replayed

#: This many rounds finish everything, whatever happened before.
_ROUNDS = 8


@dataclass(frozen=True)
class Fate:
    """The result of one conversation: its state, the keywords on each copy, its history as (kind, source)."""

    owner: str | None
    status: str
    tags: tuple[str, ...]
    starred: bool
    place: str
    copies: tuple[tuple[str, tuple[str, ...]], ...]
    history: tuple[tuple[str, str], ...]


def come_to_rest(stage: Stage[AnyAccount]) -> None:
    """Run rounds until a whole one succeeds and leaves nothing to write."""
    errors: list[str | None] = []
    while len(errors) < _ROUNDS:
        errors.append(stage.service().once(30))
        if errors[-2:] == [None, None]:
            return
    raise AssertionError(f"it did not come to rest: {errors}")


def balance(stage: Stage[AnyAccount], delivered: int, *, unmatched: int = 0) -> None:
    """`delivered`: number of different mails ever delivered; `unmatched`: number of copies that the server lost, as
    health must show. Every count is compared on both sides."""
    expire_unmatched()
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        for folder in _there(mailbox):
            _same_copies(session, folder, stage.account.shown(folder.name))
        _once_each(session, mailbox, delivered)
        _told_in_full(session, mailbox)
        told = health.health(session, mailbox)
        assert (told.state, told.error) == ("ok", None)
        assert (told.missing, told.unmatched, told.left_out, told.unreadable) == (0, unmatched, 0, 0)
        assert (told.waiting_push, told.refused, told.held) == (0, 0, [])


def fates(stage: Stage[AnyAccount], after: int = 0) -> dict[str, Fate]:
    """Subject -> fate of the conversation, for numbers above `after`."""
    names = {name: stage.account.shown(name) for name in _watched(stage)}
    with transaction() as session:
        found = session.scalars(
            select(Conversation).where(
                Conversation.mailbox_id == stage.mailbox_id,
                Conversation.number > after,
                Conversation.merged_into_id.is_(None),
            )
        )
        return {talk.subject: _fate(session, talk, names) for talk in found}


def highest_number(stage: Stage[AnyAccount]) -> int:
    with transaction() as session:
        numbers = select(func.max(Conversation.number)).where(Conversation.mailbox_id == stage.mailbox_id)
        return session.scalar(numbers) or 0


def _watched(stage: Stage[AnyAccount]) -> list[str]:
    with transaction() as session:
        return [folder.name for folder in _there(session.get_one(Mailbox, stage.mailbox_id))]


def _there(mailbox: Mailbox) -> list[Folder]:
    return [folder for folder in mailbox.folders if folder.watched and folder.lost_at is None]


def _same_copies(session: Session, folder: Folder, there: Shown) -> None:
    known = session.scalars(
        select(Copy).where(Copy.folder_id == folder.id, Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))
    ).all()
    assert Counter(copy.uid for copy in known) == Counter(there.keys()), folder.name
    assert {copy.uid: frozenset(copy.keywords) for copy in known} == there, folder.name
    assert all(copy.pushing is None and copy.moving_folder_id is None for copy in known), folder.name


def _once_each(session: Session, mailbox: Mailbox, delivered: int) -> None:
    """A mail is one message in one conversation, whatever was done twice."""
    identities = session.scalars(select(Message.identity).where(Message.mailbox_id == mailbox.id)).all()
    assert (len(identities), len(set(identities))) == (delivered, delivered)
    came = select(func.count()).where(Event.mailbox_id == mailbox.id, Event.kind == EventKind.ARRIVED)
    assert session.scalar(came) == delivered


def _told_in_full(session: Session, mailbox: Mailbox) -> None:
    """The history alone leads to the state of every conversation, and both sides agree on it."""
    for talk in session.scalars(select(Conversation).where(Conversation.mailbox_id == mailbox.id)):
        told = replayed(_events(session, talk))
        assert told["owner"] == talk.owner, talk.subject
        assert told["status"] == talk.status, talk.subject
        assert told["star"] == talk.starred, talk.subject
        assert not talk.push_needed, talk.subject
        assert talk.conflict is None, talk.subject


def _events(session: Session, talk: Conversation) -> list[Event]:
    return list(session.scalars(select(Event).where(Event.conversation_id == talk.id).order_by(Event.id)))


def _fate(session: Session, talk: Conversation, names: dict[str, Shown]) -> Fate:
    copies = sorted(
        (copy.folder.name, tuple(sorted(names.get(copy.folder.name, {}).get(copy.uid, {"(not there)"}))))
        for message in talk.messages
        for copy in message.copies
        if copy.live
    )
    return Fate(
        talk.owner,
        talk.status,
        tuple(sorted(tag.name for tag in talk.tags)),
        talk.starred,
        talk.place,
        tuple(copies),
        tuple((_said(event), event.source) for event in _events(session, talk)),
    )


def _said(event: Event) -> str:
    """A mail that a client moved appears in its new folder before or after it leaves the old one, depending on which
    folder we looked at first. The two events differ in words, but are the same move."""
    return EventKind.MOVED if event.kind == EventKind.ARRIVED_OLDER else event.kind
