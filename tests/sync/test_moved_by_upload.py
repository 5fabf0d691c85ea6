"""A mail that a client moves by uploading it again is the same mail, whatever was added to its header."""

from __future__ import annotations

import email

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import EventKind
from tests.dovecot import mail
from tests.sync.stage import Stage, conversation, kinds


@pytest.mark.parametrize("added", [b"X-TUID: mxPiFvinGqwm\r\n", b"X-OfflineIMAP: 12-34\r\nX-Mozilla-Status: 0001\r\n"])
@pytest.mark.parametrize("size", [100, 400_000])
def test_a_closed_conversation_stays_closed_and_has_one_message(stage: Stage, added: bytes, size: int) -> None:
    raw = mail(message_id="<one@x>", body="many words \r\n" * (size // 12))
    stage.account.append(raw)
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.round()
    old = stage.uid()
    new = stage.account.append(added + raw, "Archive")
    stage.account.expunge(old)
    stage.round()
    stage.round()
    with transaction() as session:
        c = conversation(session, 1)
        assert (c.owner, c.status, c.message_count, c.waiting_since) == ("carla", "closed", 1, None)
        assert EventKind.REOPENED not in kinds(session, 1)
    assert stage.account.flags(new, "Archive") == {"assigned-carla", "state-closed"}


def test_a_mail_whose_header_breaks_off_in_a_program_that_uploads_it_is_the_same_mail(stage: Stage) -> None:
    raw = mail(message_id="<one@x>").replace(b"To:", b"A line without a colon\r\nTo:", 1)
    old = stage.account.append(raw)
    stage.round()
    stage.act(1, Conversation.close)
    stage.round()
    rewritten = email.message_from_bytes(raw)  # offlineimap reads and writes mails by this library
    rewritten["X-OfflineIMAP"] = "12-34"
    stage.account.append(rewritten.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), "Archive")
    stage.account.expunge(old)
    stage.round()
    with transaction() as session:
        c = conversation(session, 1)
        assert (c.status, c.message_count, c.subject) == ("closed", 1, "Hello")
        assert len([copy for copy in c.messages[0].copies if copy.live]) == 1
