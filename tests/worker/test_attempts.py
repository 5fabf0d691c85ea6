"""The worker tests attempts on a real server: what it finds, refuses, and leaves behind."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.actor import web
from app.inbox.admin import attempt as attempts
from app.inbox.admin.attempt import Attempt, AttemptStage, change_servers, find_attempt, start
from app.inbox.errors import Invalid, NotFound
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.servers import ServersForm
from app.inbox.permission import Role
from app.inbox.server.retrying import limit_keywords
from app.queue import leased, take
from app.secrets import seal, unseal
from app.worker.jobs.attempts import try_attempts
from tests.cast import Cast, member
from tests.conftest import Clock
from tests.dovecot import PASSWORD, Account, mail
from tests.sync.stage import KEY


def sealed(password: str) -> bytes:
    return seal(password, bytes(KEY.public_key))


def opened(secret: bytes) -> str:
    return unseal(secret, bytes(KEY))


def asked(account: Account, **told: str) -> ServersForm:
    server = account.server
    return replace(ServersForm(server.host, str(server.port), "none", server.user, PASSWORD), **told)


def ask(account: Account, **told: str) -> int:
    """Ana submits the account. Returns the id of her attempt."""
    with transaction() as session:
        ana = member(session, "ana")
        attempt = Attempt(member_id=ana.id, name="Sales", address="sales@halden.example")
        attempt.set_servers(asked(account, **told), seal=sealed, kept=None)
        session.add(attempt)
        session.flush()
        attempt.ask(by=web(ana))
        return attempt.id


def tried(id_: int) -> Attempt:
    """The attempt after the worker's test."""
    try_attempts(bytes(KEY))
    with transaction() as session:
        return session.get_one(Attempt, id_)


def started(id_: int, **chosen: object) -> Mailbox:
    with transaction() as session:
        ana = member(session, "ana")
        attempt = find_attempt(session, ana, id_, lock=True)
        for name, value in chosen.items():
            setattr(attempt, name, value)
        roles = {member(session, "carla").id: Role.AGENT}
        mailbox = start(session, attempt, time_zone="Europe/Madrid", roles=roles, by=web(ana))
        attempt.end()
        return mailbox


def test_the_servers_content_is_found_and_the_test_message_is_gone(any_account: Account, cast: Cast) -> None:
    any_account.append(mail("one"))
    any_account.append(mail("two"))
    any_account.create_folder("Projects")
    folders = any_account.folder_names()
    attempt = tried(ask(any_account))
    assert (attempt.stage, attempt.report["mode"], attempt.report["warnings"]) == (AttemptStage.FOUND, "keywords", [])
    found = {folder.name: folder for folder in attempt.folders}
    assert (found["INBOX"].exists, found["INBOX"].since(7), found["Projects"].exists) == (2, 2, 0)
    assert set(attempt.watched) == {
        f.name for f in attempt.folders if f.role in ("inbox", "sent", "junk", "trash", "archive")
    }
    assert any_account.folder_names() == folders
    assert len(any_account.uids()) == 2
    with transaction() as session:
        assert session.scalar(select(Mailbox).where(Mailbox.name == "Sales")) is None


def test_old_mail_is_counted_by_its_age(account: Account, cast: Cast) -> None:
    with account.open() as imap:
        for days in (1, 10, 400, 800):
            imap.append("INBOX", mail(f"{days}"), (), now() - dt.timedelta(days=days))
    inbox = next(folder for folder in tried(ask(account)).folders if folder.is_inbox)
    assert [inbox.since(days) for days in (7, 14, 365, 730, 1825)] == [1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("wrong", "server", "code"),
    [
        ({"imap_password": "wrong"}, "imap", "login_refused"),
        ({"imap_port": "1"}, "imap", "unreachable"),
        ({"imap_security": "tls"}, "imap", "unreachable"),
        ({"smtp_host": "127.0.0.1", "smtp_port": "1"}, "smtp", "unreachable"),
    ],
)
def test_a_failure_is_reported_and_nothing_is_saved(
    account: Account, cast: Cast, wrong: dict[str, str], server: str, code: str
) -> None:
    attempt = tried(ask(account, **wrong))
    assert (attempt.stage, attempt.error_server, attempt.error_code) == (AttemptStage.FAILED, server, code)
    with pytest.raises(NotFound):
        started(attempt.id)


def test_a_password_sealed_for_another_key_is_reported(account: Account, cast: Cast) -> None:
    id_ = ask(account)
    with transaction() as session:
        session.get_one(Attempt, id_).imap_secret = b"nothing that could be opened"
    assert tried(id_).error_code == "secret"


