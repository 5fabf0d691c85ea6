"""After an upgrade, mails that an older parser stored are read again in the background. Nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Attachment, Body, Message
from app.inbox.lists import history, lists
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status
from app.mail.version import READ_VERSION
from app.sync.pull import renewing
from tests.cast import member
from tests.dovecot import mail
from tests.sync.stage import Stage, conversation

_FILE = (
    "--b\r\nContent-Type: text/plain\r\n\r\nOrder kestrel-17.\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\nx\r\n--b--\r\n"
)


def _as_an_older_parser_read_them(stage: Stage) -> None:
    with transaction() as session:
        session.execute(text("UPDATE message SET search = NULL, preview = 'old', subject = 'old', machine = NULL"))
        session.execute(update(Body).values(text="old", quote_at=1))
        session.execute(update(Mailbox).where(Mailbox.id == stage.mailbox_id).values(read_version=0))


def _facts(stage: Stage, number: int) -> dict[str, Any]:
    """Columns that an upgrade must not change."""
    with transaction() as session:
        c = conversation(session, number)
        files = session.scalars(select(Attachment.id).join(Message).where(Message.conversation_id == c.id)).all()
        return {
            "messages": [(m.id, m.direction, m.identity, m.received_at, m.seen) for m in c.messages],
            "copies": [(copy.uid, sorted(copy.shown)) for m in c.messages for copy in m.copies],
            "state": (c.owner, c.status, c.starred, c.waiting_since, c.last_at),
            "notes": [note.text for note in c.notes],
            "events": [event.id for event in history.of_conversation(session, c.id)],
            "files": list(files),
        }


def _found(words: str) -> list[int]:
    with transaction() as session:
        who = member(session, "carla")
        return [item.number for item in lists.conversations(session, who, lists.Filter(view="all", q=words)).items]


def _renewed(stage: Stage) -> bool:
    with transaction() as session:
        box = session.get_one(Mailbox, stage.mailbox_id)
        return (box.read_version, box.renew_below) == (READ_VERSION, None)


def _until_renewed(stage: Stage) -> Iterator[int]:
    for number in range(1, 20):
        if _renewed(stage) and number > 1:
            return
        stage.round()
        yield number
    raise AssertionError("The mails are never read.")


def test_the_new_parsers_result_is_shown_and_found_and_the_rest_stays(stage: Stage) -> None:
    fields = {"content_type": "multipart/mixed; boundary=b", "message_id": "<one@x>"}
    stage.account.append(mail("Kites", _FILE, **fields))
    stage.account.append(mail("Away", auto_submitted="auto-replied"))
    stage.round()
    stage.account.append(mail("Re: Kites", in_reply_to="<one@x>"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.act(1, Conversation.add_note, "Called her.")
    stage.round()
    before = [_facts(stage, number) for number in (1, 2)]
    assert _renewed(stage)
    _as_an_older_parser_read_them(stage)
    assert _found("kestrel") == []
    assert list(_until_renewed(stage))
    assert _found("kestrel") == [1]
    assert [_facts(stage, number) for number in (1, 2)] == before
    with transaction() as session:
        assert conversation(session, 1).subject == "Kites"
        assert conversation(session, 1).status == Status.CLOSED
        assert [m.machine for m in conversation(session, 2).messages] == ["auto_reply"]


def test_mail_that_no_longer_exists_stays_as_it_is(stage: Stage) -> None:
    uid = stage.account.append(mail("Gone"))
    stage.account.append(mail("Here"))
    stage.round()
    stage.account.expunge(uid)
    stage.round()
    _as_an_older_parser_read_them(stage)
    assert list(_until_renewed(stage))
    with transaction() as session:
        subjects = session.scalars(select(Message.subject).where(Message.mailbox_id == stage.mailbox_id)).all()
        assert sorted(subjects) == ["Here", "old"]


def test_a_round_reads_only_some_and_the_next_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        stage.account.append(mail(f"Number {number}"))
    stage.round()
    _as_an_older_parser_read_them(stage)
    monkeypatch.setattr(renewing, "_SOME", 1)
    times = iter(range(1000))
    monkeypatch.setattr(renewing, "monotonic", lambda: next(times) * 2.5)  # with each call the time is nearly over
    seen = []
    for _ in _until_renewed(stage):
        with transaction() as session:
            seen.append(len(session.scalars(select(Message).where(Message.subject == "old")).all()))
    assert seen == sorted(seen, reverse=True)
    assert {1, 2} & set(seen)
    assert seen[-1] == 0
