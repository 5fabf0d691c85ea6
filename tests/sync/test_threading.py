"""Answers find their conversation and strangers stay separate, from a mail's bytes to its conversation."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.status import Status
from tests.dovecot import mail
from tests.sync.modes import number_of
from tests.sync.stage import Stage, conversation

_LONG = f"<{'x' * 60}.PR05MB6834@eurprd05.prod.customer.example>"
_ENCODED = f"=?utf-8?q?=3C{'x' * 60}=2EPR05MB68?=\r\n =?utf-8?q?34=40eurprd05=2Eprod=2Ecustomer=2Eexample=3E?="
_CUT = f"<{'x' * 60}.PR05MB6834@eurprd05\r\n .prod.customer.example>"


def _conversations(stage: Stage, *mails: bytes) -> int:
    for raw in mails:
        stage.account.append(raw)
    stage.round()
    with transaction() as session:
        messages = session.scalars(select(Message)).all()
        assert len(messages) == len(mails)
        return len({message.conversation_id for message in messages})


def _from(number: int) -> str:
    return f"Customer {number} <customer{number}@place{number}.example>"


@pytest.mark.parametrize(
    "spelling",
    [
        _LONG,
        _ENCODED,
        _CUT,
        _LONG.strip("<>"),
        f"{_LONG} (Zoe's message of Monday)",
        _LONG.lower(),
        _LONG.upper(),
        f"&lt;{_LONG.strip('<>')}&gt;",
        f'"{_LONG.strip("<>")}"',
        _LONG.replace("@", "%40"),
    ],
)
@pytest.mark.parametrize("field", ["in_reply_to", "references"])
def test_an_answer_finds_its_conversation_however_it_spells_the_id(stage: Stage, spelling: str, field: str) -> None:
    assert _conversations(stage, mail(message_id=_LONG), mail("Re: Hello", **{field: spelling})) == 1


def test_an_id_that_is_encoded_in_its_own_mail_is_found(stage: Stage) -> None:
    assert _conversations(stage, mail(message_id=_ENCODED), mail("Re: Hello", in_reply_to=_LONG)) == 1


def test_an_answer_in_the_words_of_old_programs_finds_its_mail_and_no_stranger(stage: Stage) -> None:
    told = 'Message from Support <support@example.com>\r\n of "Fri, 27 Nov 2026 09:00:00 +0100." '
    mails = [
        mail("offer 17", message_id="<offer17@shop.example>", to=_from(1), **{"from": "support@example.com"}),
        mail("Re: offer 17", in_reply_to=f"{told}<offer17@shop.example>", **{"from": _from(1)}),
        mail("Re: complaint", in_reply_to=f"{told}<case99@shop.example>", **{"from": _from(2)}),
    ]
    assert _conversations(stage, *mails) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"in_reply_to": "<yes>", "references": "<yes>"},
        {"references": "<shop-notification@shop.example>"},
        {"message_id": "<contactform@shop.example>"},
        {"in_reply_to": "<support@example.com>"},
        {"in_reply_to": "support@example.com"},
    ],
)
@pytest.mark.parametrize("subject", ["Form {}", "Form"])
def test_strangers_with_a_common_id_stay_apart(stage: Stage, fields: dict[str, str], subject: str) -> None:
    mails = [mail(subject.format(n), **{**fields, "from": _from(n)}) for n in range(3)]
    assert _conversations(stage, *mails) == 3


_OURS, _LIST = "Support <support@example.com>", "talk@lists.example"
_GOOGLE = {
    "from": f"'Support' via Talk <{_LIST}>", "reply_to": _OURS, "x_original_from": _OURS, "sender": _LIST,
    "x_original_sender": "support@example.com", "list_id": "<talk.lists.example>", "precedence": "list",
}  # fmt: skip
_MAILMAN = {
    "from": f"Support via Talk <{_LIST}>", "reply_to": f"Talk <{_LIST}>", "cc": f"Zoe <zoe@customer.example>, {_OURS}",
    "sender": "Talk <talk-bounces@lists.example>", "list_id": "Talk <talk.lists.example>", "x_beenthere": _LIST,
}  # fmt: skip
_ON_BEHALF = {"from": f"Talk <{_LIST}>", "sender": _OURS, "list_id": "<talk.lists.example>"}


@pytest.mark.parametrize("fields", [_GOOGLE, _MAILMAN, _ON_BEHALF])
def test_our_answer_through_a_list_before_its_copy_in_sent_reopens_nothing(
    stage: Stage, fields: dict[str, str]
) -> None:
    stage.account.append(mail("Lamp", message_id="<lamp@customer.example>", to=f"{_LIST}, support@example.com"))
    stage.round()
    number = number_of("Lamp")
    stage.act(number, Conversation.change_status, Status.CLOSED)
    told = {"message_id": "<ours@example.com>", "in_reply_to": "<lamp@customer.example>", "to": _LIST}
    stage.account.append(mail("Re: [Talk] Lamp", "We send it.\r\n--\r\nTalk mailing list\r\n", **told | fields))
    stage.round()
    stage.account.append(mail("Re: Lamp", "We send it.\r\n", **told, **{"from": _OURS}), folder="Sent")
    stage.round()
    with transaction() as session:
        found = conversation(session, number)
        assert (found.status, found.waiting_since, found.message_count) == (Status.CLOSED, None, 2)


def test_a_customers_mail_through_our_group_reopens_a_closed_conversation(stage: Stage) -> None:
    stage.account.append(mail("Lamp", message_id="<lamp@customer.example>"))
    stage.round()
    number = number_of("Lamp")
    stage.act(number, Conversation.change_status, Status.CLOSED)
    told = {"from": "Zoe via Support <support@example.com>", "cc": "Zoe <zoe@customer.example>"}
    told |= {"reply_to": _OURS, "x_beenthere": "support@example.com", "list_id": "<support.example.com>"}
    stage.account.append(mail("Re: Lamp", in_reply_to="<lamp@customer.example>", **told))
    stage.round()
    with transaction() as session:
        found = conversation(session, number)
        assert (found.status, found.waiting_since is None, found.message_count) == (Status.OPEN, False, 2)
        assert (found.from_name, found.from_address) == ("Zoe", "zoe@customer.example")


@pytest.mark.parametrize(
    "body",
    [
        "It failed.\r\n\r\nMessage-ID: <ours@example.com>\r\nSubject: Lamp\r\n",
        "<zoe@customer.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\nSubject: Lamp\r\n",
        "Your mail could not be delivered to zoe@customer.example.\r\n",
    ],
)
def test_a_bounce_without_report_finds_its_mail_and_reopens_nothing(stage: Stage, body: str) -> None:
    ours = mail("Lamp", message_id="<ours@example.com>", to="Zoe <zoe@customer.example>", **{"from": _OURS})
    stage.account.append(ours, folder="Sent")
    stage.round()
    number = number_of("Lamp")
    stage.act(number, Conversation.change_status, Status.CLOSED)
    told = {"from": "MAILER-DAEMON@mx.example", "return_path": "<>", "date": "Tue, 03 Nov 2026 10:00:00 +0000"}
    stage.account.append(mail("failure notice", body, **told))
    stage.round()
    with transaction() as session:
        found = conversation(session, number)
        assert (found.status, found.last_machine, found.message_count) == (Status.CLOSED, "bounce", 2)
