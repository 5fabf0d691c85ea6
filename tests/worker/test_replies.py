"""Replies on their way: each recipient gets a reply once, or its author is told that one did not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.actor import web
from app.inbox.arriving import thread as threads
from app.inbox.conversations.locking import locked
from app.inbox.errors import AlreadySent
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.replies import upload
from app.inbox.replies.reply import Reply
from app.inbox.replies.writing import ReplyContent, SendOrder, send_reply
from app.inbox.status import Status
from app.mail.child import MailParser
from app.worker.outbox.sending import send_due
from tests.cast import Cast, member
from tests.dovecot import Account, mail
from tests.ledger import CUT, CUT_AFTER, Ledger, smtp_ledger
from tests.mail.judges import judged
from tests.sync.stage import KEY, Stage, connected, conversation

ZOE = "zoe@customer.example"


@dataclass
class Office:
    """A connected mailbox that can send, with one conversation that Zoe began."""

    stage: Stage
    ledger: Ledger
    parser: MailParser

    def write(self, text: str = "Hello Zoe", *, by: str = "carla", key: str | None = None, **written: Any) -> int:
        with transaction() as session:
            [held] = locked(session, [conversation(session, 1).id])
            actor = web(member(session, by))
            order = SendOrder(dt.timedelta(0))
            reply = send_reply(held, ReplyContent(text=text, **written), order, by=actor, key=key)
            session.flush()
            return reply.id

    def send(self) -> None:
        send_due(self.stage.mailbox_id, bytes(KEY), self.parser, go_on=lambda: True)

    def hurry(self) -> None:
        """The time for the next try has come."""
        with transaction() as session:
            for reply in session.scalars(select(Reply).where(Reply.due_at.is_not(None))):
                reply.due_at = now()

    def state(self, reply_id: int) -> str:
        with transaction() as session:
            return session.get_one(Reply, reply_id).state

    def sent(self) -> list[bytes]:
        with self.stage.account.open() as imap:
            imap.select("Sent")
            return [b"".join(imap.fetch_source(uid)) for uid in imap.uids()]


@pytest.fixture
def office(account: Account, parser: MailParser, cast: Cast) -> Iterator[Office]:
    with smtp_ledger() as ledger, connected(account, parser) as stage:
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security = "127.0.0.1", ledger.port, "none"
        account.append(mail("Broken lamp", message_id="<lamp@customer.example>"))
        stage.round()
        yield Office(stage, ledger, parser)


def test_a_reply_reaches_the_sender_and_its_conversation(office: Office) -> None:
    reply = office.write(status_after="closed")
    office.send()
    [taken] = office.ledger.taken
    assert (taken.sender, taken.to) == ("support@example.com", (ZOE,))
    sent = message_from_bytes(taken.raw)
    assert sent["Subject"] == "Re: Broken lamp"
    assert sent["In-Reply-To"] == "<lamp@customer.example>"
    assert office.state(reply) == "sent"
    with transaction() as session:
        told = conversation(session, 1)
        assert [m.direction for m in told.messages] == ["in", "out"]
        assert (told.status, told.waiting_since, told.messages[0].answered) == (Status.CLOSED, None, True)


def test_the_copy_in_sent_is_one_and_the_same_message(office: Office) -> None:
    office.write(bcc=[("", "boss@halden.example")])
    office.send()
    office.stage.round()
    office.stage.round()
    [copy] = office.sent()
    assert b"Bcc: boss@halden.example\r\n" in copy
    assert b"boss" not in office.ledger.taken[0].raw
    with transaction() as session:
        told = conversation(session, 1)
        assert len(told.messages) == 2
        assert [c.folder.name for c in told.messages[1].copies] == ["Sent"]
    assert office.stage.shown(1, "INBOX") >= {"\\Answered"}


def test_files_arrive_with_the_reply(office: Office) -> None:
    with transaction() as session:
        author = member(session, "carla")
        pdf = upload.store(session, author, "für Zoe.pdf", "application/pdf", BytesIO(b"%PDF" * 100_000)).id
        picture = upload.store(session, author, "p.png", "image/png", BytesIO(b"\x89PNG"), inline=True)
        html, ids = f'<p>Look: <img src="cid:{picture.content_id}"></p>', [pdf, picture.id]
    office.write(html=html, files=ids)
    office.send()
    for judge in judged([office.ledger.taken[0].raw])[0]:
        assert sorted((name, len(data)) for name, _, _, data in judge.files) == [("für Zoe.pdf", 400_000), ("p.png", 4)]
        assert "cid:" in judge.html
    with transaction() as session:
        sent = conversation(session, 1).messages[1]
        assert [(file.filename, file.inline) for file in sent.attachments] == [("p.png", True), ("für Zoe.pdf", False)]


def test_a_refused_recipient_does_not_cost_the_others_a_second_mail(office: Office) -> None:
    people = [("", ZOE), ("", "typo@customer.example"), ("", "slow@customer.example")]
    office.ledger.say("rcpt typo@customer.example", "550 5.1.1 nobody")
    office.ledger.say("rcpt slow@customer.example", "451 4.7.1 greylisted")
    reply = office.write(to=people)
    office.send()
    assert office.state(reply) == "queued"
    office.hurry()
    office.send()
    assert office.state(reply) == "sent"
    assert [office.ledger.times(address) for _, address in people] == [1, 0, 1]
    with transaction() as session:
        states = [(one.state, one.code) for one in session.get_one(Reply, reply).recipients]
    assert states == [("accepted", 250), ("refused", 550), ("accepted", 250)]


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        *((step, CUT) for step in ("greeting", "ehlo", "mail", "rcpt", "data")),
        *((step, "451 4.3.0 later") for step in ("greeting", "mail", "rcpt", "data", "dot")),
    ],
)
def test_what_breaks_before_the_body_is_sent_once_later(office: Office, step: str, answer: str) -> None:
    office.ledger.say(step, answer, answer)
    reply = office.write()
    for _ in range(4):
        office.send()
        office.hurry()
    assert office.state(reply) == "sent"
    assert office.ledger.times(ZOE) == 1


@pytest.mark.parametrize(("step", "answer"), [("body", CUT), ("dot", CUT), ("dot", CUT_AFTER)])
def test_a_break_at_the_end_is_unknown_and_never_sent_again_by_itself(office: Office, step: str, answer: str) -> None:
    office.ledger.say(step, answer)
    reply = office.write()
    for _ in range(3):
        office.send()
        office.hurry()
    assert office.state(reply) == "unknown"
    assert office.ledger.seen.count("body") == 1


def test_a_reply_in_doubt_was_sent_if_the_server_has_filed_it(office: Office) -> None:
    office.ledger.say("dot", CUT_AFTER)
    reply = office.write()
    office.send()
    assert office.state(reply) == "unknown"
    office.stage.account.append(office.ledger.taken[0].raw, "Sent")
    office.stage.round()
    office.stage.round()
    assert office.state(reply) == "sent"
    assert len(office.sent()) == 1


def test_a_server_that_files_by_itself_is_not_given_a_second_copy(office: Office) -> None:
    office.write()
    office.send()
    office.stage.account.append(office.ledger.taken[0].raw, "Sent")
    office.stage.round()
    office.stage.round()
    assert len(office.sent()) == 1
    with transaction() as session:
        assert len(conversation(session, 1).messages) == 2


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_a_lasting_refusal_fails_at_once_with_the_words_of_the_server(office: Office, step: str) -> None:
    office.ledger.say(step, "554 5.7.1 we do not like it")
    reply = office.write()
    office.send()
    with transaction() as session:
        failed = session.get_one(Reply, reply)
        assert (failed.state, failed.code, failed.error) == ("failed", 554, "5.7.1 we do not like it")
        held = locked(session, [failed.conversation_id])
        failed.retry_now(by=web(member(session, "carla")))
        assert held
    office.send()
    assert office.state(reply) == "sent"
    assert office.ledger.times(ZOE) == 1


def test_what_arrives_before_it_leaves_returns_it_to_its_author(office: Office) -> None:
    reply = office.write()
    office.stage.account.append(mail("Re: Broken lamp", "It works again.", in_reply_to="<lamp@customer.example>"))
    office.stage.round()
    office.send()
    assert office.state(reply) == "draft"
    assert office.ledger.taken == []


def test_a_cancelled_reply_is_never_sent(office: Office) -> None:
    reply = office.write()
    with transaction() as session:
        found = session.get_one(Reply, reply)
        locked(session, [found.conversation_id])
        found.cancel(by=web(member(session, "carla")))
    office.send()
    assert (office.state(reply), office.ledger.taken) == ("draft", [])


def test_the_same_key_is_the_same_reply(office: Office) -> None:
    assert office.write(key="once") == office.write(key="once")
    office.write(key="twice")
    office.send()
    assert office.ledger.times(ZOE) == 2


def test_a_recipient_in_doubt_is_not_settled_by_the_copy_of_those_who_got_it(office: Office) -> None:
    people = [("", ZOE), ("", "slow@customer.example")]
    office.ledger.say("rcpt slow@customer.example", "451 4.7.1 greylisted")
    reply = office.write(to=people)
    office.send()
    office.ledger.say("dot", CUT)
    office.hurry()
    office.send()
    office.stage.round()
    office.stage.round()
    assert office.state(reply) == "unknown"
    assert len(office.sent()) == 1


def test_the_status_after_a_reply_is_set_once(office: Office) -> None:
    people = [("", ZOE), ("", "slow@customer.example")]
    office.ledger.say("rcpt slow@customer.example", "451 4.7.1 greylisted")
    office.write(to=people, status_after="closed")
    office.send()
    office.stage.account.append(mail("Re: Broken lamp", "And now?", in_reply_to="<lamp@customer.example>"))
    office.stage.round()
    office.hurry()
    office.send()
    with transaction() as session:
        assert conversation(session, 1).status == Status.OPEN


def test_a_reply_follows_its_conversation_into_another(office: Office) -> None:
    office.stage.account.append(mail("Another lamp"))
    office.stage.round()
    reply = office.write()
    with transaction() as session:
        source, target = (conversation(session, number) for number in (1, 2))
        locked(session, [source.id, target.id])
        threads.merge(source, target, by=web(member(session, "ben")))
    office.hurry()
    office.send()
    with transaction() as session:
        assert session.get_one(Reply, reply).conversation_id == conversation(session, 2).id
    office.stage.round()


def test_what_was_in_doubt_cannot_become_a_new_draft(office: Office) -> None:
    office.ledger.say("dot", CUT)
    reply = office.write()
    office.send()
    office.ledger.say("mail", "550 no")
    with transaction() as session:
        found = session.get_one(Reply, reply)
        locked(session, [found.conversation_id])
        found.retry_now(by=web(member(session, "carla")))
    office.send()
    assert office.state(reply) == "failed"
    with transaction() as session:
        found, carla = session.get_one(Reply, reply), web(member(session, "carla"))
        locked(session, [found.conversation_id])
        with pytest.raises(AlreadySent):
            found.cancel(by=carla)


def test_files_of_odd_types_do_not_keep_a_reply_from_being_sent(office: Office) -> None:
    with transaction() as session:
        author = member(session, "carla")
        files = [("report.txt", "message/delivery-status"), ("mail.eml", "message/rfc822"), ("x", "multipart/mixed")]
        data = b"Subject: x\n\n.\n..\nbye\n"
        ids = [upload.store(session, author, name, type_, BytesIO(data)).id for name, type_ in files]
    office.write(files=ids)
    office.send()
    [taken] = office.ledger.taken
    assert b"\n" not in taken.raw.replace(b"\r\n", b"")
    assert len(judged([taken.raw])[0][1].files) == 3


def test_a_reply_that_was_sent_is_known_as_sent_though_its_lease_had_ended(office: Office) -> None:
    reply = office.write()

    def another_worker_takes_over() -> None:
        with transaction() as session:
            found = session.get_one(Reply, reply)
            locked(session, [found.conversation_id])
            found.note_unknown("")

    office.ledger.meanwhile["dot"] = another_worker_takes_over
    office.send()
    assert office.state(reply) == "sent"
    assert office.ledger.times(ZOE) == 1


def test_a_reply_that_reached_some_is_sent_though_the_rest_is_refused_at_last(office: Office) -> None:
    people = [("", ZOE), ("", "slow@customer.example")]
    office.ledger.say("rcpt slow@customer.example", "451 4.7.1 greylisted", "550 5.1.1 nobody")
    reply = office.write(to=people)
    office.send()
    office.hurry()
    office.send()
    assert office.state(reply) == "sent"
    with transaction() as session:
        states = {one.address: one.state for one in session.get_one(Reply, reply).recipients}
    assert states == {ZOE: "accepted", "slow@customer.example": "refused"}
