"""Mail of machines on real pages: marked in the list and in the mail, accessible, at every width."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import db
from app.clock import now
from app.inbox.actor import web
from app.inbox.arriving.arrival import File
from app.inbox.conversations.message import MACHINES
from tests import cast as stage
from tests.browser.conftest import House
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser

_SIGNS = {
    "auto_reply": "Auto-Submitted: auto-replied",
    "bounce": "Content-Type: multipart/report; report-type=delivery-status",
    "generated": "X-Zendesk-Email-Id: 01KCQ8Z7",
    "list": "List-Post: <mailto:scales@lists.example>",
}
_FAILURE = {
    "address": "a.rather.long.name.of.somebody@department.customer.example",
    "status": "5.1.1",
    "reason": "The email account that you tried to reach does not exist. Please try double-checking the address",
    "delayed": False,
    "others": 2,
}


@pytest.fixture
def talks(house: House) -> dict[str, int]:
    """A closed conversation for each kind; a machine of that kind wrote its newest mail."""
    ids = {}
    report = File("2", "attachment", "message/delivery-status", 108, "7bit", None, False)
    with db.transaction() as session:
        ben, box = web(stage.member(session, "ben")), stage.mailbox(session)
        for n, kind in enumerate(MACHINES):
            at = now() - dt.timedelta(hours=n + 1)
            talk = stage.conversation(session, message_id=f"<{kind}@x>", received_at=at, subject=f"Order {4711 + n}")
            told: dict[str, Any] = {"machine": kind, "machine_sign": _SIGNS.get(kind, "")}
            if kind == "bounce":
                told |= {"undelivered": _FAILURE, "files": (report,)}
            later = at + dt.timedelta(minutes=9)
            stage.arrive(session, stage.arrival(box, references=(f"<{kind}@x>",), received_at=later, **told))
            session.refresh(talk)
            talk.close(by=ben)
            ids[kind] = talk.id
    return ids


@pytest.mark.parametrize(
    ("width", "scheme", "locale"),
    [(1440, "light", "en-GB"), (1440, "dark", "es-ES"), (390, "light", "es-ES"), (390, "dark", "en-GB")],
)
def test_marks_are_accessible_and_fit_everywhere(
    house: House, talks: dict[str, int], open_page: Callable[..., Page], width: int, scheme: str, locale: str
) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "locale": locale}
    page = open_page("carla", f"/m/{house.cast.support}/closed", bypass_csp=True, reduced_motion="reduce", **options)
    expect(page.locator("#rows .tag-machine")).to_have_count(len(MACHINES))
    assert violations(page) == []
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=f"{shots}/list-{width}-{scheme}.png")
    for kind in ("bounce", "generated"):
        page.goto(f"/conversations/{talks[kind]}?view=closed")
        mark = page.locator(".message:not(.message-group) > .message-mark").last
        mark.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(mark.locator("code")).to_have_text(_SIGNS[kind])
        expect(mark.locator("code")).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if shots:
            page.screenshot(path=f"{shots}/{kind}-{width}-{scheme}.png")


def test_a_bounce_says_whom_it_did_not_reach_and_lists_no_report_as_a_file(
    house: House, talks: dict[str, int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/conversations/{talks['bounce']}?view=closed")
    expect(page.get_by_text(f"Not delivered to {_FAILURE['address']}")).to_be_visible()
    expect(page.get_by_text("5.1.1 The email account")).to_be_visible()
    expect(page.get_by_text("(and 2 more recipients)")).to_be_visible()
    expect(page.locator(".file")).to_have_count(0)
    expect(page.locator(f"#row-{talks['bounce']} .bi-paperclip")).to_have_count(0)
