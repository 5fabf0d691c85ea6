"""The team's own mail reopens nothing and does not wait, in any folder and from any of its addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, Actor
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.status import Status
from tests.cast import Cast, arrival, arrive, conversation, mailbox

_MIA, _HELP, _BEN = ("Mia", "mia@customer.example"), ("Help", "help@halden.example"), ("Ben", "ben@halden.example")
_QUESTION = "<question@customer.example>"
_AT = dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)


def _asked_and_closed(session: Session, carla: Actor) -> Conversation:
    c = conversation(session, message_id=_QUESTION)
    c.close(by=carla)
    return c


def _answer(session: Session, **told: Any) -> Message:
    told = {"references": (_QUESTION,), "subject": "Re: The scale shows nothing", "message_id": "<answer@x>"} | told
    [came] = arrive(session, arrival(mailbox(session), **told))
    session.expire_all()
    return session.get_one(Message, came.message_id)


@pytest.mark.parametrize(
    "told",
    [
        {"sender": _HELP, "to": (_MIA,)},
        {"sender": _HELP, "to": (_MIA,), "cc": (_HELP,)},
        {"sender": ("Help", "HELP@Halden.example"), "to": (_MIA, _HELP)},
        {"sender": ("Help", "help+shop@halden.example"), "to": (_MIA,)},
        {"sender": _BEN, "to": (_MIA,), "cc": (_HELP,)},
        {"sender": _BEN, "to": (_MIA, _HELP)},
        {"sender": _BEN, "to": (_HELP,), "cc": (("", "MIA@customer.example"),)},
        {"sender": ("Help", "help+shop@halden.example"), "to": (_HELP, _MIA)},
        {"sender": _BEN, "to": (_HELP, _MIA), "reply_to": (("", "Help+shop@halden.example"),)},
        {"sender": _BEN, "to": (_HELP, _MIA), "reply_to": (_HELP,)},
    ],
)
def test_our_answer_that_comes_back_to_the_inbox_opens_nothing_and_does_not_wait(
    cast: Cast, session: Session, carla: Actor, told: dict[str, Any]
) -> None:
    c = _asked_and_closed(session, carla)
    answer = _answer(session, **told)
    assert answer.conversation_id == c.id
    assert (answer.direction, answer.own_address) == ("out", False)
    assert (c.status, c.waiting_since) == (Status.CLOSED, None)


@pytest.mark.parametrize(
    ("sender", "is_own"),
    [
        (_HELP, True),
        (("", "Help+shop@Halden.example"), True),
        (("", "info@halden.example"), True),
        (_BEN, False),
        (_MIA, False),
    ],
)
def test_inbound_mail_with_an_address_of_the_mailbox_is_marked(
    cast: Cast, session: Session, sender: tuple[str, str], is_own: bool
) -> None:
    mailbox(session).change_other_addresses(["info@halden.example"], by=COMMAND)
    message = _answer(session, sender=sender, to=(_HELP,), references=())
    assert (message.direction, message.own_address) == ("in", is_own)


def test_our_mail_that_turns_up_in_sent_later_loses_its_mark(cast: Cast, session: Session) -> None:
    mail = {"sender": _HELP, "to": (_HELP,), "references": (), "identity": b"one"}
    assert _answer(session, **mail).own_address
    sent = _answer(session, **mail, folder="Sent", direction="out")
    assert (sent.direction, sent.own_address) == ("out", False)


def test_our_answer_counts_as_an_answer(cast: Cast, session: Session) -> None:
    c = conversation(session, message_id=_QUESTION)
    assert c.waiting_since is not None
    _answer(session, sender=_BEN, to=(_MIA,), cc=(_HELP,))
    assert c.waiting_since is None


@pytest.mark.parametrize("first", ["INBOX", "Sent"])
def test_our_answer_in_the_inbox_and_in_sent_is_one_message(
    cast: Cast, session: Session, carla: Actor, first: str
) -> None:
    c = _asked_and_closed(session, carla)
    for folder in (first, "Sent" if first == "INBOX" else "INBOX"):
        _answer(session, sender=_HELP, to=(_MIA,), folder=folder)
    assert (c.status, c.waiting_since, c.message_count) == (Status.CLOSED, None, 2)


@pytest.mark.parametrize("folders", [("INBOX", "Sent"), ("Sent", "INBOX")])
def test_our_answer_that_is_met_in_both_at_once_opens_nothing(
    cast: Cast, session: Session, carla: Actor, folders: tuple[str, str]
) -> None:
    """The recipients do not matter: to undisclosed recipients it looks like a question to the team."""
    c = _asked_and_closed(session, carla)
    told = {"references": (_QUESTION,), "message_id": "<answer@x>", "sender": _HELP, "to": ()}
    arrive(session, *(arrival(mailbox(session), folder=folder, **told) for folder in folders))
    session.expire_all()
    assert (c.status, c.waiting_since, c.message_count) == (Status.CLOSED, None, 2)


def test_our_answer_that_comes_before_the_mail_it_answers_is_an_answer(cast: Cast, session: Session) -> None:
    assert _answer(session, sender=_BEN, to=(_HELP, _MIA)).direction == "in"
    c = conversation(session, message_id=_QUESTION)
    assert [m.direction for m in c.messages] == ["out", "in"]


@pytest.mark.parametrize(
    "told",
    [
        {"sender": _BEN, "to": (_HELP,)},
        {"sender": _BEN, "to": (_HELP, _MIA)},
        {"sender": _HELP, "to": (_HELP,)},
        {"sender": _HELP, "to": (_HELP,), "cc": (_MIA,)},
        {"sender": _HELP, "to": (_HELP,), "reply_to": (_MIA,)},
        {"sender": _HELP, "to": (_MIA,), "reply_to": (_MIA,)},
    ],
)
def test_a_question_to_the_team_waits_although_it_has_our_address(
    cast: Cast, session: Session, told: dict[str, Any]
) -> None:
    mail = _answer(session, references=(), subject="New", **told)
    assert (mail.direction, mail.conversation.waiting_since) == ("in", mail.received_at)


@pytest.mark.parametrize("sender", [_HELP, _BEN])
def test_a_new_mail_of_ours_to_a_customer_does_not_wait(cast: Cast, session: Session, sender: tuple[str, str]) -> None:
    mail = _answer(session, references=(), sender=sender, to=(_MIA,), cc=(_HELP,))
    assert (mail.direction, mail.conversation.waiting_since) == ("out", None)


def test_a_colleagues_question_to_the_team_reopens(cast: Cast, session: Session, carla: Actor) -> None:
    c = conversation(session, message_id="<key@x>", sender=_BEN, to=(_HELP,), subject="The key")
    told = {"subject": "Re: The key"}
    _answer(session, folder="Sent", sender=_HELP, to=(_BEN,), references=("<key@x>",), message_id="<ours@x>", **told)
    c.close(by=carla)
    again = _answer(session, sender=_BEN, to=(_HELP,), references=("<key@x>", "<ours@x>"), **told)
    assert again.conversation_id == c.id
    assert (again.direction, c.status) == ("in", Status.OPEN)


def test_a_mail_in_junk_is_not_our_answer(cast: Cast, session: Session) -> None:
    c = conversation(session, message_id=_QUESTION)
    for references in ((), (_QUESTION,)):
        told = {"references": references, "message_id": f"<{len(references)}@x>", "folder": "Junk"}
        assert _answer(session, sender=_HELP, to=(_MIA,), **told).direction == "in"
    assert c.waiting_since is not None


def test_an_alias_of_the_mailbox_is_an_address_of_ours(cast: Cast, session: Session, carla: Actor) -> None:
    alias = ("Sales", "sales@halden.example")
    mailbox(session).change_other_addresses([alias[1]], by=COMMAND)
    c = _asked_and_closed(session, carla)
    assert _answer(session, sender=alias, to=(_MIA,), cc=(_HELP,)).direction == "out"
    assert c.status == Status.CLOSED
    asked = _answer(session, sender=_BEN, to=(alias,), references=(), message_id="<new@x>", subject="New")
    assert asked.direction == "in"


# proof that a mail is ours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "verdict", "to", "direction"),
    [
        ("mx.halden.example", "fail", _MIA, "in"),
        ("mx.halden.example", "fail", _HELP, "in"),
        ("mx.halden.example", "pass", _MIA, "out"),
        ("mx.halden.example", "pass", _HELP, "out"),
        ("mx.halden.example", "none", _MIA, "out"),
        ("mx.halden.example", "none", _HELP, "in"),
        ("", "fail", _MIA, "in"),
        ("", "fail", _HELP, "in"),
        ("", "pass", _MIA, "out"),
        ("", "pass", _HELP, "in"),
        ("", "none", _HELP, "in"),
    ],
)
def test_an_answer_that_nobody_vouches_for_is_ours_if_it_reaches_the_customer(
    cast: Cast, session: Session, carla: Actor, trusted: str, verdict: str, to: tuple[str, str], direction: str
) -> None:
    mailbox(session).trust_servers(trusted, by=COMMAND)
    c = _asked_and_closed(session, carla)
    answer = _answer(session, sender=_BEN, to=(to,), authentication=(("mx.halden.example", verdict),))
    assert (answer.conversation_id, answer.direction) == (c.id, direction)
    assert (c.status == Status.OPEN) is (direction == "in")
    assert c.waiting_since == (answer.received_at if direction == "in" else None)


def test_an_untrusted_server_cannot_deny_a_mail_in_sent(cast: Cast, session: Session, carla: Actor) -> None:
    c = _asked_and_closed(session, carla)
    told = {"sender": _HELP, "to": (_MIA,), "authentication": (("mx.list.example", "fail"),)}
    _answer(session, folder="Sent", **told)
    _answer(session, **told)
    assert (c.status, c.waiting_since, c.message_count) == (Status.CLOSED, None, 2)


@pytest.mark.parametrize("sender", [_BEN, _HELP, ("Help", "help+shop@halden.example")])
def test_a_members_mail_to_the_team_about_a_customer_reopens(
    cast: Cast, session: Session, carla: Actor, sender: tuple[str, str]
) -> None:
    """It answers the customer's mail without being addressed to the customer, so anyone may have written it."""
    c = _asked_and_closed(session, carla)
    assert _answer(session, sender=sender, to=(_HELP,)).direction == "in"
    assert c.status == Status.OPEN


