"""A keyword gets or loses a meaning while mails carry it: both sides stay the same, and later changes are compared with
the state before."""

from __future__ import annotations

import pytest
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db import engine, transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving import thread
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.tag import Tag, make_tag, merge_tags, share_vocabulary
from app.inbox.history.event import EventKind
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.mapping import map_name, unmap_name
from app.sync.compare.drift import drift
from tests.cast import acting
from tests.dovecot import mail
from tests.sync.stage import KEY, Stage, conversation, kinds, last_event


def means(stage: Stage, name: str, meaning: str, value: str) -> None:
    """Ben, who manages the mailbox, gives a keyword a meaning."""
    with transaction() as session:
        map_name(session, box(session, stage), name, meaning, value, by=acting(session, "ben"))


def means_nothing(stage: Stage, name: str) -> None:
    with transaction() as session:
        unmap_name(session, box(session, stage), name, by=acting(session, "ben"))


def box(session: Session, stage: Stage) -> Mailbox:
    return session.get_one(Mailbox, stage.mailbox_id)


def carrying(stage: Stage, *keywords: str, subject: str = "Hello") -> int:
    """A mail on which a mail client has set these keywords. Returns the number of its conversation."""
    uid = stage.account.append(mail(subject))
    stage.account.add_flags(uid, *keywords)
    stage.round()
    with transaction() as session:
        return session.scalars(select(func.max(Conversation.number)).where(of(stage))).one()


def of(stage: Stage) -> ColumnElement[bool]:
    return Conversation.mailbox_id == stage.mailbox_id


def where_it_stands(number: int = 1) -> tuple[str | None, str, list[str]]:
    with transaction() as session:
        one = conversation(session, number)
        return one.owner, one.status, [tag.name for tag in one.tags]


def in_sync(stage: Stage) -> bool:
    with transaction() as session:
        if any(session.scalars(select(Conversation.push_needed).where(of(stage)))):
            return False
    return not drift(stage.mailbox_id, private_key=bytes(KEY)).lines


def looked_at(stage: Stage, number: int = 1) -> None:
    """Somebody reads the mail in a mail client, which does not change its owner."""
    stage.account.add_flags(stage.uid(number), "\\Seen")
    stage.round()


# a meaning ------------------------------------------------------------------------------------------------------------


def test_a_keyword_that_mails_carry_already_assigns_them_from_the_moment_it_means_somebody(stage: Stage) -> None:
    stage.round()
    carrying(stage, "ToDo-Carla")
    assert where_it_stands() == (None, "open", ["ToDo-Carla"])
    means(stage, "todo-carla", "owner", "carla")
    assert where_it_stands() == ("carla", "open", [])
    with transaction() as session:
        told = last_event(session, 1)
        assert (told.kind, told.actor, told.after) == (EventKind.ASSIGNED, "ben", {"assignee": "carla"})
        assert session.scalars(select(Tag).where(Tag.mailbox_id == stage.mailbox_id)).all() == []
        count = len(kinds(session, 1))
    stage.round()
    looked_at(stage)
    assert where_it_stands() == ("carla", "open", [])
    assert {name.lower() for name in stage.shown()} == {"todo-carla", "\\seen"}
    assert in_sync(stage)
    with transaction() as session:
        assert len(kinds(session, 1)) == count


def test_a_later_owner_replaces_the_keyword(stage: Stage) -> None:
    stage.round()
    carrying(stage, "ToDo-Ben")
    means(stage, "todo-ben", "owner", "ben")
    stage.act(1, Conversation.release, by="ben")
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"assigned-carla"}
    looked_at(stage)
    assert where_it_stands() == ("carla", "open", [])
    assert in_sync(stage)


def test_a_keyword_taken_off_in_a_mail_client_right_after_it_got_its_meaning_releases(stage: Stage) -> None:
    stage.round()
    carrying(stage, "todo-ben")
    means(stage, "todo-ben", "owner", "ben")
    stage.account.remove_flags(stage.uid(), "todo-ben")
    stage.round()
    stage.round()
    assert where_it_stands() == (None, "open", [])
    assert stage.shown() == set()
    assert in_sync(stage)


def test_an_owner_keeps_the_conversation_and_the_keyword_is_replaced(stage: Stage) -> None:
    stage.round()
    carrying(stage, "todo-ben")
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"todo-ben", "assigned-carla"}
    means(stage, "todo-ben", "owner", "ben")
    assert where_it_stands() == ("carla", "open", [])
    stage.round()
    assert stage.shown() == {"assigned-carla"}
    looked_at(stage)
    assert where_it_stands() == ("carla", "open", [])
    assert in_sync(stage)


def test_an_imported_owner_whom_nobody_has_touched_stays_as_well(stage: Stage) -> None:
    carrying(stage, "todo-ben", "assigned-carla")
    assert where_it_stands() == ("carla", "open", ["todo-ben"])
    means(stage, "todo-ben", "owner", "ben")
    stage.round()
    stage.round()
    assert where_it_stands() == ("carla", "open", [])
    assert stage.shown() == {"assigned-carla"}
    assert in_sync(stage)


def test_where_two_owners_wait_for_a_person_to_choose_nothing_is_written_before(stage: Stage) -> None:
    carrying(stage, "todo-ben", "assigned-carla", "assigned-dora")
    means(stage, "todo-ben", "owner", "ben")
    stage.round()
    assert stage.shown() == {"todo-ben", "assigned-carla", "assigned-dora"}
    with transaction() as session:
        assert conversation(session, 1).conflict is not None
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"assigned-carla"}
    assert in_sync(stage)


