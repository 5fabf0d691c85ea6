"""The feed of events: in commit order, without gaps and repetitions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.history.event import Event, EventKind, record
from app.inbox.history.feed import Cursor, Position, end, read, read_next

pytestmark = pytest.mark.usefixtures("database")  # the chain is written at commit

_WRITERS, _COMMITS, _AT_ONCE = 4, 15, 3


def write(*names: str) -> None:
    """One transaction with an event for each of these."""
    with transaction() as session:
        note(session, *names)


def note(session: Session, *names: str) -> None:
    for name in names:
        record(session, EventKind.TAG_MADE, by=COMMAND, after={"tag": name})
    session.flush()


def name_of(event: Event) -> str:
    assert event.after is not None
    return str(event.after["tag"])


def next_names(limit: int = 100, reader: str = "rules") -> list[str]:
    with transaction() as session:
        return [name_of(event) for event in read_next(session, reader, limit)]


def all_names(session: Session) -> list[str]:
    return [name_of(entry.event) for entry in read(session, Position(), 1000)]


def test_an_empty_history_has_nothing_to_read() -> None:
    with transaction() as session:
        assert (read(session, Position(), 10), end(session)) == ([], Position())


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_any_number_at_a_time_gives_every_event_once_in_order(limit: int) -> None:
    write("a", "b", "c")
    write("d")
    write("e", "f")
    names, position = [], Position()
    with transaction() as session:
        while entries := read(session, position, limit):
            assert len(entries) <= limit
            names += [name_of(entry.event) for entry in entries]
            position = entries[-1].position
        assert (names, position) == (["a", "b", "c", "d", "e", "f"], end(session))


def test_an_event_committed_later_is_read_later_despite_a_lower_id() -> None:
    next_names()
    with transaction() as slow:
        note(slow, "begun first")
        write("committed first")
        assert next_names() == ["committed first"]
    assert next_names() == ["begun first"]
    with transaction() as session:
        first, second = session.scalars(select(Event).order_by(Event.id))
        assert (name_of(first), name_of(second)) == ("begun first", "committed first")


def test_while_many_write_at_once_nothing_is_skipped_and_nothing_read_twice() -> None:
    next_names()
    names: list[str] = []
    writing = threading.Event()
    writing.set()

    def work(writer: int) -> None:
        for commit in range(_COMMITS):
            write(*(f"{writer}.{commit}.{place}" for place in range(_AT_ONCE)))

    def follow() -> None:
        while True:
            last = not writing.is_set()
            news = next_names(limit=4)
            names.extend(news)
            if last and not news:
                return

    with ThreadPoolExecutor(_WRITERS + 1) as threads:
        reading = threads.submit(follow)
        for done in [threads.submit(work, writer) for writer in range(_WRITERS)]:
            done.result()
        writing.clear()
        reading.result()
    written = [f"{w}.{c}.{p}" for w in range(_WRITERS) for c in range(_COMMITS) for p in range(_AT_ONCE)]
    assert sorted(names) == sorted(written)
    with transaction() as session:
        assert names == all_names(session)


def test_a_reader_whose_transaction_fails_reads_the_same_again() -> None:
    next_names()
    write("a", "b")
    with transaction() as session:
        assert len(read_next(session, "rules", 1)) == 1
        session.rollback()
    assert next_names() == ["a", "b"]
    assert next_names() == []


def test_a_new_reader_begins_with_later_events_and_has_its_own_position() -> None:
    write("before")
    assert next_names(reader="rules") == []
    write("a")
    assert next_names(reader="webhooks") == []
    write("b")
    assert (next_names(reader="rules"), next_names(reader="webhooks")) == (["a", "b"], ["b"])


def test_while_one_process_reads_another_has_nothing_to_do() -> None:
    next_names()
    write("a")
    with transaction() as session:
        assert [name_of(event) for event in read_next(session, "rules", 10)] == ["a"]
        assert next_names() == []
    assert next_names() == []
    with transaction() as session:
        assert session.scalars(select(Cursor.reader)).all() == ["rules"]


def test_two_processes_that_begin_at_once_are_one_reader() -> None:
    write("before")
    start = threading.Barrier(2)

    def begin() -> list[str]:
        start.wait(30)
        return next_names()

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(begin) for _ in range(2)]
        assert [one.result() for one in both] == [[], []]
    write("a")
    assert next_names() == ["a"]
