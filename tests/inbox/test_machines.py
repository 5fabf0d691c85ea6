"""Mail of machines: automatic answers reopen nothing and do not wait, other mail counts as a person's, and a
conversation that a machine begins waits."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import pytest
from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.arriving.thread import merge, split
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import claim_next
from app.inbox.conversations.message import AUTOMATIC_ANSWERS, MACHINES
from app.inbox.status import Status
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox

_FIRST = "<first@x.example>"
_STATUSES = (Status.PENDING, Status.SNOOZED, Status.CLOSED)


@pytest.mark.parametrize(("status", "kind"), list(itertools.product(_STATUSES, MACHINES)))
def test_each_kind_in_a_conversation_that_rests(
    cast: Cast, session: Session, carla: Actor, status: Status, kind: str
) -> None:
    c = conversation(session, message_id=_FIRST)
    c.change_status(status, by=carla)
    waited = c.waiting_since
    [came] = arrive(session, arrival(mailbox(session), references=(_FIRST,), machine=kind))
    session.refresh(c)
    if kind in AUTOMATIC_ANSWERS:
        assert (c.status, c.waiting_since) == (status, waited)
    else:
        assert c.status == Status.OPEN
        assert c.waiting_since == (waited or came.arrival.received_at)
    assert c.last_machine == kind


@pytest.mark.parametrize("kind", MACHINES)
def test_each_kind_after_our_answer(cast: Cast, session: Session, kind: str) -> None:
    c = conversation(session, message_id=_FIRST)
    arrive(session, arrival(mailbox(session), references=(_FIRST,), folder="Sent"))
    [came] = arrive(session, arrival(mailbox(session), references=(_FIRST,), machine=kind))
    session.refresh(c)
    assert c.waiting_since == (None if kind in AUTOMATIC_ANSWERS else came.arrival.received_at)


@pytest.mark.parametrize("kind", MACHINES)
def test_a_conversation_begun_by_a_machine_waits_and_is_handed_out(
    cast: Cast, session: Session, carla: Actor, kind: str
) -> None:
    c = conversation(session, machine=kind, references=("<nobody-knows@x.example>",))
    assert (c.status, c.waiting_since) == (Status.OPEN, c.messages[0].received_at)
    assert claim_next(session, mailbox(session), by=carla) is c
    c.close(by=carla)
    arrive(session, arrival(mailbox(session), references=(c.messages[0].message_id or "",), machine="bounce"))
    session.refresh(c)
    assert (c.status, c.waiting_since) == (Status.CLOSED, None)


def test_an_automatic_answer_met_before_our_own_mail_stops_waiting(cast: Cast, session: Session) -> None:
    at = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    c = conversation(session, machine="bounce", references=(_FIRST,), received_at=at)
    assert c.waiting_since == at
    arrive(session, arrival(mailbox(session), message_id=_FIRST, folder="Sent", received_at=at - dt.timedelta(hours=1)))
    session.refresh(c)
    assert c.message_count == 2
    assert not c.waiting_since


def test_the_list_shows_only_the_newest_mails_kind(cast: Cast, session: Session) -> None:
    c = conversation(session, message_id=_FIRST)
    arrive(session, arrival(mailbox(session), references=(_FIRST,), machine="receipt"))
    session.refresh(c)
    assert c.last_machine == "receipt"
    arrive(session, arrival(mailbox(session), references=(_FIRST,)))
    session.refresh(c)
    assert c.last_machine is None


def test_a_machines_mail_that_is_split_off_waits(cast: Cast, session: Session) -> None:
    ben = acting(session, "ben")
    c = conversation(session, message_id=_FIRST)
    arrive(session, arrival(mailbox(session), references=(_FIRST,), folder="Sent"))
    arrive(session, arrival(mailbox(session), references=(_FIRST,), machine="bounce"))
    session.refresh(c)
    bounce = c.messages[-1]
    new = split(bounce, by=ben)
    assert (new.waiting_since, new.last_machine) == (bounce.received_at, "bounce")
    merge(new, c, by=ben)
    assert (c.waiting_since, c.last_machine) == (None, "bounce")


@pytest.mark.parametrize("seed", range(25))
def test_opening_again_waits_since_the_same_mail_as_the_list_says(
    cast: Cast, session: Session, carla: Actor, seed: int
) -> None:
    """The rule is in SQL for many conversations and in Python for one that is reopened; both agree."""
    dice = random.Random(seed)
    start = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    mails = [
        arrival(
            mailbox(session),
            message_id=_FIRST if n == 0 else f"<{seed}-{n}@x.example>",
            references=(_FIRST,) if n else (),
            received_at=start + dt.timedelta(minutes=dice.randrange(4)),
            folder=dice.choice(("INBOX", "INBOX", "Sent")),
            machine=dice.choice((None, *MACHINES)),
        )
        for n in range(dice.randint(1, 5))
    ]
    received = arrive(session, *dice.sample(mails, len(mails)))
    c = session.get_one(Conversation, received[0].conversation_id)
    by_the_list = c.waiting_since
    c.close(by=carla)
    c.reopen(by=carla)
    assert c.waiting_since == by_the_list
