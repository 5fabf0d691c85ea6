"""The page that asks for the password again, and the notices about access, in a real browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.people.session import SignedIn
from tests.browser.conftest import House
from tests.browser.test_pages import violations
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_an_administrator_reads_notices_and_confirms_by_keys_alone(
    house: House, open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    page = open_page(
        *("ana", "/admin/people", "/admin/people/new$"),
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    with transaction() as session:
        session.execute(update(SignedIn).values(proved_at=now() - dt.timedelta(hours=1)))
        team.add_member(session, "puppet", "Puppet of a very long name indeed", "p@halden.example", by=COMMAND)
    page.goto("/admin/people/new")
    notices = page.get_by_role("region", name="Access to mail has changed")
    expect(notices).to_contain_text("added Puppet of a very long name indeed")
    _is_fine(page, width)
    notices.get_by_role("button", name="Got it").press("Enter")
    expect(notices).to_have_count(0)
    page.get_by_label("Name", exact=True).fill("Zoe Quist")
    page.get_by_label("Email").fill("zoe@halden.example")
    page.keyboard.press("Enter")
    for password in ("a guess", PASSWORD):
        expect(page.get_by_label("Password of Ana")).to_be_focused()
        expect(page.get_by_text("This is not your current password.")).to_have_count(int(password == PASSWORD))
        expect(page.get_by_role("link", name="Cancel")).to_have_attribute("href", "/admin/people/new")
        _is_fine(page, width)
        page.keyboard.type(password)
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("A link for Zoe")


def _is_fine(page: Page, width: int) -> None:
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
