"""All marks of one mail together, and the account page: accessible in both themes, and nothing is cut off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app import db
from app.clock import now
from app.inbox.actor import COMMAND, web
from app.inbox.arriving.arrival import File
from app.inbox.conversations.tag import make_tag
from app.inbox.people.token import make_token
from tests import cast as stage
from tests.browser.conftest import House, sign_in
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser

#: Widths of a desktop and of a phone, each in both themes and languages.
LOOKS = [(1440, "light", "en-GB"), (1440, "dark", "es-ES"), (390, "light", "es-ES"), (390, "dark", "en-GB")]
LONG_NAME = "Ben Okafor of the Department for Scales and Weights in Northern Europe"


@pytest.fixture
def marked(house: House) -> int:
    """A conversation whose newest mail has every mark at once, from a sender with a long name."""
    program = "a-file-name-that-goes-on-for-the-whole-quarter-2026-final.pdf.exe"
    told: dict[str, Any] = {
        "sender": (LONG_NAME, "ben@halden.example"),
        "reply_to": (("A person with quite a long name", "somebody.else@a-rather-long-domain.example"),),
        "authentication": (("mx.example", "fail"),),
        "machine": "auto_reply",
        "machine_sign": "Auto-Submitted: auto-replied",
        "html": '<p>Look</p><img src="https://x.example/a.png" alt="A chart"><div class="gmail_quote">On Monday:'
        "<blockquote>long ago</blockquote></div>",
        "files": (File("2", program, "application/octet-stream", 9, "base64", None, False),),
        "unreadable": True,
        "truncated": True,
    }
    with db.transaction() as session:
        box, ben = stage.mailbox(session), web(stage.member(session, "ben"))
        box.trust_servers("mx.example", by=COMMAND)
        talk = stage.conversation(session, message_id="<1@x>", received_at=now() - dt.timedelta(hours=1))
        later = now() - dt.timedelta(minutes=9)
        stage.arrive(session, stage.arrival(box, references=("<1@x>",), received_at=later, **told))
        session.refresh(talk)
        for n in range(4):
            make_tag(session, box, f"a-long-tag-{n}", by=ben)
            talk.tag(f"a-long-tag-{n}", by=ben)
        return talk.id


@pytest.mark.parametrize(("width", "scheme", "locale"), LOOKS)
def test_a_mail_with_all_marks_is_accessible_and_cuts_none_of_them(
    house: House, marked: int, open_page: Callable[..., Page], width: int, scheme: str, locale: str
) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "locale": locale}
    page = open_page("carla", f"/conversations/{marked}?view=open", bypass_csp=True, reduced_motion="reduce", **options)
    mail = page.locator(".message", has_text=LONG_NAME).last
    expect(mail.locator(".message-from .tag")).to_have_count(2)
    for mark in mail.locator(".message-from .tag, .message-replies, .message-notice, .file-name span").all():
        assert _is_whole(mark) or "cut" in (mark.get_attribute("class") or ""), mark.inner_text()
    expect(mail.locator(".file-name")).to_contain_text(".exe")
    mail.locator(".message-mark > summary").click()
    expect(mail.locator("code")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1440, 1280, 390])
def test_the_marks_of_a_row_leave_its_owner_free(
    house: House, marked: int, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open", viewport={"width": width, "height": 844})
    row = page.locator(f"#row-{marked}")
    expect(row.locator(".conv-text .tag")).to_have_text(["Auto-reply", "a-long-tag-0", "+3"])
    last, foot = row.locator(".tag-more").bounding_box(), row.locator(".conv-foot").bounding_box()
    assert last is not None
    assert foot is not None
    assert last["x"] + last["width"] <= foot["x"]


@pytest.mark.parametrize(("width", "scheme", "locale"), LOOKS)
def test_the_account_page_is_accessible(
    house: House, open_page: Callable[..., Page], width: int, scheme: str, locale: str
) -> None:
    with db.transaction() as session:
        carla = stage.member(session, "carla")
        make_token(session, carla, by=web(carla), name="The program that counts the scales in the warehouse")
    options: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "locale": locale}
    page = open_page(None, "/sign-in", bypass_csp=True, reduced_motion="reduce", **options)
    sign_in(page, "carla")  # it is listed there
    page.goto("/account")
    expect(page.locator(".fact")).to_have_count(3)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _is_whole(mark: Locator) -> bool:
    """Whether all its words are inside it, and it is inside its mail."""
    return bool(
        mark.evaluate(
            """mark => {
                const box = mark.getBoundingClientRect(), card = mark.closest(".message").getBoundingClientRect();
                return mark.scrollWidth <= Math.ceil(box.width) && box.left >= card.left && box.right <= card.right;
            }"""
        )
    )
