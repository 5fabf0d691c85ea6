"""A mail server that fails for a while, and mails that it does not deliver: afterwards each mail is there once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from app.db import transaction
from app.inbox.arriving.deferral import Deferral, ask_again
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.conversations.note import Note
from app.inbox.errors import NotAllowed
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.mail.child import MailParser
from app.mail.errors import Refused, Unavailable, refusal
from app.mail.probe import probe
from app.sync.compare.drift import drift
from local.dovecot import LocalDovecot
from tests.cast import Cast, acting
from tests.dovecot import Account, fresh_account, mail
from tests.faults.ways import through
from tests.proxy import NEW_KEYWORDS, Proxy, proxied
from tests.sync.stage import Stage, config, connected, conversation

#: Real servers' words for temporary failures.
UNWELL = {
    "unavailable": b"NO [UNAVAILABLE] UID FETCH Server error - Please try again later",
    "serverbug": b"NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
    "in use": b"NO [INUSE] Mailbox is locked",
    "limit": b"NO [LIMIT] Too many commands",
    "throttled": b"BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
    "tempfail": b"NO TEMPFAIL",
    "later": b"NO System Error, try again later",
    "busy": b"BAD Server is too busy",
}
#: A pattern for each command of a round, an import or the probe.
COMMANDS = {
    "SELECT": rb"SELECT|EXAMINE",
    "SEARCH": rb"UID SEARCH",
    "sizes": rb"UID FETCH \S+ \(UID RFC822.SIZE\)",
    "bodies": rb"UID FETCH .*BODY",
    "flags": rb"UID FETCH \S+ \(UID FLAGS",
    "STORE": rb"UID STORE",
    "MOVE": rb"UID MOVE",
    "LIST": rb"LIST",
    "every command": rb"(UID|SELECT|EXAMINE|LIST|APPEND|CREATE)\b",
}


@pytest.fixture
def proxy(sdbox_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(sdbox_server.port) as proxy:
        yield proxy


@pytest.fixture
def account(proxy: Proxy, sdbox_server: LocalDovecot) -> Account:
    return through(fresh_account(sdbox_server), proxy.port)


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def due(stage: Stage, *, since: dt.timedelta = dt.timedelta()) -> None:
    """Every waiting mail is due; the server has refused it for this long."""
    with transaction() as session:
        at = dt.datetime.now(dt.UTC)
        session.execute(update(Deferral).values(next_at=at, first_at=at - since))


def how(stage: Stage) -> health.Health:
    with transaction() as session:
        return health.health(session, session.get_one(Mailbox, stage.mailbox_id))


def subjects(stage: Stage) -> list[str]:
    with transaction() as session:
        return sorted(session.scalars(select(Message.subject).where(Message.mailbox_id == stage.mailbox_id)))


def body_of(uid: int) -> bytes:
    """The pattern of a command that fetches only this mail."""
    return rb"UID FETCH %d .*BODY" % uid


def well_again(stage: Stage) -> None:
    """As if an administrator had it tried at once."""
    with transaction() as session:
        session.execute(update(Mailbox).values(failures=0, next_try_at=None))
    stage.round()
    stage.round()


# the server -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", UNWELL.values(), ids=UNWELL)
def test_a_temporary_failure_is_distinguished_from_a_refusal(said: bytes) -> None:
    error = refusal("search", said.partition(b" ")[2].decode())
    assert isinstance(error, Unavailable)
    assert str(error).startswith("The mail server cannot search at the moment: ")


@pytest.mark.parametrize(
    "said",
    [
        "[NOPERM] Permission denied",
        "[CANNOT] Invalid name, try again",
        "Command Argument Error. 11",
        "",
        "No such folder",
    ],
)
def test_a_refusal_for_good_is_a_refusal(said: str) -> None:
    assert type(refusal("search", said)) is Refused


@pytest.mark.parametrize("said", [UNWELL["unavailable"], UNWELL["throttled"], b"NO Nothing doing", b"BAD"])
def test_bodies_refused_for_a_while_in_a_first_import_make_nothing_blank(
    stage: Stage, proxy: Proxy, said: bytes
) -> None:
    for number in range(5):
        stage.account.append(mail(f"No {number}"))
    proxy.refuse({COMMANDS["bodies"]: said})
    for _ in range(2):
        stage.service().once(10)
        assert subjects(stage) == []
    assert how(stage).error
    proxy.refuse({})
    well_again(stage)
    assert subjects(stage) == [f"No {number}" for number in range(5)]
    assert (how(stage).unreadable, how(stage).missing, how(stage).deferred, how(stage).error) == (0, 0, 0, None)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_running_mailbox_takes_no_harm_from_a_server_that_is_unwell(
    stage: Stage, proxy: Proxy, command: bytes
) -> None:
    for number in range(4):
        stage.account.append(mail(f"No {number}"))
    stage.round()
    stage.account.append(mail("New"))
    stage.account.add_flags(stage.uid(4), "\\Flagged")
    stage.act(1, Conversation.claim)
    stage.act(2, Conversation.mark_spam)
    for said in UNWELL.values():
        proxy.refuse({command: said})
        stage.service().once(10)
    proxy.refuse({})
    well_again(stage)
    assert subjects(stage) == ["New", "No 0", "No 1", "No 2", "No 3"]
    now = how(stage)
    assert (now.unreadable, now.missing, now.waiting_push, now.refused, now.error) == (0, 0, 0, 0, None)
    assert "assigned-carla" in stage.shown(1)
    assert "$Junk" in stage.shown(2, "Junk")
    with transaction() as session:
        assert conversation(session, 4).starred


def test_health_says_that_the_server_is_unwell_and_the_next_try_waits(stage: Stage, proxy: Proxy) -> None:
    stage.account.append(mail())
    proxy.refuse({COMMANDS["every command"]: UNWELL["unavailable"]})
    assert "cannot" in (stage.service().once(10) or "")
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        assert (mailbox.error_code, mailbox.failures) == ("unavailable", 1)
        assert mailbox.next_try_at is not None
        assert "Please try again later" in (mailbox.error_text or "")


def test_one_folder_that_is_unwell_stops_no_other(stage: Stage, proxy: Proxy) -> None:
    stage.round()
    proxy.refuse({rb'SELECT "Archive"': UNWELL["serverbug"]})
    for number in range(3):
        stage.account.append(mail(f"No {number}"))
        stage.round()
        assert len(subjects(stage)) == number + 1
    assert how(stage).refused_folders == ["Archive"]
    proxy.refuse({})
    stage.round()
    assert how(stage).refused_folders == []


@pytest.mark.parametrize("command", [rb"APPEND", rb"UID STORE", rb"UID FETCH", rb"UID MOVE", rb"LIST"])
def test_the_probe_reports_nothing_about_a_server_that_is_unwell(
    account: Account, proxy: Proxy, command: bytes
) -> None:
    proxy.refuse({command: UNWELL["throttled"]})
    with pytest.raises(Unavailable):
        probe(account.server)
    proxy.refuse({})
    assert probe(account.server).mode == "keywords"


# single mails ---------------------------------------------------------------------------------------------------------


def refused_alone(stage: Stage, proxy: Proxy, **letter: str) -> int:
    """A mail that the server does not deliver, between two that it delivers. Returns its UID."""
    stage.account.append(mail("Before"))
    uid = stage.account.append(mail("Damaged", **letter))
    stage.account.append(mail("After"))
    proxy.refuse({rb"UID FETCH \d+:\d+ .*BODY": b"NO Some messages could not be read", body_of(uid): b"NO Damaged"})
    return uid


@pytest.mark.parametrize("first", [True, False], ids=["in a first import", "in a running mailbox"])
def test_a_mail_refused_alone_is_asked_for_again_and_stops_nobody(stage: Stage, proxy: Proxy, first: bool) -> None:
    if not first:
        stage.round()
    refused_alone(stage, proxy)
    stage.round()
    stage.round()
    assert subjects(stage) == ["After", "Before"]
    assert (how(stage).deferred, how(stage).missing, how(stage).unreadable) == (1, 1, 0)
    proxy.refuse({})
    stage.round()
    assert subjects(stage) == ["After", "Before"], "its time has not come"
    due(stage)
    stage.round()
    assert subjects(stage) == ["After", "Before", "Damaged"]
    assert (how(stage).deferred, how(stage).missing, how(stage).unreadable) == (0, 0, 0)


def test_a_mail_refused_for_days_is_listed_and_read_when_it_comes(stage: Stage, proxy: Proxy) -> None:
    stage.account.append(mail("Question", message_id="<q@x>"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.round()
    refused_alone(stage, proxy, references="<q@x>")
    stage.round()
    due(stage, since=dt.timedelta(days=4))
    stage.round()
    assert (how(stage).deferred, how(stage).missing, how(stage).unreadable) == (0, 0, 1)
    with transaction() as session:
        blank = session.scalars(select(Message).where(Message.unreadable)).one()
        id_, number = blank.id, blank.conversation.number
        assert blank.subject == ""
    stage.act(number, Conversation.add_note, "What is this?")
    due(stage)
    stage.round()
    assert how(stage).unreadable == 1, "the server still refuses it"
    proxy.refuse({})
    due(stage)
    stage.round()
    assert (how(stage).unreadable, how(stage).missing) == (0, 0)
    with transaction() as session:
        message = session.get_one(Message, id_)
        here = conversation(session, 1)
        assert (message.subject, message.conversation.id) == ("Damaged", here.id)
        assert message.body is not None
        assert message.body.text.strip() == "Hi there"
        assert (here.owner, here.status) == ("carla", "open")
        assert [note.text for note in session.scalars(select(Note).filter_by(conversation_id=here.id))]
        assert session.scalar(select(func.count()).select_from(Deferral)) == 0


def test_a_mail_that_was_never_read_and_is_moved_by_a_client_keeps_its_conversation(stage: Stage, proxy: Proxy) -> None:
    uid = refused_alone(stage, proxy)
    stage.round()
    due(stage, since=dt.timedelta(days=4))
    stage.round()
    with transaction() as session:
        blank = session.scalars(select(Message).where(Message.unreadable)).one()
        number, id_ = blank.conversation.number, blank.id
    stage.act(number, Conversation.claim)
    proxy.refuse({})
    stage.account.move(uid, "Archive")
    stage.round()
    with transaction() as session:
        assert conversation(session, number).owner == "carla"
        assert session.get_one(Message, id_).subject == "Damaged"
    assert subjects(stage) == ["After", "Before", "Damaged"]


def test_a_refused_mail_that_is_deleted_is_waited_for_no_longer(stage: Stage, proxy: Proxy) -> None:
    uid = refused_alone(stage, proxy)
    stage.round()
    stage.account.expunge(uid)
    stage.round()
    assert (how(stage).deferred, how(stage).missing) == (0, 0)


def test_managers_can_have_unreadable_mails_read_again(stage: Stage, proxy: Proxy) -> None:
    refused_alone(stage, proxy)
    stage.round()
    proxy.refuse({})
    with transaction() as session, pytest.raises(NotAllowed):
        ask_again(session.get_one(Mailbox, stage.mailbox_id), by=acting(session, "carla"))
    with transaction() as session:
        ask_again(session.get_one(Mailbox, stage.mailbox_id), by=acting(session, "ben"))
    stage.round()
    assert subjects(stage) == ["After", "Before", "Damaged"]


# folders that may not be written --------------------------------------------------------------------------------------


def test_a_folder_that_keeps_no_keywords_is_not_written_and_gets_them_when_it_may(stage: Stage, proxy: Proxy) -> None:
    stage.account.append(mail())
    stage.round()
    proxy.hides = frozenset({NEW_KEYWORDS})
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.star)
    for _ in range(4):
        stage.round()
    assert stage.shown() == {"\\Flagged"}, "the star may still be written"
    assert (how(stage).waiting_push, how(stage).refused) == (0, 0)
    assert "INBOX" in how(stage).unwritable_folders
    assert drift(stage.mailbox_id, private_key=config().seal_key).lines == [], "what cannot be kept is no difference"
    stage.account.add_flags(stage.uid(), "state-pending")
    [line] = drift(stage.mailbox_id, private_key=config().seal_key).lines
    assert (line.what, line.sides) == ("status", ("server",)), "ours cannot be written there"
    stage.account.remove_flags(stage.uid(), "state-pending")
    proxy.hides = frozenset()
    stage.round()
    assert stage.shown() == {"\\Flagged", "assigned-carla"}
    assert how(stage).unwritable_folders == []


# keywords lost after a move -------------------------------------------------------------------------------------------


def test_names_forgotten_a_moment_after_a_move_are_written_again_where_keywords_do_not_travel(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        mailbox.report = {**mailbox.report, "capabilities": {"keywords_travel": False}}
    stage.account.move(stage.uid(), "Archive")
    stage.pull()
    stage.account.remove_flags(stage.uid(folder="Archive"), "assigned-carla", folder="Archive")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).owner == "carla"
    assert stage.shown(folder="Archive") == {"assigned-carla"}
    stage.round()
    stage.round()
    stage.account.remove_flags(stage.uid(folder="Archive"), "assigned-carla", folder="Archive")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).owner is None, "later it is somebody's act"
