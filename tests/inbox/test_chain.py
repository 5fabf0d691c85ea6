"""The hash chain of the history: every commit adds to it, and changes made by SQL are detected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import engine, transaction
from app.inbox.actor import COMMAND
from app.inbox.history.chain import ChainCheck, ChainLink, Head, verify
from app.inbox.history.event import Event, EventKind, record
from tests.cast import Cast, arrival, arrive, conversation, mailbox

pytestmark = pytest.mark.usefixtures("database")  # the chain is written at commit


def judged(known: Head | None = None) -> ChainCheck:
    with transaction() as session:
        return verify(session, known=known)


@pytest.fixture
def written(cast: Cast) -> list[int]:
    """The ids of a history: of the cast, of one act, and of an import of 30 mails in one transaction."""
    with transaction() as session:
        conversation(session).star(by=COMMAND)
    with transaction() as session:
        arrive(session, *(arrival(mailbox(session)) for _ in range(30)), importing=True)
    with transaction() as session:
        return list(session.scalars(select(Event.id).order_by(Event.id)))


def tamper(*statements: str, **values: object) -> None:
    """As the database's owner may do: triggers do not prevent it."""
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement), values)


def test_an_empty_history_is_whole() -> None:
    assert judged() == ChainCheck(0, Head(0, ""))


def test_a_history_is_whole_and_every_transaction_is_one_link(written: list[int]) -> None:
    verdict = judged()
    assert (verdict.bad, verdict.what) == (None, None)
    assert verdict.events == len(written)
    with transaction() as session:
        links = session.scalars(select(ChainLink).order_by(ChainLink.number)).all()
    assert [link.number for link in links] == [1, 2, 3]
    assert links[2].events == written[-30:]
    assert str(verdict.head) == f"3:{links[2].digest.hex()}"


CHANGES = (
    "at = at + interval '1 microsecond'",
    "kind = 'released'",
    "source = 'web'",
    "member_id = 2",
    "mailbox_id = 2",
    "mailbox_id = NULL",
    "conversation_id = 1",
    "before = '{}'",
    """after = '{"assignee": "zoe"}'""",
    "not_before = now()",
)


def test_a_changed_line_is_found_by_its_id_whatever_was_changed(written: list[int]) -> None:
    victim = written[-15]  # in the middle of a link
    for change in CHANGES:
        with Session(engine(), expire_on_commit=False) as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(f"UPDATE event SET {change} WHERE id = :id"), {"id": victim})
            verdict = verify(session)
            session.rollback()
        assert (verdict.bad, verdict.what) == (victim, "was changed"), change


def test_a_removed_line_is_found_by_its_id(written: list[int]) -> None:
    tamper("DELETE FROM event WHERE id = :id", id=written[-15])
    verdict = judged()
    assert (verdict.bad, verdict.what) == (written[-15], "was removed")


def test_an_added_line_is_found_by_its_id(written: list[int]) -> None:
    tamper("INSERT INTO event (at, kind, source) VALUES (now(), 'claimed', 'web')")
    verdict = judged()
    assert verdict.bad == max(written) + 1
    assert verdict.what == "was added behind the chain's back"


def test_of_several_wrong_lines_the_first_is_named(written: list[int]) -> None:
    tamper("UPDATE event SET kind = 'released' WHERE id IN (:one, :other)", one=written[-3], other=written[4])
    assert judged().bad == written[4]


def test_a_changed_line_with_a_corrected_hash_is_found_by_its_link(written: list[int]) -> None:
    tamper(
        "UPDATE event SET kind = 'released' WHERE id = :id",
        """UPDATE event_chain SET digests[1] = (SELECT sha256(convert_to(jsonb_build_array(id,
             (extract(epoch FROM at) * 1000000)::bigint, mailbox_id, conversation_id, kind, source, member_id,
             (extract(epoch FROM not_before) * 1000000)::bigint, before, after)::text, 'UTF8'))
           FROM event WHERE event.id = :id) WHERE events[1] = :id""",
        id=written[-30],
    )
    verdict = judged()
    assert verdict.bad == written[-30]
    assert "the chain was changed here" in str(verdict.what)


