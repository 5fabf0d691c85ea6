"""Deadlocks: Postgres aborts one of two transactions, which is then retried."""

from __future__ import annotations

import functools
import threading

from app import db
from app.clock import now
from app.inbox.conversations.locking import locked
from app.inbox.conversations.tag import ConversationTag, Tag, client_tags, merge_tags
from tests.cast import Cast, acting, conversation, mailbox
from tests.inbox.test_at_the_same_time import _living, _together


def test_one_of_two_deadlocked_transactions_is_retried(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        one, two = (conversation(session).id for _ in range(2))
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    @db.retried
    def star(first: int, then: int) -> None:
        tries.append(first)
        with db.transaction() as session:
            held = locked(session, [first])
            if len(tries) <= 2:
                both_hold_one.wait(30)
            held += locked(session, [then])
            held[0].star(by=acting(session, "carla"))

    _together(lambda: star(one, two), lambda: star(two, one))
    assert len(tries) == 3
    with db.transaction() as session:
        assert all(c.starred for c in _living(session))


def test_adopting_and_merging_tags_while_mail_clients_change_them_ends_well(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        box = mailbox(session)
        ids = [conversation(session, keywords=("red", "blue")).id for _ in range(3)]
        red, blue = client_tags(session, box.id, ("red", "blue")).values()
        session.add_all(
            ConversationTag(conversation_id=id_, tag_id=tag.id, last_at=now()) for id_ in ids for tag in (red, blue)
        )
        names = red.id, blue.id

    @db.retried
    def untag(id_: int) -> None:
        with db.transaction() as session:
            [c] = locked(session, [id_])
            c.untag("blue", by=acting(session, "carla"))

    @db.retried
    def merge() -> None:
        with db.transaction() as session:
            source, into = (session.get_one(Tag, id_) for id_ in names)
            merge_tags(session, mailbox(session), source, into, by=acting(session, "ben"))

    _together(merge, *(functools.partial(untag, id_) for id_ in reversed(ids)))
    with db.transaction() as session:
        assert session.get_one(Tag, names[0]).alias_of_id == names[1]
