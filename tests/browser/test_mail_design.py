"""Mail in a real Chromium: what readers see in both themes, and that hostile mail can do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from app import db
from app.mail.safe_html import clean
from tests import cast as stage
from tests.mail.test_safe_html import HOSTILE, HOSTILE_DESIGNS

#: The lowest contrast (WCAG 2) between a text and its background, over all texts of a page.
LOWEST_CONTRAST = """
() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((x) => x / 255)
    .map((x) => (x <= 0.04 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, at) => sum + x * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.5) return colour;
    }
    return parts(parent.getComputedStyle(parent.document.body).backgroundColor);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = 21;
  while (texts.nextNode()) {
    if (!texts.currentNode.data.trim() || !texts.currentNode.parentElement.checkVisibility()) continue;
    const element = texts.currentNode.parentElement;
    const pair = [light(parts(getComputedStyle(element).color)), light(behind(element))];
    lowest = Math.min(lowest, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
  }
  return lowest;
}
"""

READABLE = {
    "plain": "<p>Hello</p><blockquote>quoted</blockquote><a href='https://a.example/'>link</a>",
    "dark body": '<body bgcolor="#1c1c28"><p style="color:#fff">Alarm</p></body>',
    "dark body by style sheet": "<style>body{background:#101020;color:#fff}</style><p>Alarm</p>",
    "background picture": '<div style="background:url(https://x.example/a.jpg);color:#fff"><h1>Sale</h1></div>',
    "colour behind a picture": '<td><div style="background:#222 url(https://x.example/a.jpg);color:#fff">Sale</div>',
    "rule too intricate": "<style>a + p{background:#000}</style><a>x</a><p style='color:white'>Sale</p>",
    "only text colour": '<p style="color:#333">Hello</p>',
    "Outlook": '<style>p.MsoNormal{margin:0cm;color:windowtext}</style><p class=MsoNormal>Hello</p>',
    "only alternative text": '<p><img src="https://x.example/a.png" alt="Your parcel arrives on 3 December"></p>',
    "white table": '<body bgcolor="#f4f4f4"><table bgcolor="#ffffff"><tr><td>Hello</td></tr></table></body>',
}  # fmt: skip


def _look_at(page: Page, html: str) -> FrameLocator:
    """The frame of a mail with this HTML, once its height is measured."""
    with db.transaction() as session:
        talk = stage.conversation(session, html=html).id
    page.goto(f"/conversations/{talk}")
    expect(page.locator(".message-frame")).to_have_attribute("style", re.compile("height"))
    return page.frame_locator(".message-frame")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mail_can_be_read_in_both_themes(open_page: Callable[..., Page], scheme: str) -> None:
    page = open_page("carla", "/", color_scheme=scheme)
    for name, html in READABLE.items():
        frame = _look_at(page, html)
        expect(frame.locator("html")).to_have_class(re.compile("dark|paper" if scheme == "dark" else "light|paper"))
        assert frame.locator("body").evaluate(LOWEST_CONTRAST) > 4, name


def test_a_dark_page_fills_its_frame(open_page: Callable[..., Page]) -> None:
    page = open_page("carla", "/")
    frame = _look_at(page, '<body bgcolor="#1c1c28"><p style="color:#fff">Alarm</p></body>')
    box, outer = frame.locator(".sb-page").bounding_box(), page.locator(".message-frame").bounding_box()
    assert box is not None
    assert outer is not None
    assert abs(box["width"] - outer["width"]) <= 1
    assert abs(box["height"] - outer["height"]) <= 1


def test_lines_of_outlook_stand_close_together(open_page: Callable[..., Page]) -> None:
    page = open_page("carla", "/")
    lines = "".join(f"<p class=MsoNormal>line {number}</p>" for number in range(2))
    for sheet in ("<style>p.MsoNormal{margin:0cm;margin-bottom:.0001pt}</style>", ""):
        frame = _look_at(page, f"{sheet}<div>{lines}</div>")
        first, second = (frame.locator("p").nth(number).bounding_box() for number in range(2))
        assert first is not None
        assert second is not None
        assert second["y"] - first["y"] < 30


@pytest.mark.parametrize(("width", "fits"), [(600, True), (3000, False)])
def test_a_newsletter_is_made_to_fit_on_a_phone_unless_it_became_too_small(
    open_page: Callable[..., Page], width: int, fits: bool
) -> None:
    page = open_page("carla", "/", viewport={"width": 390, "height": 844})
    table = f'<table width="100%" bgcolor="#1c1c28"><tr><td><div style="width:{width}px">Hello</div></td></tr></table>'
    frame = _look_at(page, f'<body bgcolor="#1c1c28">{table}</body>')
    box, outer = frame.locator("div > table").bounding_box(), page.locator(".message-frame").bounding_box()
    assert box is not None
    assert outer is not None
    assert (box["x"] + box["width"] <= outer["x"] + outer["width"]) is fits
    expect(frame.locator("html")).to_have_css("background-color", "rgb(28, 28, 40)")


def test_a_mail_a_million_pixels_high_scrolls_in_its_frame(open_page: Callable[..., Page]) -> None:
    page = open_page("carla", "/")
    frame = _look_at(page, '<div style="height:999999px">top</div><p>end</p>')
    box = page.locator(".message-frame").bounding_box()
    assert box is not None
    assert box["height"] <= 30_000
    frame.get_by_text("end").scroll_into_view_if_needed()
    expect(frame.get_by_text("end")).to_be_in_viewport()


def test_cleaned_html_does_nothing_even_where_scripts_may_run(chromium: Browser) -> None:
    """A page without any policy: cleaning alone is sufficient. Twice, because a second parsing may differ."""
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))  # an unanswered one blocks the page
    page.set_content("<div id=mail></div>")
    for html in [*HOSTILE, *HOSTILE_DESIGNS]:
        page.evaluate("html => { mail.innerHTML = html; mail.innerHTML = mail.innerHTML; }", clean(html, {}))
        page.evaluate(
            """() => { for (const element of mail.querySelectorAll("*"))
                 for (const kind of ["click", "focus", "mouseover", "toggle", "load", "error"])
                   if (!element.href) element.dispatchEvent(new Event(kind)); }"""
        )
        assert page.locator("script, form, meta, base, link, iframe, object, embed, svg, math, style").count() == 0
        assert page.evaluate("[...mail.querySelectorAll('*')].every(e => getComputedStyle(e).position === 'static')")
    assert asked == []
    page.close()