# lists and groups ------------------------------------------------------------------------------------------------

_TALK, _GROUP = "talk@lists.example", ("Support", "support@halden.example")


@pytest.mark.parametrize(
    "told",
    [
        {"sender": ("'Ben' via Talk", _TALK), "reply_to": (_BEN,)},  # Google, with X-Original-From
        {"sender": ("'Ben' via Talk", _TALK), "reply_to": (_BEN, ("Talk", _TALK))},
        {"sender": ("Ben via Talk", _TALK), "reply_to": (("Talk", _TALK),), "cc": (_MIA, _BEN)},  # Mailman
        {"sender": ("Ben via Talk", _TALK), "reply_to": (_BEN,), "cc": (_MIA,)},
        {"sender": ("ben über Talk", _TALK), "reply_to": (), "cc": (_MIA, ("", "ben@halden.example"))},
        {"sender": ("ben at halden.example via Talk", _TALK), "cc": (("", "ben@halden.example"),)},
        {"sender": ("Ben via groups.io", "ben=halden.example@groups.io")},
        {"sender": ("Ben via Talk", "ben=40halden.example@dmarc.lists.example")},
        {"sender": ("Talk", _TALK), "reply_to": (_BEN,), "machine": "list"},
        {"sender": ("Help via Talk", _TALK), "reply_to": (_HELP,), "to": (_MIA,), "cc": (("", _TALK),)},
        {"sender": ("'Help' via Support", "support@halden.example"), "reply_to": (_HELP,), "to": (_MIA,)},
        {"sender": ("Help via Support", "support@halden.example"), "reply_to": (_GROUP,), "cc": (_HELP, _MIA)},
        {"sender": ("Ben via Help", "help@halden.example"), "reply_to": (_HELP,), "cc": (_BEN, _MIA)},
    ],
)
@pytest.mark.parametrize("alias", [True, False])
def test_our_answer_that_comes_back_through_a_list_opens_nothing(
    cast: Cast, session: Session, carla: Actor, told: dict[str, Any], alias: bool
) -> None:
    """Before its copy in Sent arrives, which is then the same message."""
    mailbox(session).change_other_addresses([_GROUP[1]] if alias else [], by=COMMAND)
    fields: dict[str, Any] = {"to": (("", _TALK),), "date": _AT, "text": "It is on its way."} | told
    author = _HELP if fields["sender"][0].startswith(("Help via", "'Help'")) else _BEN
    asked = arrival(mailbox(session), message_id=_QUESTION, to=(("", _TALK), ("", _HELP[1])))
    [first] = arrive(session, asked)
    c = session.get_one(Conversation, first.conversation_id)
    c.close(by=carla)
    answer = _answer(session, **fields, identity=b"list")
    assert (answer.conversation_id, answer.direction, answer.own_address) == (c.id, "out", False)
    assert (c.status, c.waiting_since) == (Status.CLOSED, None)
    _answer(session, folder="Sent", sender=author, to=fields["to"], text=fields["text"], date=_AT, identity=b"sent")
    assert (c.status, c.waiting_since, c.message_count) == (Status.CLOSED, None, 2)


