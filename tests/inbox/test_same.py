"""A mail that arrives by two ways is one message; two mails with one Message-ID are two."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.inbox.actor import Actor
from app.inbox.arriving.arrival import Arrival, File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.status import Status
from tests.cast import Cast, arrival, arrive, mailbox

_AT = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
_TEXT = "Good morning, since Monday the display of our scale stays dark."
_MIA, _LIST = ("Mia Kunze", "mia@customer.example"), ("Mia via Talk", "talk@lists.example")


def _file(size: int, type_: str = "application/pdf") -> File:
    return File("2", "scan.pdf", type_, size, "base64", None, False)


def _arrival(session: Session, n: int, **told: Any) -> Arrival:
    told = {"message_id": "<one@customer.example>", "date": _AT, "text": _TEXT, "sender": _MIA} | told
    return arrival(mailbox(session), identity=bytes([n] * 32), **told)


def _messages(session: Session, first: dict[str, Any], second: dict[str, Any], *, apart: bool) -> list[Message]:
    mails = [_arrival(session, 1, **first), _arrival(session, 2, **second)]
    for batch in [mails[:1], mails[1:]] if apart else [mails]:
        arrive(session, *batch)
    session.expire_all()
    return list(session.scalars(select(Message)))


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"subject": "[Talk] The scale shows nothing", "text": f"{_TEXT}\n--\nTalk mailing list\nhttps://lists.example"},
        {"subject": "***SPAM*** The scale shows nothing"},
        {"subject": "The scale [Talk] shows nothing"},
        {"subject": "[EXT] The scale shows nothing"},
        {"subject": "The scale shows nothing [EXT]"},
        {"subject": "[SPAM?] The scale shows nothing"},
        {"subject": "{Spam?} The scale shows nothing"},
        {"subject": "The scale shows nothing {Spam?}"},
        {"subject": "*** EXTERNAL *** The scale shows nothing"},
        {"subject": "The scale shows nothing *** EXTERNAL ***"},
        {"subject": "The scale shows nothing - EXTERNAL"},
        {"subject": "The scale shows nothing (externe E-Mail)", "text": f"External sender!\n{_TEXT}"},
        {"subject": "The scale shows nothing (External Email)"},
        {"subject": "The scale shows nothing [SEC=OFFICIAL]"},
        {"subject": "<EXTERN> The scale shows nothing"},
        {"subject": "[talk:01234] The scale shows nothing"},
        {"subject": "The scale shows nothing (was: Scales)"},
        {"subject": "[EXT] The scale shows nothing (was: Scales)"},
        {"subject": "Re: [EXT] The scale shows nothing"},
        {"text": f"CAUTION: this mail comes from outside.\n\n{_TEXT}"},
        {"text": _TEXT.replace(" ", "\n")},
        {"sender": _LIST, "reply_to": (_MIA,), "text": f"{_TEXT}\n--\nTalk mailing list"},
    ],
)
def test_a_mail_by_two_ways_is_one_message(
    cast: Cast, session: Session, changed: dict[str, Any], turned: bool, apart: bool
) -> None:
    pair = ({}, changed) if turned else (changed, {})
    [message] = _messages(session, *pair, apart=apart)
    assert len(message.copies) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[EXT] Lamp", "[Talk] Lamp"),
        ("[EXT] Lamp", "Lamp [SPAM?]"),
        ("*** EXTERNAL *** Re: Lamp", "Re: [Talk] Lamp"),
        ("[EXT] [JIRA-12] Lamp", "[Talk] [JIRA-12] Lamp"),
        ("", "[EXT]"),
    ],
)
def test_copies_that_two_gateways_labelled_are_one_message(cast: Cast, session: Session, one: str, other: str) -> None:
    assert len(_messages(session, {"subject": one}, {"subject": other}, apart=True)) == 1


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("type_", ["message/rfc822", "message/delivery-status", "text/csv"])
@pytest.mark.parametrize(("sizes", "later"), [((100,), (102,)), ((100, 101, 5), (103, 102, 3)), ((2,), (100, 4, 50))])
def test_an_additional_line_end_in_an_enclosed_part_makes_no_other_mail(
    cast: Cast, session: Session, sizes: tuple[int, ...], later: tuple[int, ...], type_: str, apart: bool
) -> None:
    pair = [{"files": tuple(_file(size, type_) for size in found)} for found in (sizes, later)]
    [message] = _messages(session, *pair, apart=apart)
    assert len(message.copies) == 2


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"sender": ("Tom", "tom@elsewhere.example")}),
        ({}, {"date": _AT + dt.timedelta(seconds=1)}),
        ({}, {"date": None}),
        ({"date": None}, {"date": None}),
        ({}, {"text": "Good morning, since Tuesday the display of our scale stays dark."}),
        ({}, {"text": ""}),
        ({}, {"subject": "The scale shows nothing again"}),
        ({"subject": "[Order 1] shipped"}, {"subject": "[Order 2] shipped"}),
        ({"subject": "Shipped (order 1)"}, {"subject": "Shipped (order 2)"}),
        ({"subject": "Shipped"}, {"subject": "Shipped (order 2)"}),
        ({"subject": "Alarm"}, {"subject": "Alarm cleared"}),
        ({"subject": ""}, {"subject": "Alarm"}),
        ({"subject": "Alarm 1", "text": ""}, {"subject": "Alarm 12", "text": ""}),
        ({"text": "", "files": (_file(1000),)}, {"text": "", "files": (_file(1001),)}),
        ({"files": (_file(1000),)}, {"files": (_file(1001),)}),
        ({"files": (_file(100, "text/csv"),)}, {"files": (_file(103, "text/csv"),)}),
        ({"files": (_file(100, "text/csv"),) * 2}, {"files": (_file(100, "text/csv"), _file(90, "text/csv"))}),
        ({"files": (_file(100, "text/csv"),)}, {"files": (_file(100),)}),
        ({"reply_to": (("", "a@x.example"),)}, {"sender": _LIST, "reply_to": (("", "b@x.example"),)}),
    ],
)
def test_two_mails_with_one_id_are_two_messages(
    cast: Cast, session: Session, one: dict[str, Any], other: dict[str, Any], turned: bool, apart: bool
) -> None:
    assert len(_messages(session, *((one, other) if turned else (other, one)), apart=apart)) == 2


def test_a_mail_that_was_stored_under_its_former_identity_is_known(cast: Cast, session: Session, carla: Actor) -> None:
    [first] = arrive(session, _arrival(session, 1))
    c = session.get_one(Conversation, first.conversation_id)
    c.close(by=carla)
    session.execute(update(Message).values(identity=bytes([7] * 32)))
    again = _arrival(session, 2, folder="Archive", text="Read in another way today", former_identity=bytes([7] * 32))
    [came] = arrive(session, again)
    session.expire_all()
    assert (came.new, came.message_id) == (False, first.message_id)
    assert (c.status, c.message_count) == (Status.CLOSED, 1)


def test_a_copy_that_a_list_changed_opens_nothing(cast: Cast, session: Session, carla: Actor) -> None:
    [first] = arrive(session, _arrival(session, 1))
    c = session.get_one(Conversation, first.conversation_id)
    c.close(by=carla)
    arrive(session, _arrival(session, 2, subject="[Talk] The scale shows nothing", text=f"{_TEXT} -- list"))
    session.expire_all()
    assert (c.status, c.message_count, c.waiting_since) == (Status.CLOSED, 1, None)
