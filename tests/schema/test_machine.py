"""Marks of mails from before kinds existed are migrated, in both directions."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import db, schema
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from tests.cast import Cast, arrival, arrive, conversation, mailbox

_BEFORE = "0011"


def test_marks_become_kinds_and_conversations_begun_by_machines_wait(cast: Cast, session: Session) -> None:
    begun = conversation(session, machine="auto_reply").id
    talk = conversation(session, message_id="<first@x.example>")
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",), folder="Sent"))
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",), machine="bounce"))
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",), machine="newsletter"))
    talk_id = talk.id
    session.commit()
    session.close()
    engine = db.engine()
    schema.downgrade(engine, _BEFORE)
    with engine.begin() as connection:
        marks = connection.execute(text("SELECT auto, bounce FROM message ORDER BY id")).all()
        connection.execute(text("UPDATE conversation SET waiting_since = NULL WHERE id = :id"), {"id": begun})
    assert [tuple(mark) for mark in marks] == [
        (True, False),
        (False, False),
        (False, False),
        (False, True),
        (False, False),
    ]
    schema.upgrade(engine)
    kinds = [message.machine for message in session.query(Message).order_by(Message.id)]
    assert kinds == ["auto_reply", None, None, "bounce", None]
    first = session.get_one(Conversation, begun)
    assert first.waiting_since == first.messages[0].received_at
    assert first.last_machine == "auto_reply"
    assert session.get_one(Conversation, talk_id).last_machine is None
