"""Long conversations, and many of them: the number of statements stays the same, and nothing breaks."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.orm import Session

from app.clock import now
from app.db import session_of
from app.inbox.actor import Actor
from app.inbox.arriving import thread
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.goal import conversation_copies
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event
from app.inbox.server.mapping import map_name
from app.inbox.status import Status
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member
from tests.conftest import Clock
from tests.statements import statements

_ROOT = "<root@customer.example>"
_roots = itertools.count(1)
#: 3,500 mails from as many senders; each names a hundred earlier ones.
_FLOOD = text(
    """
    INSERT INTO message (mailbox_id, conversation_id, identity, message_id, "references", direction, from_name,
      from_address, reply_to, "to", cc, addresses, subject, preview, received_at, size, machine_sign, newcomer,
      own_address, unreadable, has_attachments, seen, answered, forwarded)
    SELECT mailbox_id, conversation_id, sha256(n::text::bytea), '<m' || n || '@x.example>',
      ARRAY(SELECT '<m' || b || '@x.example>' FROM generate_series(greatest(1, n - 100), n - 1) AS b), 'in', '',
      'p' || n || '@x.example', '[]', '[]', '[]', ARRAY['p' || n || '@x.example'], '', '', now(), 1, '', false,
      false, false, false, false, false, false
    FROM message CROSS JOIN generate_series(1, 3500) AS n WHERE conversation_id = :conversation
    """
)


def _long(session: Session, length: int) -> Conversation:
    box = mailbox(session)
    received = arrive(session, *(arrival(box, references=(_ROOT,)) for _ in range(length)))
    session.commit()
    session.expire_all()
    return session.get_one(Conversation, received[0].conversation_id)


def test_closing_and_spam_take_a_few_statements_however_long_the_conversation(cast: Cast, session: Session) -> None:
    c, carla = _long(session, 60), acting(session, "carla")
    with statements() as sent:
        c.close(by=carla)
        session.flush()
    assert len(sent) <= 6
    with statements() as sent:
        c.mark_spam(by=carla)
        session.flush()
    assert len(sent) <= 12
    junk = c.mailbox.folder("junk")
    assert junk is not None
    wanted = select(func.count()).select_from(Copy).where(Copy.wanted_folder_id == junk.id)
    assert session.scalar(wanted) == 60


def test_any_number_of_conversations_can_be_locked_and_settled(cast: Cast, session: Session) -> None:
    ids = [conversation(session).id for _ in range(3)]
    assert [c.id for c in locked(session, [*ids, *range(10**6, 10**6 + 70_000)])] == ids


def test_conversations_whose_copies_went_are_settled_some_at_a_time_and_however_late(
    cast: Cast, session: Session
) -> None:
    box = mailbox(session)
    ids = {r.conversation_id for r in arrive(session, *(arrival(box) for _ in range(501)))}
    session.execute(update(Copy).values(gone_at=now() - dt.timedelta(days=30)))
    settled = [thread.mark_gone(session) for _ in range(3)]
    assert [len(some) for some in settled] == [500, 1, 0]
    assert set(settled[0] + settled[1]) == ids


def test_conversations_without_copies_are_found_fast_when_postgres_takes_the_tables_for_empty(
    cast: Cast, session: Session
) -> None:
    arrive(session, *(arrival(mailbox(session)) for _ in range(501)))
    session.execute(update(Copy).values(gone_at=now() - dt.timedelta(days=30)))
    with session.connection().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        other.execute(text("ANALYZE"))  # it does not see rows of an open transaction
    session.execute(text("SET LOCAL statement_timeout = '15s'"))
    assert len(thread.mark_gone(session)) == 500


def test_thousands_of_mails_that_name_each_other_do_not_keep_postgres_from_its_work(
    cast: Cast, session: Session
) -> None:
    c = _long(session, 1)
    session.execute(_FLOOD, {"conversation": c.id})
    session.execute(text("SET LOCAL statement_timeout = '15s'"))  # comparing each with each would take longer
    thread.refresh(session, [c.id])
    assert c.message_count == 3501
    newcomers = select(func.count()).where(Message.conversation_id == c.id, Message.newcomer)
    assert session.scalar(newcomers) == 3499  # the flood's first mail answers nobody


_MEANINGS = [("owner", "carla"), ("owner", "ben"), *(("status", str(status)) for status in list(Status)[1:])]


@pytest.mark.parametrize(("meaning", "value"), _MEANINGS)
@pytest.mark.parametrize("folder", ["INBOX", "Trash", "Junk"])
def test_many_and_the_verb_take_a_keywords_value_alike(
    session: Session, cast: Cast, clock: Clock, folder: str, meaning: str, value: str
) -> None:
    clock.set("2026-11-20T09:00+00:00")
    by_verb, by_keyword = (_of_three_mails(session, folder) for _ in range(2))
    ben = acting(session, "ben")
    _act(by_verb, meaning, value, by=ben)
    for copy in conversation_copies(by_keyword):
        copy.keywords = ["todo"]
    map_name(session, by_keyword.mailbox, "ToDo", meaning, value, by=ben)
    session.flush()
    session.expire_all()
    assert _all_of(session, by_keyword) == _all_of(session, by_verb)


def test_a_keyword_gets_a_meaning_in_a_few_statements_however_many_carry_it(cast: Cast, session: Session) -> None:
    box, ben = mailbox(session), acting(session, "ben")
    ids = [r.conversation_id for r in arrive(session, *(arrival(box, keywords=("todo",)) for _ in range(60)))]
    with statements() as sent:
        map_name(session, box, "todo", "status", "spam", by=ben)
    assert len(sent) <= 40
    assert {c.status for c in locked(session, ids)} == {"spam"}


def _of_three_mails(session: Session, folder: str) -> Conversation:
    """Two questions in this folder, and our answer between them."""
    box, root = mailbox(session), f"<{next(_roots)}@customer.example>"
    mails = [
        arrival(box, folder=where, references=(root,), received_at=dt.datetime(2026, 11, 2, hour, tzinfo=dt.UTC))
        for hour, where in enumerate((folder, "Sent", folder), 9)
    ]
    return session.get_one(Conversation, arrive(session, *mails)[0].conversation_id)


def _act(c: Conversation, meaning: str, value: str, *, by: Actor) -> None:
    """As a member would act, with both sides in agreement."""
    if meaning == "owner":
        c.assign(member(session_of(c), value), by=by)
        c.agree(replace(c.agreed, owner=c.owner))
    else:
        c.change_status(Status(value), by=by)
        c.agree(replace(c.agreed, status=Status(value)))


def _all_of(session: Session, c: Conversation) -> list[Any]:
    """All data of it, without what distinguishes it from another."""
    names = {*inspect(Conversation).columns.keys()} - {"id", "number", "created_at"}
    columns = {name: getattr(c, name) for name in names}
    copies = [(one.folder_id, one.wanted_folder_id, one.came_from_folder_id) for one in conversation_copies(c)]
    events = session.scalars(
        select(Event).where(Event.conversation_id == c.id, Event.kind != "arrived").order_by(Event.id)
    )
    history = [(e.mailbox_id, e.kind, e.source, e.member_id, e.not_before, e.before, e.after) for e in events]
    return [columns, copies, history]
