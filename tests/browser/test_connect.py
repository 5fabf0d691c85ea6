"""A team connects its own mailbox, with every real part: from the link that `make run` prints to the first answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.admin import invitation
from app.inbox.admin.attempt import Attempt, FoundFolder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.servers import ServersForm
from app.inbox.people.member import Member
from tests.browser.conftest import House, worker
from tests.browser.test_pages import violations
from tests.cast import PASSWORD, member
from tests.dovecot import PASSWORD as MAIL_PASSWORD
from tests.dovecot import Account, mail
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@pytest.fixture
def fresh(house: House, database: str, tmp_path: Path) -> Iterator[str]:
    """A web and a worker without an administrator; the link for the first one."""
    with transaction() as session:
        session.execute(update(Member).values(is_admin=False))
        session.execute(update(Mailbox).values(paused_at=now()))  # the cast's mailboxes have no servers
        key = invitation.invite_first(session, by=COMMAND)
    with worker(database, tmp_path):
        yield f"/welcome/{key}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_team_connects_its_own_mailbox(
    fresh: str, account: Account, open_page: Callable[..., Page], scripts: bool
) -> None:
    uid = account.append(mail("Where is my parcel?"))
    folders = account.folder_names()
    page = open_page(None, fresh, java_script_enabled=scripts)
    _make_an_account(page)
    page.fill("[name=address]", "sales@example.com")
    page.get_by_role("button", name="Continue").click()
    _sign_in(page, account, "not the password")
    expect(page.locator("#imap_password-error")).to_contain_text("The server rejected this password for")
    page.fill("[name=imap_password]", MAIL_PASSWORD)
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Keeps keywords").last).to_be_visible()
    page.get_by_role("link", name="Next: folders").click()
    expect(page.get_by_role("checkbox", name="INBOX")).to_be_checked()
    page.get_by_role("button", name="Next: import").click()
    expect(page.locator(".choice", has_text="Everything")).to_contain_text("1 email")
    if scripts:  # a click on the date also selects the choice
        page.fill("[name=day]", "2026-01-01")
        expect(page.get_by_role("radio", name="Mail since a date")).to_be_checked()
        page.get_by_role("radio", name="Everything").check()
    page.get_by_role("button", name="Next: roles").click()
    expect(page.get_by_label("Role of Zoe Prieto")).to_have_value("manager")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("In sync with the mail server.")).to_be_visible()
    assert (account.flags(uid), account.folder_names(), len(account.uids())) == (set(), folders, 1)
    page.get_by_role("link", name="Open the inbox").click()
    page.get_by_text("Where is my parcel?").click()
    expect(page.locator("#state h1")).to_have_text("Where is my parcel?")
    if scripts:
        page.keyboard.press("c")
    else:
        page.locator("[data-menu=owner] > summary").click()
        page.get_by_role("button", name="Claim").last.click()
    eventually(lambda: "assigned-zoe" in account.flags(uid))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_the_administration_are_accessible(
    house: House, open_page: Callable[..., Page], theme: str
) -> None:
    with transaction() as session:
        ana = member(session, "ana")
        ana.theme = theme
        attempt = Attempt(member_id=ana.id, name="Sales", address="sales@halden.example")
        attempt.set_servers(ServersForm("127.0.0.1", "143", "none", "sales", "secret"), seal=str.encode, kept=None)
        report: dict[str, Any] = {"mode": "keywords", "capabilities": {}, "warnings": ["left_behind:a"], "smtp": None}
        attempt.note_found(report, [FoundFolder("INBOX", "inbox", exists=3)], 24)
        session.add(attempt)
        session.flush()
        steps = [f"/admin/connect/{attempt.id}{step}" for step in ("", "/sign-in", "/folders", "/import", "/roles")]
        key = invitation.invite(session, member(session, "carla"), by=web(ana))
    box = f"/admin/mailboxes/{house.cast.support}"
    page = open_page("ana", "/admin/mailboxes", color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    people = ("/admin/people", "/admin/people/new", f"/admin/people/{house.cast.carla}")
    everywhere = ("/admin/mailboxes", box, f"{box}/settings", f"{box}/servers", *people, *steps, f"/welcome/{key}")
    for path in everywhere if theme == "light" else (box, *steps[:2]):  # dark differs only in colours
        page.goto(path)
        assert violations(page) == [], path


def test_nothing_is_wider_than_a_phone(house: House, open_page: Callable[..., Page]) -> None:
    page = open_page("ana", "/admin/mailboxes", viewport={"width": 390, "height": 844})
    box = f"/admin/mailboxes/{house.cast.support}"
    for path in ("/admin/mailboxes", box, f"{box}/servers", "/admin/people", "/admin/connect"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
        expect(page.get_by_role("link", name="People and roles").first).to_be_visible()


def _make_an_account(page: Page) -> None:
    for name, value in (("name", "Zoe Prieto"), ("email", "zoe@halden.example"), ("password", PASSWORD)):
        page.fill(f"[name={name}]", value)
    page.fill("[name=again]", PASSWORD)
    page.get_by_role("button", name="Create account").click()


def _sign_in(page: Page, account: Account, password: str) -> None:
    page.fill("[name=imap_host]", account.server.host)
    page.fill("[name=imap_port]", str(account.server.port))
    page.select_option("[name=imap_security]", "none")
    page.fill("[name=imap_user]", account.user)
    page.fill("[name=imap_password]", password)
    page.get_by_role("button", name="Test connection").click()
