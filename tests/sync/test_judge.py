"""Judging a batch of copies takes a fixed number of statements."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.actor import COMMAND, mail_client
from app.inbox.arriving.arrival import Arrival
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.goal import NEWEST
from app.inbox.conversations.tag import Tag, make_tag
from app.inbox.history.event import Event, EventKind
from app.sync.meaning.judge import Judge
from app.sync.meaning.locked import LockedConversations
from app.sync.pull.storing import store
from tests.cast import Cast, arrival, mailbox
from tests.statements import statements

_MANY = 40
_AT = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)


def _store(cast: Cast, batch: list[Arrival], *, importing: bool = False) -> list[str]:
    with statements() as sent:
        store(cast.support, batch[0].folder_id, batch, lambda _box, _folder: None, importing=importing, resetting=False)
    return sent


def _mails(count: int, **told: object) -> list[Arrival]:
    with transaction() as session:
        box = mailbox(session)
        return [arrival(box, **told) for _ in range(count)]


def _see(cast: Cast, batch: list[Arrival], keywords: tuple[str, ...]) -> list[str]:
    with statements() as sent, transaction() as session:
        locked = LockedConversations(session, mailbox(session), by=mail_client(None))
        judge = Judge(locked)
        copies = locked.copies(batch[0].folder_id, 1, [mail.uid for mail in batch])
        for mail in batch:
            judge.saw(copies[mail.uid], keywords)
        locked.finish()
    return sent


@pytest.mark.parametrize(
    "keywords", [("\\Seen",), ("\\Flagged",), ("assigned-carla",), ("state-closed",), ("lunch", "later")]
)
def test_changed_keywords_take_as_many_statements_for_forty_mails_as_for_one(
    cast: Cast, keywords: tuple[str, ...]
) -> None:
    one, many = _mails(1), _mails(_MANY)
    _store(cast, one)
    _store(cast, many)
    before = _revisions()
    few = len(_see(cast, one, keywords))
    assert len(_see(cast, many, keywords)) <= few + 3
    # A closed conversation waits again since a mail that is looked up per conversation.
    assert len(_see(cast, many, ())) <= few + 5 + (_MANY if "state-closed" in keywords else 0)
    assert {after - before[id_] for id_, after in _revisions().items() if after - before[id_] != 1} == {2}


def test_the_star_lost_in_a_long_conversation_takes_as_many_statements_as_in_a_short_one(cast: Cast) -> None:
    """The copies that carry keywords there are looked up once, not per copy."""
    few = len(_unstar(cast, _mails(2, message_id="<short@customer.example>", date=_AT)))
    assert len(_unstar(cast, _mails(NEWEST + 10, message_id="<long@customer.example>", date=_AT))) <= few + 5


def _unstar(cast: Cast, conversation: list[Arrival]) -> list[str]:
    _store(cast, conversation)
    _see(cast, conversation, ("\\Flagged",))
    return _see(cast, conversation, ())


@pytest.mark.parametrize("importing", [True, False])
def test_new_mails_with_names_take_as_many_statements_for_forty_as_for_one(cast: Cast, importing: bool) -> None:
    names = ("assigned-carla", "state-pending", "lunch")
    few = len(_store(cast, _mails(1, keywords=names), importing=importing))
    assert len(_store(cast, _mails(_MANY, keywords=names), importing=importing)) <= few + 5


def test_mails_that_a_client_copied_take_as_many_statements_for_forty_as_for_one(cast: Cast) -> None:
    originals = _mails(_MANY + 1)
    _store(cast, originals)
    with transaction() as session:
        box = mailbox(session)
        copied = [
            arrival(box, folder="Archive", identity=mail.identity, message_id=mail.message_id) for mail in originals
        ]
    few = len(_store(cast, copied[:1]))
    assert len(_store(cast, copied[1:])) <= few + 5


def test_an_import_takes_a_tag_in_any_spelling_and_records_it(cast: Cast) -> None:
    with transaction() as session:
        box = mailbox(session)
        session.add(Tag(mailbox_id=box.id, name="Billing", label="Billing", hue=1, adopted=True))
        make_tag(session, box, "vip", by=COMMAND)
    _store(cast, _mails(1, keywords=("billing", "VIP", "assigned-carla", "state-closed", "Lunch")), importing=True)
    with transaction() as session:
        c = session.scalars(select(Conversation)).one()
        assert sorted(tag.name for tag in c.tags) == ["Billing", "Lunch", "vip"]
        assert (c.owner, c.status, c.mirrored) == ("carla", "closed", False)
        lines = select(Event.before, Event.after).where(Event.conversation_id == c.id, Event.before.is_not(None))
        [(before, after)] = session.execute(lines).all()
        assert before == {"assignee": None, "status": "open"}
        assert after == {"assignee": "carla", "status": "closed"}


def test_changes_in_a_hidden_folder_are_dated_to_its_last_look(cast: Cast) -> None:
    seen, last = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC), dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
    with transaction() as session:
        box = mailbox(session)
        box.last_round_at = last
        archive = box.folder("archive")
        assert archive is not None
        archive.pulled_at, archive.lost_at = seen, last
    _store(cast, _mails(1, keywords=("assigned-carla",)))
    _store(cast, _mails(1, keywords=("assigned-carla",), folder="Archive"))
    with transaction() as session:
        assigned = select(Event.not_before).where(Event.kind == EventKind.ASSIGNED).order_by(Event.id)
        assert session.scalars(assigned).all() == [last, seen]


def _revisions() -> dict[int, int]:
    with transaction() as session:
        return dict(session.execute(select(Conversation.id, Conversation.revision)).all())