def test_the_author_of_a_mail_to_a_list_with_a_copy_to_themselves_is_not_the_list(cast: Cast, session: Session) -> None:
    told = {"sender": _BEN, "reply_to": (("Talk", _TALK),), "to": (("", _TALK),), "cc": (_BEN,), "machine": "list"}
    assert _answer(session, **told).from_address == _BEN[1]


@pytest.mark.parametrize(
    "told",
    [
        {"sender": ("'Mia' via Support", _GROUP[1]), "reply_to": (_MIA,)},
        {"sender": ("Mia via Support", _GROUP[1]), "reply_to": (_GROUP,), "cc": (_MIA,)},
        {"sender": ("Mia via Support", _GROUP[1]), "reply_to": (_MIA, _GROUP)},
        {"sender": ("Mia via Support", _GROUP[1]), "cc": (("", "mia@customer.example"),)},
        {"sender": ("Mia via Help", _HELP[1]), "reply_to": (_HELP,), "cc": (_BEN, _MIA)},
        {"sender": ("Support", _GROUP[1]), "reply_to": (_MIA,), "machine": "list"},
    ],
)
@pytest.mark.parametrize("alias", [True, False])
def test_a_customer_whom_our_own_group_rewrote_is_heard(
    cast: Cast, session: Session, carla: Actor, told: dict[str, Any], alias: bool
) -> None:
    mailbox(session).change_other_addresses([_GROUP[1]] if alias else [], by=COMMAND)
    c = _asked_and_closed(session, carla)
    mail = _answer(session, **{"to": ((told["sender"]),)} | told)
    assert (mail.conversation_id, mail.direction, mail.own_address) == (c.id, "in", False)
    assert (mail.from_name or "Mia", mail.from_address) == _MIA
    assert (c.status, c.waiting_since) == (Status.OPEN, mail.received_at)