def test_the_mailbox_is_created_as_tested_and_chosen(account: Account, cast: Cast) -> None:
    account.append(mail("before"))
    mailbox = started(tried(ask(account)).id, import_choice="new")
    with transaction() as session:
        box = session.get_one(Mailbox, mailbox.id)
        inbox = box.folder("inbox")
        assert inbox is not None
        assert (inbox.left_out, inbox.start_uid, box.time_zone) == (1, 2, "Europe/Madrid")
        assert box.password("imap", opened) == PASSWORD
        assert member(session, "carla").role_on(box.id) == Role.AGENT
        assert member(session, "ana").role_on(box.id) is None
        assert session.scalars(select(Attempt)).all() == []
        report = box.report
    assert {"name": "INBOX", "role": "inbox", "watched": True, "keywords": []} in report["folders"]


def test_a_new_password_is_tried_before_the_mailbox_takes_it(account: Account, cast: Cast) -> None:
    mailbox = started(tried(ask(account)).id)
    with transaction() as session:
        ana = member(session, "ana")
        box = session.get_one(Mailbox, mailbox.id)
        box.failing_since, box.error_code = now(), "login_refused"
        limit_keywords(box, None, by=web(ana))
        attempt = Attempt(member_id=ana.id, mailbox_id=box.id, name=box.name, address=box.address)
        attempt.set_servers(asked(account, imap_password=""), seal=sealed, kept=box)
        session.add(attempt)
        session.flush()
        attempt.ask(by=web(ana))
    assert tried(attempt.id).stage == AttemptStage.FOUND
    with transaction() as session:
        ana = member(session, "ana")
        change_servers(session, find_attempt(session, ana, attempt.id), by=web(ana))
    with transaction() as session:
        box = session.get_one(Mailbox, mailbox.id)
        assert (box.failing_since, box.error_code) == (None, None)
        assert box.keyword_limit is None  # the same server, so the known limit stays
        assert box.password("imap", opened) == PASSWORD


@pytest.mark.parametrize("port", ["", "0", "65536", "000001443000", "143x", "１４３"])
def test_an_invalid_port_is_refused(account: Account, cast: Cast, port: str) -> None:
    attempt = Attempt(member_id=cast.ana, name="Sales", address="sales@halden.example")
    with pytest.raises(Invalid) as refused:
        attempt.set_servers(asked(account, imap_port=port), seal=sealed, kept=None)
    assert str(refused.value) == f"“{port}” is not a port. Enter a number from 1 to 65535."
    assert refused.value.field == "imap_port"


def test_the_administrator_gets_an_answer_even_if_our_code_fails(
    account: Account, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(server: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.sync.connect.probe", fail)
    attempt = tried(ask(account))
    assert (attempt.stage, attempt.error_code) == (AttemptStage.FAILED, "internal")


def test_a_password_that_is_kept_goes_to_no_other_server(account: Account, cast: Cast) -> None:
    mailbox = started(tried(ask(account)).id)
    for elsewhere in ({"imap_port": "9"}, {"imap_user": "other"}, {"imap_host": "localhost"}):
        attempt = Attempt(member_id=cast.ana, mailbox_id=mailbox.id, name="Sales", address=mailbox.address)
        with pytest.raises(Invalid) as refused:
            attempt.set_servers(asked(account, imap_password="", **elsewhere), seal=sealed, kept=mailbox)
        assert refused.value.field == "imap_password"


def test_an_attempt_enqueued_again_is_tested_again(account: Account, cast: Cast) -> None:
    id_ = ask(account)
    with transaction() as session:
        first = take(session, Attempt)
    assert first is not None
    with transaction() as session:
        ana = member(session, "ana")
        find_attempt(session, ana, id_, lock=True).ask(by=web(ana))
        assert leased(session, first) is None
    assert tried(id_).stage == AttemptStage.FOUND


def test_a_worker_that_died_over_it_is_followed_by_another(account: Account, cast: Cast, clock: Clock) -> None:
    id_ = ask(account)
    with transaction() as session:
        assert take(session, Attempt) is not None
        assert take(session, Attempt) is None
    clock.pass_(minutes=4)
    assert tried(id_).stage == AttemptStage.FOUND


def test_an_attempt_that_nobody_continues_is_erased(account: Account, cast: Cast, clock: Clock) -> None:
    id_ = ask(account)
    clock.pass_(minutes=16)
    assert tried(id_).stage == AttemptStage.FAILED  # no worker tests it any longer
    with transaction() as session:
        with pytest.raises(NotFound):
            find_attempt(session, member(session, "ana"), id_)
        attempts.forget_old(session)
        assert session.get(Attempt, id_) is None


def test_an_attempt_is_its_own_administrators(account: Account, cast: Cast) -> None:
    id_ = ask(account)
    with transaction() as session, pytest.raises(NotFound):
        find_attempt(session, member(session, "ben"), id_)
