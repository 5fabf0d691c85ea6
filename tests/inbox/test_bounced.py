"""A bounce that names no mail of ours finds its conversation by recipient, subject and time, if only one fits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.arriving.bounced import join_bounces
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.lists.whole_conversation import whole_conversation
from app.inbox.status import Status
from tests.cast import Cast, arrival, arrive, mailbox, member

_AT = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
_OTTO = ("Otto", "Otto@kunde.example")


def _wrote(session: Session, subject: str, *, importing: bool = False, **told: Any) -> Conversation:
    told = {"folder": "Sent", "to": (_OTTO,), "received_at": _AT, "subject": subject} | told
    [sent] = arrive(session, arrival(mailbox(session), **told), importing=importing)
    return session.get_one(Conversation, sent.conversation_id)


def _bounced(session: Session, days: float = 1, *, importing: bool = False, **told: Any) -> Message:
    told = {
        "sender": ("", "mailer-daemon@mx.example"), "machine": "bounce", "subject": "failure notice",
        "undelivered": {"address": "otto@kunde.example"}, "received_at": _AT + dt.timedelta(days=days),
    } | told  # fmt: skip
    [came] = arrive(session, arrival(mailbox(session), **told), importing=importing)
    session.expire_all()
    return session.get_one(Message, came.message_id)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"returned_subject": "Lamp 17"},
        {"returned_subject": "Re: [EXT] lamp 17"},
        {"subject": "Undeliverable: Lamp 17"},
        {"subject": "Unzustellbar: AW: Lamp 17"},
        {"days": 5},
        {"days": -0.01},
    ],
)
def test_a_bounce_finds_the_one_conversation_it_can_be_about(
    cast: Cast, session: Session, carla: Actor, told: dict[str, Any]
) -> None:
    c = _wrote(session, "Lamp 17")
    c.close(by=carla)
    _wrote(session, "Lamp 17", to=(("Eva", "eva@kunde.example"),))
    bounce = _bounced(session, **told)
    assert (bounce.conversation_id, c.status, c.waiting_since) == (c.id, Status.CLOSED, None)


def test_of_several_conversations_with_the_recipient_the_subject_tells(cast: Cast, session: Session) -> None:
    lamp, cable = _wrote(session, "Lamp"), _wrote(session, "Cable")
    assert _bounced(session, returned_subject="Lamp").conversation_id == lamp.id
    assert _bounced(session, subject="Undeliverable: Cable").conversation_id == cable.id


@pytest.mark.parametrize(
    "told",
    [
        {},  # two conversations with this recipient, and no subject
        {"returned_subject": "Invoice"},
        {"subject": "Undeliverable: Invoice"},
        {"returned_subject": "Twice"},
        {"undelivered": None, "returned_subject": "Lamp"},
        {"undelivered": {"address": "eva@kunde.example"}, "returned_subject": "Lamp"},
        {"returned_subject": "Lamp", "days": 8},
        {"returned_subject": "Lamp", "days": -1},
        {"returned_subject": "Lamp", "machine": "auto_reply"},
        {"returned_subject": "Lamp", "machine": None},
    ],
)
def test_a_bounce_that_may_be_about_something_else_is_a_conversation_of_its_own(
    cast: Cast, session: Session, told: dict[str, Any]
) -> None:
    conversations = {_wrote(session, subject).id for subject in ("Lamp", "Twice", "Twice")}
    bounce = _bounced(session, **told)
    assert bounce.conversation_id not in conversations
    assert bounce.conversation.waiting_since == bounce.received_at


def test_of_several_mails_a_prompt_bounce_is_about_the_one_just_sent(cast: Cast, session: Session) -> None:
    _wrote(session, "Lamp", received_at=_AT - dt.timedelta(days=2))
    near = _wrote(session, "Cable")
    assert _bounced(session, days=1 / 1440).conversation_id == near.id
    delayed = {"address": "otto@kunde.example", "delayed": True}
    assert _bounced(session, days=2 / 1440, undelivered=delayed).conversation_id != near.id


@pytest.mark.parametrize(
    ("told", "joins"),
    [
        ({}, False),  # a day later, to one of two conversations
        ({"returned_subject": "Re: Lamp"}, True),
        ({"subject": "Undeliverable: Lamp"}, True),
        ({"received_at": _AT + dt.timedelta(minutes=1)}, True),
        ({"returned_subject": "Invoice"}, False),
        ({"returned_subject": "Lamp", "undelivered": {"address": "eva@kunde.example"}}, False),
        ({"returned_subject": "Lamp", "undelivered": None}, False),
        ({"returned_subject": "Lamp", "machine": "auto_reply"}, False),
        ({"returned_subject": "Lamp", "received_at": _AT + dt.timedelta(days=9)}, False),
    ],
)
def test_bounces_that_an_import_read_before_the_sent_mail_are_joined_at_its_end(
    cast: Cast, session: Session, carla: Actor, told: dict[str, Any], joins: bool
) -> None:
    bounce = _bounced(session, importing=True, **told)
    own = bounce.conversation_id
    lamp = _wrote(session, "Lamp", importing=True)
    _wrote(session, "Cable", importing=True, received_at=_AT - dt.timedelta(days=1))
    lamp.close(by=carla)
    session.flush()
    last: int | None = 0
    while last is not None:
        last = join_bounces(session, mailbox(session), last)
    session.expire_all()
    here = session.get_one(Message, bounce.id).conversation
    assert (here.message_count == 2) is joins
    if joins:
        assert (here.status, here.waiting_since, here.id in (own, lamp.id)) == (Status.CLOSED, None, True)
    assert bounce.undelivered is None or "subject" not in _shown(session, here)


def _shown(session: Session, conversation: Conversation) -> dict[str, Any]:
    messages = whole_conversation(session, member(session, "carla"), conversation.id).messages
    [told] = [message.undelivered for message in messages if message.undelivered]
    return told


def test_a_bounce_on_which_somebody_acted_stays_where_it_is(cast: Cast, session: Session, carla: Actor) -> None:
    bounce = _bounced(session, importing=True, returned_subject="Lamp")
    bounce.conversation.claim(by=carla)
    _wrote(session, "Lamp", importing=True)
    session.flush()
    join_bounces(session, mailbox(session), 0)
    assert bounce.conversation.message_count == 1


def test_two_bounces_of_one_batch_find_the_same_conversation(cast: Cast, session: Session) -> None:
    c = _wrote(session, "Lamp")
    told = {"machine": "bounce", "undelivered": {"address": "otto@kunde.example"}, "received_at": _AT}
    for came in arrive(session, *(arrival(mailbox(session), **told) for _ in range(2))):
        assert came.conversation_id == c.id