def test_a_mail_through_our_own_group_reopens_although_its_author_is_unknown(
    cast: Cast, session: Session, carla: Actor
) -> None:
    mailbox(session).change_other_addresses([_GROUP[1]], by=COMMAND)
    c = _asked_and_closed(session, carla)
    mail = _answer(session, sender=("Mia via Support", _GROUP[1]), to=(_GROUP, _MIA), reply_to=(_GROUP,))
    assert (mail.direction, c.status) == ("in", Status.OPEN)


def test_a_customer_on_a_list_with_our_reply_to_is_not_a_member(cast: Cast, session: Session, carla: Actor) -> None:
    c = _asked_and_closed(session, carla)
    mail = _answer(session, sender=_MIA, to=(("", _TALK),), reply_to=(_HELP,), machine="list")
    assert (mail.direction, c.status) == ("in", Status.OPEN)


def test_a_server_that_vouches_for_a_list_does_not_vouch_for_the_author_it_names(
    cast: Cast, session: Session, carla: Actor
) -> None:
    mailbox(session).trust_servers("mx.halden.example", by=COMMAND)
    c = _asked_and_closed(session, carla)
    told = {"sender": ("Carla via Talk", "x@evil.example"), "reply_to": (("", "carla@halden.example"),)}
    mail = _answer(session, to=(_HELP,), authentication=(("mx.halden.example", "pass"),), **told)
    assert (mail.direction, mail.authentication, c.status) == ("in", "none", Status.OPEN)