def test_removed_lines_and_their_link_are_found_by_the_next_link(written: list[int]) -> None:
    tamper(
        "DELETE FROM event WHERE id = ANY (SELECT unnest(events) FROM event_chain WHERE number = 2)",
        "DELETE FROM event_chain WHERE number = 2",
    )
    verdict = judged()
    assert verdict.bad == written[-30]
    assert "something between them was removed" in str(verdict.what)


def test_a_chain_cut_off_at_its_end_is_found_by_a_head_noted_before(written: list[int]) -> None:
    head = judged().head
    tamper(
        "DELETE FROM event WHERE id = ANY (SELECT unnest(events) FROM event_chain WHERE number = 3)",
        "DELETE FROM event_chain WHERE number = 3",
    )
    assert judged().what is None
    assert f"no longer has the head {head}" in str(judged(head).what)


def test_a_head_noted_before_is_still_in_a_chain_that_grew(written: list[int], session: Session) -> None:
    head = judged().head
    record(session, EventKind.RESET, by=COMMAND)
    session.commit()
    verdict = judged(head)
    assert (verdict.what, verdict.head.number) == (None, head.number + 1)


def test_simultaneous_transactions_make_one_chain(cast: Cast) -> None:
    def act(number: int) -> None:
        with transaction() as session:
            record(session, EventKind.RESET, by=COMMAND, after={"number": number})
            session.flush()
            record(session, EventKind.RESET, by=COMMAND, after={"number": -number})
            if number % 5 == 0:
                session.flush()
                session.rollback()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(100)))
    verdict = judged()
    assert verdict.what is None
    with transaction() as session:
        assert verdict.events == session.scalar(select(func.count()).select_from(Event))


def test_events_inside_a_savepoint_are_in_the_link(cast: Cast) -> None:
    with transaction() as session:
        with session.begin_nested():
            record(session, EventKind.RESET, by=COMMAND)
        with session.begin_nested() as given_up:
            record(session, EventKind.RESET, by=COMMAND)
            session.flush()
            given_up.rollback()
    verdict = judged()
    assert (verdict.what, verdict.head.number) == (None, 2)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("events = trim_array(events, 1)", 0),
        ("digests = digests[2:]", 0),
        ("digests = digests || digests[1]", 0),
        ("events = events || array[1::bigint]", None),
        ("digests = '{}'", 0),
    ],
)
def test_a_link_whose_arrays_are_uneven_is_found_by_an_event_in_it(
    written: list[int], change: str, place: int | None
) -> None:
    tamper(f"UPDATE event_chain SET {change} WHERE number = 3")
    verdict = judged()
    assert verdict.bad == (1 if place is None else written[-30 + place])
    assert "do not fit together" in str(verdict.what)


def test_a_link_that_names_no_event_is_found(written: list[int]) -> None:
    tamper("UPDATE event_chain SET events = '{}' WHERE number = 2")
    verdict = judged()
    assert verdict.bad is None
    assert "link 2" in str(verdict.what)


def test_swapped_handles_are_found(written: list[int]) -> None:
    tamper(
        "UPDATE member SET handle = 'swapped' WHERE handle = 'ana'",
        "UPDATE member SET handle = 'ana' WHERE handle = 'ben'",
        "UPDATE member SET handle = 'ben' WHERE handle = 'swapped'",
    )
    verdict = judged()
    with transaction() as session:
        added = session.scalars(select(Event).where(Event.kind == EventKind.MEMBER_ADDED).order_by(Event.id)).first()
        assert added is not None
        assert verdict.bad == added.id
    assert "handle or id was changed" in str(verdict.what)


def test_a_member_whom_no_line_adds_is_found(written: list[int]) -> None:
    tamper(
        "INSERT INTO member (handle, name, email, is_admin, language, time_zone, theme, density, created_at,"
        " told_event_id) SELECT 'puppet', 'P', 'p@x.example', true, language, time_zone, theme, density, now(), 0"
        " FROM member WHERE handle = 'ana'"
    )
    verdict = judged()
    assert (verdict.bad, verdict.what) == (None, "no line says that the member “puppet” was added")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE member SET handle = 'zoe' WHERE handle = 'ana'",
        "UPDATE member SET id = id + 1000",
        "UPDATE mailbox SET id = id + 1000",
    ],
)
def test_ids_and_handles_cannot_be_changed(written: list[int], statement: str) -> None:
    with pytest.raises(DBAPIError, match="fixed for life"), transaction() as session:
        session.execute(text(statement))
