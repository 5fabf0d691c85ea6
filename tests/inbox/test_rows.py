"""Many rows inserted at once are read back unchanged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import insert_rows
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Body, Message
from app.vectors import EMPTY
from tests.cast import Cast

_ODD = [
    "", "\\N", "\\.", "NULL", "a\tb", "a\nb\r\nc", "\\", "\\\\", "\\n", "\\u0000", '"', "'", "{}", "{a,b}", "a,b", " ",
    "🎂 é 日本", "\x01\x1f\x7f\u2028", ":name %(name)s",
]  # fmt: skip


def _message(conversation: Conversation, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "mailbox_id": conversation.mailbox_id, "conversation_id": conversation.id,
        "identity": bytes([number, 0, 92, 10]),
        "message_id": None, "direction": "in", "from_name": "", "from_address": "", "subject": "", "preview": "",
        "received_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678, dt.UTC), "size": 2**40, "search": EMPTY, **fields,
    }  # fmt: skip


@pytest.fixture
def conversation(cast: Cast, session: Session) -> Conversation:
    conversation = Conversation(mailbox_id=cast.support, number=77, subject="Odd")
    session.add(conversation)
    session.flush()
    return conversation


def test_words_of_any_kind_come_back_as_they_were(conversation: Conversation, session: Session) -> None:
    people = [[name, name] for name in _ODD]
    rows = [
        _message(conversation, n, subject=odd, message_id=odd, references=[odd, "x", odd], to=people[: n + 1], cc=())
        for n, odd in enumerate(_ODD)
    ]
    insert_rows(session, Message, rows)
    found = session.scalars(
        select(Message).where(Message.conversation_id == conversation.id).order_by(Message.identity)
    )
    read = [(m.identity, m.subject, m.message_id, m.references, m.to, m.cc, m.size, m.received_at) for m in found]
    assert read == [
        (r["identity"], r["subject"], r["message_id"], r["references"], r["to"], [], r["size"], r["received_at"])
        for r in rows
    ]


def test_columns_without_a_value_get_their_default(conversation: Conversation, session: Session) -> None:
    insert_rows(session, Message, [_message(conversation, 1, undelivered=None, date=None, references=[])])
    message = session.scalars(select(Message).where(Message.conversation_id == conversation.id)).one()
    assert (message.undelivered, message.date, message.references, message.addresses) == (None, None, [], [])
    assert (message.machine_sign, message.seen, message.machine) == ("", False, None)
    insert_rows(session, Body, [{"message_id": message.id, "text": "x", "html": None, "html_form": "none"}])
    assert session.scalars(select(Body.appointments)).one() == []


@pytest.mark.parametrize("bad", ["\0", "\ud800", "\udfff\0"])
def test_characters_that_postgres_cannot_store_are_left_out(
    conversation: Conversation, session: Session, bad: str
) -> None:
    odd = f"a{bad}b\\"
    insert_rows(session, Message, [_message(conversation, 1, subject=odd, references=[odd], to=[[odd, odd]])])
    message = session.scalars(select(Message).where(Message.conversation_id == conversation.id)).one()
    assert (message.subject, message.references, message.to) == ("ab\\", ["ab\\"], [["ab\\", "ab\\"]])


def test_an_error_of_a_copy_is_raised_like_that_of_any_statement(conversation: Conversation, session: Session) -> None:
    row = _message(conversation, 1)
    with pytest.raises(IntegrityError, match="uq_message_mailbox_id_identity"), session.begin_nested():
        insert_rows(session, Message, [row, row])
    insert_rows(session, Message, [row])
    assert session.scalars(select(Message.identity).where(Message.conversation_id == conversation.id)).one()


def test_a_number_that_its_column_cannot_hold_is_a_wrong_value(conversation: Conversation, session: Session) -> None:
    with pytest.raises(ValueError, match="A number is too large for message"):
        insert_rows(session, Message, [_message(conversation, 1, size=2**63)])


@pytest.mark.parametrize(
    "at", [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, dt.UTC)]
)
def test_the_first_and_the_last_time_come_back(conversation: Conversation, session: Session, at: dt.datetime) -> None:
    insert_rows(session, Message, [_message(conversation, 1, date=at)])
    assert session.scalars(select(Message.date).where(Message.conversation_id == conversation.id)).one() == at
