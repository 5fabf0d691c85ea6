"""Connecting a mailbox on the pages: what they guess, refuse, seal and show. tests/worker/test_attempts.py tests the
worker's part, and tests/browser the whole journey."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import db
from app.inbox.admin.attempt import Attempt, AttemptStage, FoundFolder
from app.inbox.history.event import Event
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.providers import guess
from app.inbox.permission import Role
from tests import cast as stage
from tests.cast import Cast
from tests.conftest import Clock
from tests.web.conftest import Browser

SECRET = "the mailbox’s own password"
FORM: dict[str, Any] = {
    "imap_host": "imap.halden.example",
    "imap_port": "993",
    "imap_security": "tls",
    "imap_user": "sales",
    "imap_password": SECRET,
}
REPORT = {
    "ok": True,
    "mode": "keywords",
    "capabilities": {"qresync": True, "move": True, "idle": True, "notify": False},
    "warnings": ["read_only:Archive", "left_behind:signalbox-probe-a"],
    "smtp": None,
    "authserv_ids": ["mx.halden.example"],
}
FOUND = [
    FoundFolder("INBOX", "inbox", 1200, 1, 1201, 7, younger={"365": 700, "30": 40}),
    FoundFolder("Sent", "sent", 300, 1, 301, 7, younger={"365": 200, "30": 10}),
    FoundFolder("Projects", None, 5, 1, 6, 7),
    FoundFolder("Shared", None),
]


@pytest.fixture
def ana(browser: Callable[[str], Browser]) -> Browser:
    return browser("ana")


def ask(ana: Browser, **told: Any) -> str:
    """Ana submits an account. Returns the address of the next page."""
    answer = ana.submit("/admin/connect/sign-in?address=sales@halden.example", **(FORM | told))
    assert answer.status_code == 302, answer.text
    return str(answer.location)


def importing(choice: str = "since", **told: Any) -> dict[str, Any]:
    return {"import": choice, **told}


def attempt() -> Attempt:
    with db.transaction() as session:
        return session.scalars(select(Attempt)).one()


def worker_says(what: Callable[[Attempt], None]) -> None:
    with db.transaction() as session:
        what(session.scalars(select(Attempt)).one())


def refused(server: str, code: str) -> Callable[[Attempt], None]:
    return lambda tried: tried.note_failed(server, code, "What the worker <said>.")


def found(tried: Attempt) -> None:
    tried.note_found(REPORT, FOUND, 24)


@pytest.mark.parametrize(
    ("address", "imap", "smtp", "note"),
    [
        ("team@gmail.com", ("imap.gmail.com", 993, "tls"), ("smtp.gmail.com", 465, "tls"), "app_password"),
        (
            "Team@Outlook.com",
            ("outlook.office365.com", 993, "tls"),
            ("smtp.office365.com", 587, "starttls"),
            "no_password",
        ),
        ("team@proton.me", ("127.0.0.1", 1143, "starttls"), ("127.0.0.1", 1025, "starttls"), "bridge"),
        ("help@halden.example", ("imap.halden.example", 993, "tls"), None, ""),
        ("help@box.test", ("127.0.0.1", 143, "none"), None, ""),
    ],
)
def test_servers_are_guessed_from_the_address(address: str, imap: object, smtp: object, note: str) -> None:
    told = guess(address)
    assert (told.imap, told.smtp, told.note) == (imap, smtp, note)


def test_the_form_shows_the_guess_and_its_note(ana: Browser) -> None:
    page = ana.page("/admin/connect/sign-in?address=team@gmail.com")
    assert 'value="imap.gmail.com"' in page
    assert "Create an app password" in page
    assert "no longer accepts passwords from programs" in ana.page("/admin/connect/sign-in?address=a@outlook.com")


def test_an_invalid_address_or_name_is_refused_at_once(ana: Browser) -> None:
    cases: list[tuple[Any, ...]] = [
        ("address=sales", "“sales” is not an email address."),
        ("address=support@halden.example&name=support", "A mailbox named “support” already exists."),
    ]
    for asked, told in cases:
        answer = ana.get(f"/admin/connect/sign-in?{asked}")
        assert answer.status_code == 422
        assert told in answer.text


def test_each_wrong_input_is_one_line_at_its_field(ana: Browser) -> None:
    cases: list[tuple[Any, ...]] = [
        ({"imap_host": "imap halden"}, "“imap halden” is not a server name."),
        ({"imap_host": ""}, "“” is not a server name."),
        ({"imap_port": "99999"}, "“99999” is not a port"),
        ({"imap_port": "٣"}, "is not a port. Enter a number from 1 to 65535."),
        ({"imap_security": "none"}, "Without encryption others could read the password."),
        ({"imap_security": "maybe"}, "“maybe” is not one of the choices."),
        ({"imap_user": ""}, "Enter the user name for the mail server."),
        ({"imap_user": "a\r\nb"}, "This is not a valid user name for a mail server."),
        ({"imap_password": ""}, "Enter the password"),
        ({"imap_ca": "no PEM"}, "This is not a PEM certificate"),
        ({"smtp_host": "smtp.halden.example", "smtp_port": "x"}, "“x” is not a port"),
    ]
    for wrong, told in cases:
        answer = ana.submit("/admin/connect/sign-in?address=sales@halden.example", **(FORM | wrong))
        assert answer.status_code == 422
        assert told in answer.text
        assert answer.text.count('role="alert"') == 1
        assert f'id="{list(wrong)[-1]}-error"' in answer.text
        assert SECRET not in answer.text
        with db.transaction() as session:
            assert session.scalars(select(Attempt)).all() == []


def test_an_attempt_is_sealed_and_waits_for_a_worker(ana: Browser, app: Flask) -> None:
    page = ana.page(ask(ana))
    assert "Testing the account" in page
    kept = attempt()
    assert (kept.name, kept.stage, kept.smtp_host) == ("Sales", AttemptStage.ASKED, None)
    assert SECRET.encode() not in kept.imap_secret


def test_the_page_asks_again_with_a_script_and_without(ana: Browser) -> None:
    page = ana.page(ask(ana))
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_a_refusal_leads_back_to_the_field_it_is_about(ana: Browser) -> None:
    address = ask(ana)
    worker_says(
        lambda tried: tried.note_failed("imap", "login_refused", "The mail server rejected this password for sales.")
    )
    assert ana.get(address).location == f"{address}/sign-in"
    fragment = ana.get(address, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (200, f"{address}/sign-in")
    page = ana.page(f"{address}/sign-in")
    assert 'id="imap_password-error"' in page
    assert "The server rejected this password for sales" in page
    assert 'value="imap.halden.example"' in page
    assert ana.submit(f"{address}/sign-in", **(FORM | {"imap_password": ""})).location == address  # the stored one
    assert attempt().stage == AttemptStage.ASKED


def test_every_failure_has_its_field(ana: Browser) -> None:
    cases: list[tuple[Any, ...]] = [
        ("imap", "unreachable", "imap_host"),
        ("imap", "untrusted", "imap_security"),
        ("imap", "secret", "imap_password"),
        ("imap", "broken", "imap_host"),
        ("smtp", "unreachable", "smtp_host"),
        ("smtp", "login_refused", "smtp_password"),
    ]
    for server, code, field in cases:
        address = ask(ana, smtp_host="smtp.halden.example", smtp_port="465", smtp_security="tls", smtp_user="sales")
        worker_says(refused(server, code))
        page = ana.page(f"{address}/sign-in")
        assert f'id="{field}-error"' in page
        assert "What the worker &lt;said&gt;." in page
        ana.submit(address, "DELETE")


def test_the_report_is_in_words_before_anything_is_kept(ana: Browser) -> None:
    address = ask(ana)
    worker_says(found)
    page = ana.page(address)
    can = ("Keeps keywords", "Lists changes (QRESYNC)", "No instant notice for other folders")
    for words in (*can, "Checks senders as mx.halden.example"):
        assert words in page
    assert "Cannot write to Archive" in page
    assert "The test folder signalbox-probe-a is still there" in page
    with db.transaction() as session:
        assert session.scalar(select(Mailbox).where(Mailbox.name == "Sales")) is None


def test_a_server_without_keywords_says_so_plainly(ana: Browser) -> None:
    address = ask(ana)
    report = {**REPORT, "mode": "database", "warnings": ["no_keywords", "no_uidplus"]}
    worker_says(lambda tried: tried.note_found(report, FOUND, 24))
    page = ana.page(address)
    assert "Does not keep keywords" in page
    assert "other mail clients do not see them" in page
    assert "Cannot remove single messages" in page


def test_a_step_waits_for_the_workers_result(ana: Browser) -> None:
    address = ask(ana)
    for step in ("folders", "import", "roles"):
        assert ana.get(f"{address}/{step}").location == address
    assert ana.submit(f"{address}/roles", time_zone="UTC").status_code == 404


def test_folders_are_chosen_by_their_role_and_the_inbox_stays(ana: Browser) -> None:
    address = ask(ana)
    worker_says(found)
    page = ana.page(f"{address}/folders")
    assert page.count(" checked") == 2
    assert "The server refuses to open this folder." in page
    for chosen, told in (
        (["Sent"], "The inbox must be watched"),
        (["INBOX", "Shared"], "The server has no folder “Shared”."),
    ):
        answer = ana.submit(f"{address}/folders", folder=chosen)
        assert (answer.status_code, told in answer.text) == (422, True)
    assert ana.submit(f"{address}/folders", folder=["INBOX", "Projects"]).location == f"{address}/import"
    assert attempt().watched == ["INBOX", "Projects"]


def test_an_import_is_chosen_by_counts(ana: Browser, clock: Clock) -> None:
    address = ask(ana)
    worker_says(found)
    page = ana.page(f"{address}/import")
    assert "1,500 emails" in page
    assert "1 year: 900 emails" in page
    assert "1 month: 1,450 older emails" in page
    wrong = ana.submit(f"{address}/import", **importing("some"))
    assert (wrong.status_code, "is not one of the choices." in wrong.text) == (422, True)
    assert ana.submit(f"{address}/import", **importing(since=365, close="")).status_code == 302
    kept = attempt()
    assert kept.import_since is not None
    assert (kept.import_since.date(), kept.close_older_than_days) == (clock.at.date() - dt.timedelta(days=365), None)


def test_an_import_begins_at_any_day_of_the_past(ana: Browser, clock: Clock) -> None:
    address = ask(ana)
    worker_says(found)
    tomorrow = (clock.at.date() + dt.timedelta(days=1)).isoformat()
    for told in ({"day": ""}, {"day": "no day"}, {"day": tomorrow}, {"day": "0001-01-01"}):
        wrong = ana.submit(f"{address}/import", **importing("day", **told))
        assert (wrong.status_code, "Choose a day in the past." in wrong.text) == (422, True), told
    for days in ("", "9" * 12):
        assert ana.submit(f"{address}/import", **importing("since", since=days)).status_code == 422
    assert ana.submit(f"{address}/import", **importing("day", day="2025-03-02")).status_code == 302
    kept = attempt()
    assert (kept.import_choice, kept.import_since) == ("since", dt.datetime(2025, 3, 2, tzinfo=dt.UTC))
    assert 'name="day" value="2025-03-02"' in ana.page(f"{address}/import")


def test_start_makes_the_mailbox_with_its_roles_and_forgets_the_attempt(ana: Browser, cast: Cast) -> None:
    address = ask(ana)
    worker_says(found)
    ana.submit(f"{address}/import", **importing("new", close=30))
    roles: dict[str, Any] = {f"role-{cast.ana}": "manager", f"role-{cast.carla}": "agent", f"role-{cast.dora}": ""}
    answer = ana.submit(f"{address}/roles", time_zone="Europe/Madrid", **roles)
    with db.transaction() as session:
        box = stage.mailbox(session, "Sales")
        assert answer.location == f"/admin/mailboxes/{box.id}"
        assert (box.import_choice, box.close_older_than_days, box.time_zone) == ("new", 30, "Europe/Madrid")
        assert [stage.member(session, name).role_on(box.id) for name in ("ana", "carla", "dora", "ben")] == [
            Role.MANAGER,
            Role.AGENT,
            None,
            None,
        ]
        told = session.scalars(select(Event).where(Event.mailbox_id == box.id).order_by(Event.id)).all()
        assert [(event.kind, event.member_id) for event in told] == [
            ("mailbox added", cast.ana),
            ("granted", cast.ana),
            ("granted", cast.ana),
        ]
        assert session.scalars(select(Attempt)).all() == []
    assert ana.get(address).status_code == 404
    page = ana.page(f"/admin/mailboxes/{box.id}")
    assert "Sales is connected." in page
    assert "Importing, newest mail first" in page


def test_a_name_taken_in_the_meantime_is_reported_at_the_end(ana: Browser) -> None:
    address = ask(ana)
    worker_says(found)
    with db.transaction() as session:
        stage.add_mailbox(session, "Sales", "other@halden.example")
    answer = ana.submit(f"{address}/roles", time_zone="UTC")
    assert (answer.status_code, "A mailbox named" in answer.text) == (422, True)


def test_giving_up_forgets_the_password_at_once(ana: Browser) -> None:
    address = ask(ana)
    assert ana.submit(address, "DELETE").location == "/admin/mailboxes"
    with db.transaction() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_nobody_else_sees_an_administrators_attempt(ana: Browser, browser: Callable[[str], Browser]) -> None:
    address = ask(ana)
    with db.transaction() as session:
        stage.member(session, "ben").is_admin = True
    assert browser("ben").get(address).status_code == 404


def test_an_attempt_left_alone_for_15_minutes_is_erased(ana: Browser, clock: Clock) -> None:
    address = ask(ana)
    clock.pass_(minutes=16)
    assert ana.get(address).status_code == 404


def test_a_connected_mailbox_takes_other_servers_only_after_they_were_tried(ana: Browser, cast: Cast) -> None:
    page = ana.page(f"/admin/mailboxes/{cast.support}/servers")
    assert 'value="127.0.0.1"' in page
    refused = ana.submit(f"/admin/mailboxes/{cast.support}/servers", **(FORM | {"imap_password": ""}))
    assert (refused.status_code, 'id="imap_password-error"' in refused.text) == (422, True)
    address = str(ana.submit(f"/admin/mailboxes/{cast.support}/servers", **FORM).location)
    assert ana.submit(f"{address}/keep").status_code == 404  # no worker has tested it
    worker_says(found)
    assert "Use these servers" in ana.page(address)
    assert ana.submit(f"{address}/keep").location == f"/admin/mailboxes/{cast.support}"
    with db.transaction() as session:
        box = session.get_one(Mailbox, cast.support)
        assert (box.imap_host, box.name) == ("imap.halden.example", "Support")
        last = session.scalars(select(Event).where(Event.mailbox_id == box.id).order_by(Event.id.desc())).first()
        assert last is not None
        assert (last.kind, last.after) == ("mailbox changed", {"changed": ["servers"]})


def test_a_mailbox_whose_state_is_on_the_server_moves_to_none_that_keeps_no_keywords_before_it_is_kept_here(
    ana: Browser, cast: Cast
) -> None:
    address = str(ana.submit(f"/admin/mailboxes/{cast.support}/servers", **FORM).location)
    worker_says(lambda tried: tried.note_found({**REPORT, "mode": "database"}, FOUND, 24))
    answer = ana.submit(f"{address}/keep")
    assert (answer.status_code, "First set the mailbox to keep its state in Signalbox only" in answer.text) == (
        422,
        True,
    )
    with db.transaction() as session:
        assert session.get_one(Mailbox, cast.support).imap_host == "127.0.0.1"
    ana.submit(f"/admin/mailboxes/{cast.support}/mode", mode="database")
    assert ana.submit(f"{address}/keep").status_code == 302
    with db.transaction() as session:
        assert session.get_one(Mailbox, cast.support).imap_host == "imap.halden.example"
