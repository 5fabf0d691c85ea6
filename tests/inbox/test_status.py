"""Statuses, snoozes that wake, spam, and the wanted folders of mails."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import SYSTEM, Actor, mail_client
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import AUTOMATIC_ANSWERS
from app.inbox.conversations.snooze import wake_due
from app.inbox.errors import Gone, Invalid, NotWatched
from app.inbox.history.event import Event
from app.inbox.mailboxes.folder import Folder
from app.inbox.status import Status
from tests.cast import Cast, arrival, arrive, conversation, mailbox
from tests.conftest import Clock


def _folder(c: Conversation, role: str) -> Folder:
    folder = c.mailbox.folder(role)
    assert folder is not None
    return folder


def _wanted(session: Session, c: Conversation) -> list[str | None]:
    """The wanted folders of its copies, or None if they may stay; oldest first."""
    session.flush()
    names = {folder.id: folder.name for folder in c.mailbox.folders}
    session.expire(c)
    copies = [copy for message in c.messages for copy in message.copies]
    return [names[copy.wanted_folder_id] if copy.wanted_folder_id else None for copy in copies]


def _events(session: Session, c: Conversation) -> list[tuple[str, object, object]]:
    session.flush()
    found = session.scalars(select(Event).where(Event.conversation_id == c.id).order_by(Event.id))
    return [(e.kind, e.before, e.after) for e in found if e.kind != "arrived"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.CLOSED, Status.SPAM, Status.OPEN])
def test_a_status_is_set_once(cast: Cast, session: Session, carla: Actor, status: Status) -> None:
    c = conversation(session)
    if status is Status.OPEN:
        c.close(by=SYSTEM)
    before, at = c.status, c.revision
    c.change_status(status, by=carla)
    c.change_status(status, by=carla)
    assert (c.status, c.revision) == (status, at + 1)
    assert _events(session, c)[-1] == ("status", {"status": before}, {"status": status})


def test_members_cannot_change_the_status_of_gone_conversations(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session)
    c.place = "gone"
    for act in (c.close, c.set_pending, c.mark_spam, c.snooze):
        with pytest.raises(Gone):
            act(by=carla)
    with pytest.raises(Gone):
        c.move(_folder(c, "archive"), by=carla)
    c.close(by=mail_client(None))
    assert c.status == Status.CLOSED


def test_closing_ends_the_waiting_and_reopening_brings_it_back(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session)
    waiting = c.waiting_since
    assert waiting is not None
    c.close(by=carla)
    assert c.waiting_since is None
    c.reopen(by=carla)
    assert c.waiting_since == waiting


# snoozes --------------------------------------------------------------------------------------------------------------


def test_a_snooze_sleeps_until_its_time_and_wakes(cast: Cast, session: Session, clock: Clock, carla: Actor) -> None:
    c = conversation(session)
    c.claim(by=carla)
    until = clock.at + dt.timedelta(hours=3)
    c.snooze(until, by=carla)
    c.snooze(until, by=carla)
    assert (c.status, c.snoozed_until) == (Status.SNOOZED, until)
    clock.pass_(hours=2, minutes=59)
    assert wake_due(session) == []
    clock.pass_(minutes=1)
    assert wake_due(session) == [c.id]
    assert (c.status, c.snoozed_until, c.owner) == (Status.OPEN, None, "carla")
    assert [e[0] for e in _events(session, c)] == ["claimed", "status", "woken"]
    assert _events(session, c)[-1][1:] == ({"status": "snoozed", "until": until.isoformat()}, {"status": "open"})
    assert wake_due(session) == []


def test_another_time_for_a_snooze_is_news(cast: Cast, session: Session, clock: Clock, carla: Actor) -> None:
    c = conversation(session)
    c.snooze(clock.at + dt.timedelta(hours=3), by=carla)
    c.snooze(clock.at + dt.timedelta(hours=5), by=carla)
    assert len(_events(session, c)) == 2
    c.close(by=carla)
    clock.pass_(hours=6)
    assert wake_due(session) == []


def test_a_time_gone_by_or_far_away_or_without_a_zone_is_refused(
    cast: Cast, session: Session, clock: Clock, carla: Actor
) -> None:
    c = conversation(session)
    with pytest.raises(Invalid, match="in the past"):
        c.snooze(clock.at, by=carla)
    with pytest.raises(Invalid, match="ten years"):
        c.snooze(dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-12))), by=carla)
    with pytest.raises(Invalid, match="time zone"):
        c.snooze(dt.datetime(2099, 1, 1), by=carla)  # noqa: DTZ001  that is the point
    assert c.status == Status.OPEN


@pytest.mark.parametrize(
    ("zone", "at", "wakes"),
    [
        ("Europe/Madrid", "2026-03-27T15:00+01:00", "2026-03-30T09:00+02:00"),  # Friday; summer time begins on Sunday
        ("Europe/Madrid", "2026-10-23T15:00+02:00", "2026-10-26T09:00+01:00"),  # Friday; it ends on Sunday
        ("America/New_York", "2026-03-06T23:30-05:00", "2026-03-09T09:00-04:00"),
        ("Europe/Madrid", "2026-11-04T00:30+01:00", "2026-11-05T09:00+01:00"),
        ("Europe/Madrid", "2026-11-03T23:30+00:00", "2026-11-05T09:00+01:00"),  # there it is Wednesday already
        ("Pacific/Auckland", "2026-11-04T20:00+00:00", "2026-11-06T09:00+13:00"),
        ("UTC", "2026-11-07T12:00+00:00", "2026-11-09T09:00+00:00"),  # Saturday
        ("UTC", "2026-11-09T08:00+00:00", "2026-11-10T09:00+00:00"),  # Monday before nine
    ],
)
def test_without_a_time_it_wakes_on_the_next_working_day_at_nine(
    cast: Cast, session: Session, clock: Clock, zone: str, at: str, wakes: str
) -> None:
    clock.set(at)
    c = conversation(session)
    c.mailbox.time_zone = zone
    c.snooze(by=mail_client(None))
    assert c.snoozed_until == dt.datetime.fromisoformat(wakes)


# spam and folders -----------------------------------------------------------------------------------------------------


def test_spam_goes_to_junk_and_comes_back_to_where_it_was(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, message_id="<first@x.example>", folder="Archive")
    box = mailbox(session)
    arrive(session, arrival(box, references=("<first@x.example>",)))
    arrive(session, arrival(box, references=("<first@x.example>",), folder="Sent"))
    c.mark_spam(by=carla)
    assert _wanted(session, c) == ["Junk", "Junk", None]
    c.reopen(by=carla)
    assert _wanted(session, c) == [None, None, None]


def test_spam_that_was_moved_comes_back_too(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, folder="Archive")
    c.mark_spam(by=carla)
    [copy] = c.messages[0].copies
    copy.folder_id, copy.wanted_folder_id = _folder(c, "junk").id, None  # the worker has moved it
    session.flush()
    session.expire_all()
    c.reopen(by=carla)
    assert _wanted(session, c) == ["Archive"]


def test_mail_found_in_junk_goes_to_the_inbox_when_unmarked(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, folder="Junk")
    c.mark_spam(by=carla)
    assert _wanted(session, c) == [None]
    c.set_pending(by=carla)
    assert _wanted(session, c) == ["INBOX"]


def test_mail_to_a_spam_conversation_follows_it_and_does_not_reopen_it(
    cast: Cast, session: Session, carla: Actor
) -> None:
    c = conversation(session, message_id="<first@x.example>")
    c.mark_spam(by=carla)
    box = mailbox(session)
    for machine in (None, "auto_reply"):
        arrive(session, arrival(box, references=("<first@x.example>",), machine=machine))
    assert c.status == Status.SPAM
    assert _wanted(session, c) == ["Junk"] * 3


def test_a_move_wants_the_inbound_mails_elsewhere(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, message_id="<first@x.example>")
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",), folder="Sent"))
    at = c.revision
    c.move(_folder(c, "archive"), by=carla)
    c.move(_folder(c, "archive"), by=carla)
    assert _wanted(session, c) == ["Archive", None]
    assert c.revision == at + 1
    assert _events(session, c) == [("moved", {"folders": ["INBOX"]}, {"folder": "Archive"})]
    c.move(_folder(c, "inbox"), by=carla)
    assert _wanted(session, c) == [None, None]


def test_trash_is_a_place_and_not_a_status(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session)
    c.move(_folder(c, "trash"), by=carla)
    assert (c.place, c.status) == ("trash", Status.OPEN)
    c.move(_folder(c, "inbox"), by=carla)
    assert c.place == "here"


def test_a_client_that_marks_everything_deleted_puts_it_in_the_trash(cast: Cast, session: Session) -> None:
    c = conversation(session, keywords=("\\Deleted",), message_id="<first@x.example>")
    assert c.place == "trash"
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",)))
    session.refresh(c)
    assert c.place == "here"


def test_a_move_into_junk_says_that_it_is_spam(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session)
    c.move(_folder(c, "junk"), by=carla)
    assert c.status == Status.SPAM
    assert _wanted(session, c) == ["Junk"]
    c.move(_folder(c, "archive"), by=carla)
    assert c.status == Status.OPEN
    assert _wanted(session, c) == ["Archive"]


def test_only_watched_folders_of_the_mailbox_can_be_moved_to(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session)
    foreign = mailbox(session, "Billing").folder("archive")
    assert foreign is not None
    with pytest.raises(NotWatched):
        c.move(foreign, by=carla)
    archive = _folder(c, "archive")
    archive.watched = False
    with pytest.raises(NotWatched, match="Archive"):
        c.move(archive, by=carla)


# mail that arrives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.PENDING, Status.SNOOZED, Status.CLOSED])
def test_a_customers_mail_opens_it_again_and_its_owner_stays(
    cast: Cast, session: Session, carla: Actor, status: Status
) -> None:
    c = conversation(session, message_id="<first@x.example>")
    c.claim(by=carla)
    c.change_status(status, by=carla)
    [came] = arrive(session, arrival(mailbox(session), references=("<first@x.example>",)))
    assert (c.status, c.snoozed_until, c.owner) == (Status.OPEN, None, "carla")
    assert _events(session, c)[-1][0] == "reopened"
    assert c.waiting_since is not None
    if status is Status.CLOSED:
        assert c.waiting_since == came.arrival.received_at


@pytest.mark.parametrize("told", [*({"machine": kind} for kind in AUTOMATIC_ANSWERS), {"folder": "Sent"}])
def test_machines_and_ourselves_open_nothing(
    cast: Cast, session: Session, carla: Actor, told: dict[str, object]
) -> None:
    c = conversation(session, message_id="<first@x.example>")
    c.close(by=carla)
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",), **told))
    assert (c.status, c.waiting_since) == (Status.CLOSED, None)


def test_an_import_opens_nothing(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, message_id="<first@x.example>")
    c.close(by=carla)
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",)), importing=True)
    assert c.status == Status.CLOSED


def test_the_same_mail_at_another_place_opens_nothing(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, message_id="<first@x.example>")
    c.close(by=carla)
    arrive(session, arrival(mailbox(session), message_id="<first@x.example>", folder="Archive"))
    assert (c.status, c.message_count) == (Status.CLOSED, 1)
    assert len(session.scalars(select(Copy).where(Copy.message_id == c.messages[0].id)).all()) == 2


def test_it_waits_since_the_first_mail_we_did_not_answer(cast: Cast, session: Session) -> None:
    box, first = mailbox(session), "<first@x.example>"
    at = [dt.datetime(2026, 11, 2, 9 + n, tzinfo=dt.UTC) for n in range(6)]
    c = conversation(session, message_id=first, received_at=at[0])

    def after(hour: int, **told: object) -> dt.datetime | None:
        arrive(session, arrival(box, references=(first,), received_at=at[hour], **told))
        session.refresh(c)
        return c.waiting_since

    assert c.waiting_since == at[0]
    assert after(1, folder="Sent") is None
    assert after(2, machine="auto_reply") is None
    assert after(2, machine="bounce") is None
    assert after(3) == at[3]
    assert after(4) == at[3]
    assert after(5, folder="Sent") is None
