"""The pages in a real browser: accessible in both themes, all keys work, no mail runs, and no script is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from app import db
from app.clock import now
from app.inbox.actor import mail_client, web
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.tag import make_tag
from tests import cast as stage
from tests.browser.conftest import NOWHERE, House
from tests.forked import PROJECT

pytestmark = pytest.mark.browser

AXE = PROJECT / "node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


@pytest.fixture
def talks(house: House) -> list[int]:
    """Conversations in every state that a page can show; the first one has all of it."""
    with db.transaction() as session:
        ben, carla, box = stage.member(session, "ben"), stage.member(session, "carla"), stage.mailbox(session)
        box.last_round_at = now()
        make_tag(session, box, "billing", by=web(ben))
        at = now() - dt.timedelta(hours=3)
        files = (File("2", "plan.pdf", "application/pdf", 12345, "base64", None, False),)
        first = stage.conversation(session, message_id="<1@x>", received_at=at, files=files)
        html = '<p>Thank you</p><div class="gmail_quote">On Monday:<blockquote>long ago</blockquote></div>'
        later = at + dt.timedelta(minutes=9)
        stage.arrive(session, stage.arrival(box, references=("<1@x>",), html=html, received_at=later))
        session.refresh(first)
        first.tag("billing", by=web(ben))
        first.claim(by=web(carla))
        first.add_note("@ben please look", by=web(carla))
        first.note_conflict("owner", "ben", by=mail_client(at))
        others = [stage.conversation(session, subject=f"Mail {n}", received_at=now()) for n in range(4)]
        others[0].assign_name("zoe", by=mail_client(None))
        others[1].close(by=web(ben))
        others[2].snooze(by=web(ben))
        return [first.id, *(talk.id for talk in others)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_are_accessible(
    house: House, talks: list[int], open_page: Callable[..., Page], scheme: str
) -> None:
    """axe-core, WCAG 2.2 A and AA. The page's own policy would refuse the foreign script, so it is disabled here."""
    page = open_page("carla", "/", color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    places = ["/preferences", NOWHERE, f"/m/{house.cast.support}/open", f"/m/{house.cast.support}/trash"]
    for path in [*places, f"/conversations/{talks[0]}?view=open"]:
        page.goto(path)
        assert violations(page) == [], path
    for key in ("a", "t", "z", "v", "?"):
        page.keyboard.press(key)
        assert violations(page) == [], key
        page.keyboard.press("Escape")


def test_the_sign_in_page_is_accessible(house: House, open_page: Callable[..., Page]) -> None:
    assert violations(open_page(None, "/sign-in", bypass_csp=True)) == []


@pytest.mark.parametrize("width", [1440, 1280, 900, 390])
def test_nothing_sticks_out_at_any_width(
    talks: list[int], house: House, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page("carla", "/", viewport={"width": width, "height": 844})
    for path in (f"/m/{house.cast.support}/open", f"/conversations/{talks[0]}?view=open", "/preferences"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_long_folder_name_leaves_its_button_in_sight(house: House, open_page: Callable[..., Page]) -> None:
    with db.transaction() as session:
        folders = {folder.name: folder for folder in stage.mailbox(session).folders}
        folders["Sent"].name = "Projects/" + "x" * 200
    page = open_page("ana", f"/admin/mailboxes/{house.cast.support}", viewport={"width": 1440, "height": 900})
    box = page.get_by_role("button", name="Stop watching Projects").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1440


def test_the_whole_triage_needs_only_keys(house: House, talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/unassigned")
    expect(page.locator("#rows .conv")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.locator("#state h1")).to_contain_text("Mail")
    page.keyboard.press("c")
    expect(page.locator("#history")).to_contain_text("Carla claimed this")
    expect(page.locator("#rows .conv")).to_have_count(1)
    page.keyboard.press("*")
    expect(page.locator("[aria-pressed=true]")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("All by keys")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note")).to_contain_text("All by keys")
    expect(page.locator("#note-text")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.type("billing")
    page.keyboard.press("Enter")
    expect(page.locator("#state .tag", has_text="billing")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#state .st-closed").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/closed")
    expect(page.locator("#rows .conv")).to_have_count(2)


def test_escape_shuts_a_menu_and_leaves_the_conversation_open(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/conversations/{talks[0]}?view=open")
    for key, menu in (("s", "status"), ("t", "tag"), ("v", "more")):
        page.keyboard.press(key)
        expect(page.locator(f"[data-menu={menu}] .menu-list")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(f"[data-menu={menu}] .menu-list")).to_be_hidden()
        expect(page.locator("#rows .conv.is-selected")).to_have_count(1)
        assert f"/conversations/{talks[0]}" in page.url
    page.keyboard.press("Escape")
    page.wait_for_url("**/open")


def test_a_conflict_is_seen_first_and_fits_in_spanish_too(talks: list[int], open_page: Callable[..., Page]) -> None:
    window = {"viewport": {"width": 1280, "height": 700}, "locale": "es-ES"}
    page = open_page("carla", f"/conversations/{talks[0]}?view=open", **window)
    take = page.get_by_role("button", name="Usar el valor del servidor")
    expect(take).to_be_in_viewport()
    assert page.locator("#conflict").evaluate("banner => banner.scrollWidth - banner.clientWidth") == 0


def test_three_quick_keys_open_the_third_conversation_however_slow_the_first(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open")
    first, _second, third = page.locator(".conv").evaluate_all("rows => rows.slice(0, 3).map(row => row.dataset.id)")
    slow: list[Route] = []
    page.route(f"**/conversations/{first}?*", lambda route: slow.append(route))
    for _ in range(3):
        page.keyboard.press("j")
    expect(page.locator("#open")).to_have_attribute("data-id", third)
    expect(page.locator(".conv.is-selected")).to_have_attribute("data-id", third)
    slow[0].abort()  # nobody waits for it, so its failure does not matter
    page.keyboard.press("c")
    expect(page.locator("#state")).to_contain_text("Carla")
    expect(page.locator("#open")).to_have_attribute("data-id", third)


def test_a_late_response_does_not_bring_back_a_conversation(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/conversations/{talks[1]}?view=open")
    slow: list[Route] = []
    page.route("**/notes?*", lambda route: slow.append(route))
    page.keyboard.press("n")
    page.keyboard.type("For this one")
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="Mail 3").click()
    expect(page.locator("#state h1")).to_have_text("Mail 3")
    page.locator("#note-text").fill("For the other")
    with page.expect_response("**/notes?*"):
        slow[0].continue_()
    page.go_back()
    expect(page.locator("#state h1")).to_have_text("Mail 0")
    expect(page.locator(".note")).to_contain_text("For this one")
    expect(page.locator("#note-text")).to_have_value("")
    page.go_forward()
    expect(page.locator("#state h1")).to_have_text("Mail 3")
    expect(page.locator("#note-text")).to_have_value("For the other")


def test_back_and_forward_reopen_earlier_conversations(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open")
    page.get_by_role("link", name="Mail 0").click()
    expect(page.locator("#state h1")).to_have_text("Mail 0")
    page.get_by_role("link", name="Mail 3").click()
    expect(page.locator("#state h1")).to_have_text("Mail 3")
    page.go_back()
    expect(page.locator("#state h1")).to_have_text("Mail 0")
    expect(page.locator(".conv.is-selected")).to_contain_text("Mail 0")
    page.reload()
    expect(page.locator("#state h1")).to_have_text("Mail 0")


def test_arrows_walk_through_the_list_and_scroll_the_mail_one_reads(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open", viewport={"width": 1440, "height": 420})
    rows = page.locator(".conv")
    for n in range(rows.count()):
        page.keyboard.press("ArrowDown")
        expect(rows.nth(n).get_by_role("link")).to_be_focused()
        expect(page.locator("#state h1")).to_have_text(rows.nth(n).locator(".conv-subject").inner_text())
    page.keyboard.press("Enter")
    thread = page.locator("#thread-scroll")
    expect(thread).to_be_focused()
    thread.evaluate("thread => { thread.scrollTop = 0 }")
    page.keyboard.press("ArrowDown")
    expect(thread).not_to_have_js_property("scrollTop", 0)
    expect(page.locator("#open")).to_have_attribute("data-id", str(talks[0]))


def test_the_quick_verbs_of_a_row_come_with_the_focus_too(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/unassigned")
    row = page.locator(".conv", has_text="Mail 3")
    expect(row.locator(".conv-acts")).to_have_css("opacity", "0")
    row.get_by_role("button", name="Claim").focus()
    expect(row.locator(".conv-acts")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False])
def test_the_verbs_of_each_row_reach_its_own_conversation(
    house: House, talks: list[int], open_page: Callable[..., Page], scripts: bool
) -> None:
    address = f"/m/{house.cast.support}/open"
    page = open_page("carla", address, java_script_enabled=scripts)
    for subject, verb, shown in (("Mail 3", "Claim", "claimed this"), ("Mail 0", "Close", "closed this")):
        page.goto(address)
        row = page.locator(".conv", has_text=subject)
        row.hover()
        row.get_by_role("button", name=verb).click()
        if scripts:  # the list stays
            expect(row.get_by_role("button", name=verb)).to_have_count(0)
            assert page.url.endswith(address)
            page.goto(f"/conversations/{talks[4] if subject == 'Mail 3' else talks[1]}")
        expect(page.locator("#open h1").first).to_have_text(subject)
        expect(page.locator("#history")).to_contain_text(f"Carla {shown}")


def test_a_verb_that_reaches_no_server_says_so(talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/conversations/{talks[4]}?view=open")
    page.context.set_offline(True)
    page.keyboard.press("e")
    expect(page.get_by_role("alert")).to_contain_text("Your change may not be saved")
    page.context.set_offline(False)
    page.keyboard.press("e")
    expect(page.locator("#state .st-closed").first).to_be_visible()


def test_news_do_not_load_a_mail_again_in_the_dark_theme(talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", "/", color_scheme="dark")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.count("/body") else None)
    page.goto(f"/conversations/{talks[0]}?view=open")
    expect(page.frame_locator(".message-frame").locator("html.dark")).to_have_class("dark measured")
    for words in ("Something new", "Something newer"):
        with db.transaction() as session:
            session.get_one(Conversation, talks[0]).add_note(words, by=web(stage.member(session, "ben")))
        expect(page.locator("#thread")).to_contain_text(words)
    assert [url.endswith("dark=1") for url in asked] == [False, True]


def test_two_seconds_of_looking_make_it_read(house: House, talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/open")
    row = page.locator(".conv", has_text="Mail 3")
    expect(row).to_have_class("conv is-unread")
    page.get_by_role("link", name="Mail 3").click()
    expect(row).to_have_class("conv is-selected")


def test_a_hostile_mail_runs_nothing_and_fetches_nothing(house: House, open_page: Callable[..., Page]) -> None:
    html = (
        "<p id=said>Hello</p><script>top.document.title='owned'</script><img src=x onerror=\"top.owned=1\">"
        '<img src="https://tracker.example/x.png"><a href="javascript:top.owned=1">link</a>'
        "<form action='https://evil.example'><button>go</button></form><style>@import 'https://evil.example/x'</style>"
    )
    with db.transaction() as session:
        talk = stage.conversation(session, html=html).id
    page = open_page("carla", "/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/conversations/{talk}")
    frame = page.frame_locator(".message-frame")
    expect(frame.get_by_text("Hello")).to_be_visible()
    frame.get_by_text("link").click()
    page.keyboard.press("s")  # sent after the click: by then the link has taken effect
    expect(page.locator("[data-menu=status] .menu-list")).to_be_visible()
    assert page.evaluate("window.owned") is None
    assert "owned" not in page.title()
    assert all(url.startswith(house.address) for url in asked)


def test_the_frame_is_as_high_as_its_mail_and_a_quote_unfolds(talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/conversations/{talks[0]}?view=open")
    frame = page.locator(".message-frame")
    expect(page.frame_locator(".message-frame").get_by_text("Thank you")).to_be_visible()
    page.wait_for_function("document.querySelector('.message-frame').style.height !== ''")
    before = frame.bounding_box()
    page.frame_locator(".message-frame").locator("summary").click()
    expect(page.frame_locator(".message-frame").get_by_text("long ago")).to_be_visible()
    page.wait_for_function(
        "height => document.querySelector('.message-frame').offsetHeight > height", arg=before and before["height"]
    )


def test_without_a_script_everything_works_as_forms_go(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{house.cast.support}/unassigned", java_script_enabled=False)
    page.get_by_role("link", name="Mail 3").click()
    page.locator("[data-menu=owner] > summary").click()
    page.get_by_role("button", name="Claim").last.click()
    expect(page.locator("#history")).to_contain_text("Carla claimed this")
    page.locator("[data-menu=status] > summary").click()
    page.get_by_role("button", name="Pending").click()
    expect(page.locator("#state .pill").first).to_contain_text("Pending")
    page.locator("#note-text").fill("By a form")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note")).to_contain_text("By a form")


def test_without_a_script_a_long_mail_scrolls_in_its_frame(talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/conversations/{talks[0]}?view=open", java_script_enabled=False)
    expect(page.frame_locator(".message-frame").locator("body")).to_have_css("overflow-y", "auto")
    box = page.locator(".message-frame").bounding_box()
    assert box is not None
    assert box["height"] > 400


def test_live_updates_do_not_move_the_text_being_read_or_typed(
    house: House, talks: list[int], open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/conversations/{talks[0]}?view=open")
    page.locator("#note-text").fill("Half a thought")
    page.locator("[data-menu=owner] > summary").click()
    with db.transaction() as session:
        session.get_one(Conversation, talks[0]).add_note("Something new", by=web(stage.member(session, "ben")))
    expect(page.locator("#thread")).to_contain_text("Something new")
    expect(page.locator("#note-text")).to_have_value("Half a thought")
    expect(page.locator("[data-menu=owner] .menu-list")).to_be_visible()


def test_on_a_phone_one_pane_is_shown_at_a_time(house: House, talks: list[int], open_page: Callable[..., Page]) -> None:
    page = open_page(
        "carla", f"/m/{house.cast.support}/open", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page.get_by_role("link", name="Mail 3").tap()
    expect(page.locator("#state h1")).to_be_visible()
    expect(page.locator("#thread-scroll")).to_be_focused()
    expect(page.locator("#list")).to_be_hidden()
    page.locator("[data-back]").tap()
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator("#state h1")).to_be_hidden()
    page.goto(f"/m/{house.cast.support}/trash")  # empty: the list shows a message over the whole width
    assert page.locator("#list").evaluate("list => list.offsetWidth") == 390


def violations(page: Page) -> list[str]:
    page.wait_for_function("document.getAnimations().length === 0")  # half-faded text has no contrast
    page.add_script_tag(path=Path(AXE))
    found = page.evaluate(f"axe.run(document, {{runOnly: {STANDARDS}}})")
    return [f"{v['id']}: {node['html'][:160]}" for v in found["violations"] for node in v["nodes"]]