def test_a_keyword_that_means_closed_closes_open_unowned_conversations(stage: Stage) -> None:
    stage.round()
    for subject in ("Done", "Waits", "Hers"):
        carrying(stage, "erledigt", subject=subject)
    stage.act(2, Conversation.set_pending)
    stage.act(3, Conversation.claim)
    means(stage, "erledigt", "status", "closed")
    assert [where_it_stands(number)[:2] for number in (1, 2, 3)] == [
        (None, "closed"),
        (None, "pending"),
        ("carla", "open"),
    ]
    stage.round()
    stage.round()
    assert [stage.shown(number) for number in (1, 2, 3)] == [{"erledigt"}, {"state-pending"}, {"assigned-carla"}]
    assert in_sync(stage)


def test_a_keyword_that_means_spam_brings_the_mail_to_junk(stage: Stage) -> None:
    stage.round()
    carrying(stage, "werbung")
    means(stage, "werbung", "status", "spam")
    stage.round()
    stage.round()
    assert where_it_stands()[:2] == (None, "spam")
    assert stage.shown(folder="Junk") == {"werbung"}
    assert in_sync(stage)


def test_a_keyword_on_a_mail_of_a_conversation_that_was_merged_speaks_for_the_one_it_went_to(stage: Stage) -> None:
    stage.round()
    carrying(stage, "todo-ben", subject="One")
    carrying(stage, "rest", subject="Two")
    with transaction() as session:
        thread.merge(conversation(session, 1), conversation(session, 2), by=acting(session, "carla"))
    means(stage, "todo-ben", "owner", "ben")
    stage.round()
    assert where_it_stands(2) == ("ben", "open", ["rest"])
    assert in_sync(stage)


def test_another_meaning_for_a_keyword_takes_nobody_their_work(stage: Stage) -> None:
    stage.round()
    carrying(stage, "todo")
    means(stage, "todo", "owner", "ben")
    stage.round()
    means(stage, "todo", "owner", "carla")
    stage.round()
    assert where_it_stands() == ("ben", "open", [])
    assert stage.shown() == {"assigned-ben"}
    assert in_sync(stage)


def test_where_the_server_keeps_no_keywords_a_meaning_changes_nothing_on_mails(stage: Stage) -> None:
    stage.round()
    carrying(stage, "todo-ben")
    with transaction() as session:
        box(session, stage).mode = Mode.DATABASE
    means(stage, "todo-ben", "owner", "ben")
    stage.round()
    assert where_it_stands() == (None, "open", ["todo-ben"])
    means_nothing(stage, "todo-ben")
    assert where_it_stands() == (None, "open", ["todo-ben"])
    assert stage.shown() == {"todo-ben"}


def test_a_batch_of_the_worker_is_stored_with_one_meaning_only(stage: Stage) -> None:
    """Otherwise a mail stored with the old meaning, while the new one is applied to all others, would be missed for
    ever."""
    with transaction() as session:
        one, two = (make_tag(session, box(session, stage), name, by=COMMAND).id for name in ("one", "two"))

    def merge(session: Session) -> None:
        tags = session.get_one(Tag, one), session.get_one(Tag, two)
        merge_tags(session, box(session, stage), *tags, by=COMMAND)

    def give_a_meaning(session: Session) -> None:
        map_name(session, box(session, stage), "todo-ben", "owner", "ben", by=COMMAND)

    with transaction() as worker:
        share_vocabulary(worker, box(worker, stage))
        for change in (give_a_meaning, merge):
            with Session(engine(), expire_on_commit=False) as session:
                session.execute(text("SET LOCAL lock_timeout = '50ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    change(session)
    means(stage, "todo-ben", "owner", "ben")


# a meaning removed ----------------------------------------------------------------------------------------------------


def test_a_keyword_without_meaning_becomes_a_clients_tag_and_the_usual_name_replaces_it(
    stage: Stage,
) -> None:
    means(stage, "todo-carla", "owner", "carla")
    carrying(stage, "ToDo-Carla")
    assert where_it_stands() == ("carla", "open", [])
    means_nothing(stage, "todo-CARLA")
    assert where_it_stands() == ("carla", "open", ["ToDo-Carla"])
    stage.round()
    assert stage.shown() == {"ToDo-Carla", "assigned-carla"}
    stage.account.remove_flags(stage.uid(), "ToDo-Carla")
    stage.round()
    assert where_it_stands() == ("carla", "open", [])
    stage.act(1, Conversation.close)
    stage.round()
    assert stage.shown() == {"assigned-carla", "state-closed"}
    assert in_sync(stage)


def test_a_decision_about_a_keyword_ends_when_it_loses_its_meaning(stage: Stage) -> None:
    means(stage, "todo-carla", "owner", "carla")
    carrying(stage, "todo-carla")
    with transaction() as session:
        for copy in session.scalars(select(Copy)):
            copy.held = ["todo-carla"]
    stage.account.remove_flags(stage.uid(), "todo-carla")
    stage.round()
    assert where_it_stands() == ("carla", "open", [])
    means_nothing(stage, "todo-carla")
    stage.round()
    assert where_it_stands() == ("carla", "open", [])
    assert stage.shown() == {"assigned-carla"}
    assert in_sync(stage)
