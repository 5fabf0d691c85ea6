"""Reading and answering a conversation: updates arrive, nothing happens twice or by accident, long texts leave room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import db
from app.clock import now
from app.inbox.actor import mail_client, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.tag import make_tag
from tests import cast as stage
from tests.browser.conftest import House

pytestmark = pytest.mark.browser

_ITEM = ":is(a, button, input:not([type=hidden]))"


def talk(**told: Any) -> int:
    with db.transaction() as session:
        stage.mailbox(session).last_round_at = now()
        return stage.conversation(session, **{"received_at": now(), **told}).id


@pytest.fixture
def long_talk(house: House) -> int:
    """120 unread mails."""
    with db.transaction() as session:
        box, began = stage.mailbox(session), now() - dt.timedelta(days=120)
        box.last_round_at = now()
        mails = [
            stage.arrival(
                box,
                message_id=f"<{n}@x>",
                references=("<0@x>",) if n else (),
                received_at=began + dt.timedelta(days=n),
                text=f"This is mail {n}.\n" + "It has some lines.\n" * 8,
            )
            for n in range(120)
        ]
        return stage.arrive(session, *mails)[0].conversation_id


@pytest.mark.parametrize("way", ["key", "enter", "click"])
def test_news_reach_the_open_thread_whatever_has_the_focus(
    house: House, open_page: Callable[..., Page], way: str
) -> None:
    id_ = talk(message_id="<first@x>")
    page = open_page("carla", f"/m/{house.cast.support}/open")
    link = page.get_by_role("link", name="The scale shows nothing")
    if way == "click":
        link.click()
    elif way == "enter":
        link.focus()
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("j")
    expect(page.locator("#thread-scroll")).to_be_focused()
    with db.transaction() as session:
        session.get_one(Conversation, id_).add_note("Ben is on it", by=web(stage.member(session, "ben")))
        box = stage.mailbox(session)
        stage.arrive(session, stage.arrival(box, references=("<first@x>",), text="It works again.", received_at=now()))
    expect(page.locator("#thread .note")).to_contain_text("Ben is on it")
    expect(page.locator("#thread > article.message").last).to_contain_text("It works again.")
    with db.transaction() as session:
        session.get_one(Conversation, id_).note_conflict("owner", "ben", by=mail_client(now()))
    expect(page.locator("#conflict")).to_be_visible()


def test_a_note_sent_twice_is_one_note(house: House, open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/conversations/{talk()}?view=open")
    page.locator("#note-text").fill("Called her back")
    page.evaluate("for (const _ of [1, 2]) document.getElementById('note-form').requestSubmit()")
    expect(page.locator(".note")).to_have_count(1)
    expect(page.locator("#note-text")).to_have_value("")
    page.locator("#note-text").fill("Called her back")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note")).to_have_count(2)


def test_without_a_script_a_double_click_makes_one_note(house: House, open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/conversations/{talk()}?view=open", java_script_enabled=False)
    page.locator("#note-text").fill("Called her back")
    page.get_by_role("button", name="Add note").dblclick()
    page.wait_for_load_state()
    expect(page.locator(".note")).to_have_count(1)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_a_long_subject_and_many_tags_leave_room_for_the_mail(
    house: House, open_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    id_ = talk(subject="Re: " + "Überlänge " * 150 + "x" * 400)
    with db.transaction() as session:
        ben = stage.member(session, "ben")
        for n in range(60):
            make_tag(session, stage.mailbox(session), f"tag-number-{n}", by=web(ben))
            session.get_one(Conversation, id_).tag(f"tag-number-{n}", by=web(ben))
    page = open_page("carla", f"/conversations/{id_}?view=open", viewport={"width": size[0], "height": size[1]})
    box = page.locator("#thread-scroll").bounding_box()
    assert box is not None
    assert box["height"] > size[1] / 4
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.locator(".reading-head").evaluate("head => head.scrollWidth - head.clientWidth") <= 0
    expect(page.locator(".message-body")).to_be_in_viewport()
    page.get_by_text("Show full subject").click()
    expect(page.locator(".subject-whole p")).to_be_visible()


def test_a_long_conversation_opens_at_its_newest_mail(
    house: House, long_talk: int, open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open")
    page.keyboard.press("j")
    expect(page.get_by_text("This is mail 119.")).to_be_in_viewport()
    page.reload()
    expect(page.get_by_text("This is mail 119.")).to_be_in_viewport()
    expect(page.get_by_text("This is mail 0.")).to_have_count(0)
    page.get_by_role("link", name="Show 70 earlier messages").click()
    expect(page.get_by_text("This is mail 0.").first).to_be_attached()
    with db.transaction() as session:
        session.get_one(Conversation, long_talk).add_note("Still all here", by=web(stage.member(session, "ben")))
    expect(page.locator("#thread .note")).to_contain_text("Still all here")
    expect(page.get_by_text("This is mail 0.").first).to_be_attached()


@pytest.mark.parametrize("key", ["a", "s", "z", "v"])
def test_enter_right_after_a_menu_opens_does_nothing(house: House, open_page: Callable[..., Page], key: str) -> None:
    id_ = talk()
    with db.transaction() as session:
        session.get_one(Conversation, id_).claim(by=web(stage.member(session, "carla")))
        revision = session.get_one(Conversation, id_).revision
    page = open_page("carla", f"/conversations/{id_}?view=open")
    page.keyboard.press(key)
    expect(page.locator("details.menu[open] .menu-list")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"details.menu[open] .menu-list {_ITEM}").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"details.menu[open] .menu-list {_ITEM}").last).to_be_focused()
    with db.transaction() as session:
        assert session.get_one(Conversation, id_).revision == revision


def test_the_tag_field_completes_and_keeps_a_refused_text(house: House, open_page: Callable[..., Page]) -> None:
    with db.transaction() as session:
        for name in ("prebilled", "billing", "urgent"):
            make_tag(session, stage.mailbox(session), name, by=web(stage.member(session, "ben")))
    page = open_page("carla", f"/conversations/{talk()}?view=open", refuses=r"/tags\?")
    page.keyboard.press("t")
    page.keyboard.type("bill")
    expect(page.locator("[data-name]:visible")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator("#state .tag", has_text="billing")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type("nobody-made-it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no tag")
    expect(page.locator("#tag-name")).to_be_focused()
    expect(page.locator("#tag-name")).to_have_value("nobody-made-it")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_the_tab_key_reaches_shows_that_it_has_the_focus(
    house: House, open_page: Callable[..., Page], scheme: str
) -> None:
    """WCAG 2.4.7. Its own ring, or one around its row or field."""
    page = open_page("carla", f"/conversations/{talk()}?view=open", color_scheme=scheme)
    without: set[str] = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        found = page.evaluate(_UNSEEN)
        if found == "left":
            break
        without |= {found} if found else set()
    assert without == set()
    page.goto("/preferences")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(_UNSEEN) in ("", "left")


#: The focused element as text if nothing shows the focus; "left" if the focus has left the page.
_UNSEEN = """() => {
    const rings = (element) => {
        const style = getComputedStyle(element)
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
        return outlined || style.boxShadow.includes("0px 0px 0px 1px")
    }
    const focused = document.activeElement
    if (focused === document.body || focused.tagName === "IFRAME") return focused === document.body ? "left" : ""
    for (let element = focused; element && element !== document.body; element = element.parentElement)
        if (rings(element)) return ""
    return focused.outerHTML.slice(0, 120)
}"""
