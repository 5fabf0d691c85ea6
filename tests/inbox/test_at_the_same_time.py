"""Mail arrives while members act: nobody waits for ever, and nothing is lost, whoever comes first."""

from __future__ import annotations

import datetime as dt
import functools
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import db
from app.clock import now
from app.inbox.actor import COMMAND, SYSTEM, web
from app.inbox.admin import team
from app.inbox.arriving import thread
from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.receive import receive
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Message
from app.inbox.conversations.snooze import wake_due
from app.inbox.conversations.tag import ConversationTag, Tag
from app.inbox.errors import Invalid, NotFound
from app.inbox.history.event import Event
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member

T = TypeVar("T")


def _together(*acts: Callable[[], object]) -> None:
    """Run all at once; errors are raised here."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait(30)
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result()


def _overtaken(first: Callable[[Session], object], second: Callable[[Session], T]) -> T:
    """The result of the second, which starts after the first has acted but not committed."""
    acted, committing = threading.Event(), threading.Event()

    def lead() -> None:
        with db.transaction() as session:
            first(session)
            session.flush()
            acted.set()
            committing.wait(30)

    def follow() -> T:
        acted.wait(30)
        threading.Timer(0.3, committing.set).start()
        with db.transaction() as session:
            return second(session)

    with ThreadPoolExecutor(2) as pool:
        led, followed = pool.submit(lead), pool.submit(follow)
        led.result()
        return followed.result()


def _with_folders(session: Session) -> Mailbox:
    """Support, with folders loaded for use after the session has ended."""
    box = mailbox(session)
    assert box.folders
    return box


def _receive(arrivals: Sequence[Arrival]) -> None:
    with db.transaction() as session:
        receive(session, mailbox(session), arrivals, importing=False)


def _living(session: Session) -> list[Conversation]:
    return list(session.scalars(select(Conversation).where(Conversation.merged_into_id.is_(None))))


def test_two_folders_that_show_one_thread_make_one_conversation(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        box = _with_folders(session)
    for n in range(8):
        root = f"<{n}-root@customer.example>"
        mails = [
            arrival(box, message_id=f"<{n}-first@customer.example>", references=(root,)),
            arrival(box, message_id=f"<{n}-second@customer.example>", references=(root,), folder="Archive"),
            arrival(box, message_id=root, folder="Sent"),
        ]
        _together(*(functools.partial(_receive, [mail]) for mail in mails))
        with db.transaction() as session:
            assert sorted(c.message_count for c in _living(session)) == [3] * (n + 1)


def test_the_same_mail_met_twice_at_once_is_one_message_with_two_copies(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        box = _with_folders(session)
    _together(
        lambda: _receive([arrival(box, message_id="<same@customer.example>")]),
        lambda: _receive([arrival(box, message_id="<same@customer.example>", folder="Archive")]),
    )
    with db.transaction() as session:
        [message] = session.scalars(select(Message))
        assert len(message.copies) == 2


def test_members_and_arriving_mail_never_block_each_other_for_good(database: str, cast: Cast) -> None:
    """Batches that touch many conversations, in any order, against verbs, merges and splits on the same ones."""
    with db.transaction() as session:
        box = _with_folders(session)
        ids = [conversation(session, message_id=f"<{n}@x.example>").id for n in range(12)]

    def mails(seed: int) -> None:
        dice = random.Random(seed)
        for turn in range(6):
            batch = [
                arrival(
                    box,
                    message_id=f"<{seed}-{turn}-{n}@x.example>",
                    references=tuple(f"<{dice.randrange(12)}@x.example>" for _ in range(dice.choice((1, 1, 1, 2)))),
                )
                for n in range(6)
            ]
            _receive(batch)

    def acts(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(30):
            with db.transaction() as session:
                carla = member(session, "carla")
                found = find.conversation(session, carla, dice.choice(ids), lock=True)
                dice.choice((found.star, found.unstar, found.close, found.reopen, found.claim))(by=web(carla))

    def merges(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(4):
            try:
                with db.transaction() as session:
                    carla = member(session, "carla")
                    source, target = find.two_conversations(session, carla, *dice.sample(ids, 2))
                    thread.merge(source, target, by=web(carla))
            except Invalid:
                continue
            with db.transaction() as session:
                carla = member(session, "carla")
                whole = find.conversation(session, carla, target.id, lock=True)
                thread.split(whole.messages[0], by=web(carla))

    _together(lambda: mails(1), lambda: mails(2), lambda: acts(3), lambda: acts(4), lambda: merges(5))
    with db.transaction() as session:
        assert sum(c.message_count for c in _living(session)) == 12 + 2 * 6 * 6
        for c in _living(session):
            assert c.message_count == len(c.messages)


def test_a_verb_follows_a_conversation_that_was_merged_while_it_waited(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        source, target = conversation(session).id, conversation(session).id
    holding, waiting = threading.Event(), threading.Event()

    def merge() -> None:
        with db.transaction() as session:
            carla = member(session, "carla")
            pair = find.two_conversations(session, carla, source, target)
            holding.set()
            waiting.wait(30)
            thread.merge(*pair, by=web(carla))

    def claim() -> int:
        holding.wait(30)
        threading.Timer(0.3, waiting.set).start()
        with db.transaction() as session:
            carla = member(session, "carla")
            found = find.conversation(session, carla, source, lock=True)
            found.claim(by=web(carla))
            return found.id

    with ThreadPoolExecutor(2) as pool:
        merged, claimed = pool.submit(merge), pool.submit(claim)
        merged.result()
        assert claimed.result() == target


def test_a_verb_does_not_block_rows_that_refer_to_its_conversation(database: str, cast: Cast) -> None:
    """A foreign key's check of the row passes the verb's lock, so mail for other conversations of the mailbox is
    stored."""
    with db.transaction() as session:
        id_, box = conversation(session).id, _with_folders(session)
    with db.transaction() as holder:
        find.conversation(holder, member(holder, "carla"), id_, lock=True).claim(by=acting(holder, "carla"))
        holder.flush()
        with db.transaction() as other:
            other.connection().exec_driver_sql("SET LOCAL lock_timeout = '5s'")
            find.conversation(other, member(other, "ben"), id_)
            arrive(other, arrival(box))
            other.connection().exec_driver_sql(
                f"INSERT INTO reading (member_id, conversation_id, read_at) VALUES ({cast.ben}, {id_}, now())"
            )


def test_workers_that_wake_at_the_same_time_wake_each_conversation_once(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        for _ in range(30):
            c = conversation(session)
            c.snooze(now() + dt.timedelta(hours=1), by=SYSTEM)
            c.snoozed_until = now() - dt.timedelta(seconds=1)
    woken: list[int] = []

    def wake() -> None:
        with db.transaction() as session:
            woken.extend(wake_due(session))

    _together(*[wake] * 4)
    with db.transaction() as session:
        woken.extend(wake_due(session))
    assert len(woken) == len(set(woken)) == 30


def test_a_snooze_in_someones_hands_is_left_for_the_next_look(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        c = conversation(session)
        c.snooze(now() + dt.timedelta(hours=1), by=SYSTEM)
        c.snoozed_until = now() - dt.timedelta(seconds=1)
        id_ = c.id
    with db.transaction() as holder:
        locked(holder, [id_])
        with db.transaction() as worker:
            assert wake_due(worker) == []
    with db.transaction() as worker:
        assert wake_due(worker) == [id_]


@pytest.mark.parametrize("attempts", [6])
def test_merging_the_same_two_in_opposite_directions_does_not_deadlock(
    database: str, cast: Cast, attempts: int
) -> None:
    for _ in range(attempts):
        with db.transaction() as session:
            one, two = conversation(session).id, conversation(session).id

        def merge(source: int, target: int) -> None:
            try:
                with db.transaction() as session:
                    _merge(source, target, session)
            except Invalid:
                return  # the other was first

        _together(functools.partial(merge, one, two), functools.partial(merge, two, one))
        with db.transaction() as session:
            assert len([c for c in _living(session) if c.id in (one, two)]) == 1


def _merge(source: int, target: int, session: Session) -> None:
    carla = member(session, "carla")
    thread.merge(*find.two_conversations(session, carla, source, target), by=web(carla))


def test_the_second_merge_in_the_opposite_direction_gets_an_error(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        one, two = conversation(session).id, conversation(session).id
    with pytest.raises(Invalid, match="two different conversations"):
        _overtaken(functools.partial(_merge, one, two), functools.partial(_merge, two, one))


def test_a_merge_follows_a_conversation_that_was_merged_while_it_waited(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        one, two, three = (conversation(session).id for _ in range(3))
    _overtaken(functools.partial(_merge, one, two), functools.partial(_merge, three, one))
    with db.transaction() as session:
        assert [(c.id, c.message_count) for c in _living(session)] == [(two, 3)]


def test_merges_in_a_circle_at_once_make_one_conversation(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        ids = [conversation(session).id for _ in range(3)]
    told: list[Invalid] = []

    def merge(source: int, target: int) -> None:
        try:
            with db.transaction() as session:
                _merge(source, target, session)
        except Invalid as error:
            told.append(error)

    _together(*(functools.partial(merge, id_, then) for id_, then in zip(ids, ids[1:] + ids[:1], strict=True)))
    with db.transaction() as session:
        assert [c.message_count for c in _living(session)] == [3]
    assert [error.field for error in told] == ["into"]


def test_merging_two_tags_in_opposite_directions_makes_no_circle(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        one, two = (tag.make_tag(session, mailbox(session), name, by=COMMAND) for name in ("one", "two"))
    both_have_read = threading.Barrier(2)

    def merge(source_id: int, into_id: int) -> None:
        with db.transaction() as session:
            source, into = session.get_one(Tag, source_id), session.get_one(Tag, into_id)
            both_have_read.wait(30)
            tag.merge_tags(session, mailbox(session), source, into, by=acting(session, "ben"))

    with pytest.raises(Invalid, match="two different tags"):
        _together(functools.partial(merge, one.id, two.id), functools.partial(merge, two.id, one.id))
    with db.transaction() as session:
        assert len(session.scalars(select(Tag).where(Tag.alias_of_id.is_not(None))).all()) == 1


def test_creating_the_same_tag_twice_at_once_gives_an_error(database: str, cast: Cast) -> None:
    def make(session: Session) -> None:
        tag.make_tag(session, mailbox(session), "billing", by=acting(session, "ben"))

    with pytest.raises(Invalid, match="A tag “billing” already exists"):
        _overtaken(make, make)
    with db.transaction() as session:
        assert [event.kind for event in session.scalars(select(Event).where(Event.kind == "tag made"))] == ["tag made"]


def test_two_members_who_use_the_same_new_tag_share_it(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        one, two = conversation(session).id, conversation(session).id

    def put(id_: int, session: Session) -> None:
        ben = member(session, "ben")
        find.conversation(session, ben, id_, lock=True).tag("billing", by=web(ben))

    _overtaken(functools.partial(put, one), functools.partial(put, two))
    with db.transaction() as session:
        [made] = session.scalars(select(Tag))
        assert [session.get_one(Conversation, id_).tags for id_ in (one, two)] == [[made], [made]]


@pytest.mark.parametrize(
    ("handle", "email", "told"),
    [
        ("eva", "eva@halden.example", "exists"),
        ("eva", "e@halden.example", "taken"),
        ("e", "eva@halden.example", "exists"),
    ],
)
def test_adding_the_same_member_twice_at_once_gives_an_error(
    database: str, cast: Cast, handle: str, email: str, told: str
) -> None:
    def add(handle: str, email: str, session: Session) -> None:
        team.add_member(session, handle, "Eva", email, by=acting(session, "ana"))

    with pytest.raises(Invalid, match=told):
        _overtaken(functools.partial(add, "eva", "eva@halden.example"), functools.partial(add, handle, email))
    with db.transaction() as session:
        added = select(Event).where(Event.kind == "member added", Event.member_id == cast.ana)
        assert len(session.scalars(added).all()) == 1


def test_giving_two_members_the_same_address_at_once_gives_an_error(database: str, cast: Cast) -> None:
    def change(handle: str, session: Session) -> None:
        one = member(session, handle)
        team.change_member(session, one, name="Eva", email="eva@halden.example", admin=False, by=acting(session, "ana"))

    with pytest.raises(Invalid, match="exists"):
        _overtaken(functools.partial(change, "ben"), functools.partial(change, "carla"))
    with db.transaction() as session:
        assert [member(session, handle).name for handle in ("ben", "carla")] == ["Eva", "Carla"]


@pytest.mark.parametrize("by_use", [False, True])
def test_two_simultaneous_adoptions_of_a_tag_adopt_it_once(database: str, cast: Cast, by_use: bool) -> None:
    with db.transaction() as session:
        carrying, other = conversation(session, keywords=("ToDo",)), conversation(session).id
        theirs = tag.client_tags(session, cast.support, ("ToDo",))["todo"]
        session.add(ConversationTag(conversation_id=carrying.id, tag_id=theirs.id, last_at=carrying.last_at))

    def adopt(session: Session) -> None:
        found = session.get_one(Tag, theirs.id)
        tag.adopt_tag(session, mailbox(session), found, by=acting(session, "ben"))

    def use(session: Session) -> None:
        find.conversation(session, member(session, "carla"), other, lock=True).tag("todo", by=acting(session, "carla"))

    _overtaken(adopt, use if by_use else adopt)
    with db.transaction() as session:
        assert session.get_one(Conversation, carrying.id).agreed_tags == ["todo"]
        shown = select(Copy.shown).join(Message).where(Message.conversation_id == carrying.id)
        assert session.scalars(shown).all() == [["todo"]]
        assert len(session.scalars(select(Event).where(Event.kind == "tag adopted")).all()) == 1


def test_a_tag_that_is_given_a_meaning_at_this_moment_is_not_there_to_be_adopted(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        theirs = tag.client_tags(session, cast.support, ("ToDo",))["todo"].id

    def adopt(session: Session) -> None:
        found = session.get_one(Tag, theirs)
        tag.adopt_tag(session, mailbox(session), found, by=acting(session, "ben"))

    with pytest.raises(NotFound):
        _overtaken(lambda session: session.delete(session.get_one(Tag, theirs)), adopt)


def test_two_simultaneous_splits_of_a_message_make_one_conversation(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        talk = conversation(session, message_id="<a@x>")
        for number in range(2):
            arrive(session, arrival(mailbox(session), references=("<a@x>",), message_id=f"<{number}@x>"))
        id_ = talk.messages[0].id
    both_have_read = threading.Barrier(2)

    def split() -> None:
        with db.transaction() as session:
            ben = member(session, "ben")
            message = find.message(session, ben, id_)
            both_have_read.wait(30)
            message = find.message_to_split(session, ben, message.id)
            thread.split(message, by=web(ben))

    with pytest.raises(Invalid, match="only message"):
        _together(split, split)
    with db.transaction() as session:
        assert len(_living(session)) == 2


def test_nobody_waits_for_a_lock_or_an_answer_without_end_and_times_are_utc(database: str) -> None:
    """Postgres's own view of a session of web, worker or command."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    with db.transaction() as session:
        told = [session.scalar(select(func.current_setting(name))) for name in names]
        assert told == ["20s", "5min", "1min", "UTC"]
        moment = session.scalar(select(func.to_timestamp(0)))
        assert moment is not None
        assert moment.utcoffset() == dt.timedelta(0)
