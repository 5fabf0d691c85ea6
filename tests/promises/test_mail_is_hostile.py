"""Promise: mail is hostile. Nothing in a message runs, loads, leaves its frame, or keeps the machine busy.

tests/mail/test_safe_html.py tests what cleaning removes, case by case. Here we test a member's browser, and that mail
made to be slow is handled fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from app.db import transaction
from app.mail.flowed import unwrapped
from app.mail.html import text_from_html
from app.mail.quotes import fold_text
from app.mail.shown import shown_body
from app.web.conversation.thread import paragraphs
from tests.browser.conftest import house, open_page, web
from tests.cast import Cast
from tests.dovecot import Account
from tests.promises.test_no_mail_is_lost import Connect, connect, parser
from tests.sync.stage import items
from tests.web.conftest import new_conversation

__all__ = ["connect", "house", "open_page", "parser", "web"]

#: Processor seconds that are more than enough; each of these mails once took from ten seconds to hours.
SOON = 10
LONG = 200_000

HOSTILE = """
<p id="words">Read this.</p>
<script>document.title = "taken"; parent.document.title = "taken"</script>
<img src="x" onerror="parent.document.title = 'taken'">
<img src="https://tracker.example/pixel.png"><img src="http://tracker.example/pixel.png">
<link rel="stylesheet" href="https://tracker.example/x.css">
<style>@import "https://tracker.example/x.css"; body { position: fixed; inset: 0 }</style>
<div style="background:url(https://tracker.example/b.png);position:fixed;inset:0;z-index:99">cover</div>
<iframe src="https://tracker.example/"></iframe><object data="https://tracker.example/"></object>
<form action="https://tracker.example/"><input name="password"><button>Sign in again</button></form>
<meta http-equiv="refresh" content="0;url=https://tracker.example/">
<a href="javascript:parent.document.title='taken'">press</a> <a target="_top" href="https://shop.example/">shop</a>
"""

SLOW_HTML = {
    "tags": "<img " * (LONG // 5),
    "spaces": "<img src=" + " " * LONG,
    "nested": "<div>" * 20_000,
    "lists": "<ul><li>" * 20_000,
    "styles": "".join(f"<b id={number}>" for number in range(20_000)) + "<p>x" * 20_000,
    "attributes": "<div " + " ".join(f"a{number}" for number in range(200_000)) + ">",
    "attributes without spaces": "<div " + "".join(f"a{number}=''" for number in range(100_000)) + ">",
    "references": "&" * 2_000_000,
}
SLOW_TEXT = {
    "attributions": "On " * (LONG // 3),
    "attributions, a line each": "On \n" * (LONG // 4),
    "a rule and lines": "words\n" + "_" * 20 + "\n" * LONG,
    "dashes": "words\n" + "-" * LONG,
    "quotes": "words\n" + "> \n" * (LONG // 3),
    "header blocks": "x\n\n" + "From: a@x.example\nSent: 3 May 2026 10:00\n\n" * (LONG // 40),
    "introductions": "x\n\n" + "On 3 May 2026 10:00 Ana <a@x.example> wrote:\n> a\n\nb\n" * (LONG // 50),
    "a line that ends in a colon": "x\n" + "a" * LONG + ":\n> a",
    "names": "x\n" + "From:\n" * (LONG // 6),
    "signatures": "x\n-- \n" * (LONG // 6),
    "addresses": "https://" * (LONG // 8),
}


def _processor_seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


@pytest.mark.parametrize("name", SLOW_HTML)
def test_html_made_to_be_slow_is_soon_done_with(name: str) -> None:
    html = SLOW_HTML[name]

    def look() -> None:
        text_from_html(html)
        shown_body("", html, {})

    assert _processor_seconds(look) < SOON


@pytest.mark.parametrize("name", SLOW_TEXT)
def test_text_made_to_be_slow_is_soon_done_with(name: str) -> None:
    text = SLOW_TEXT[name]
    assert _processor_seconds(lambda: fold_text(text)) < SOON
    assert _processor_seconds(lambda: paragraphs(text)) < SOON


def test_a_long_paragraph_of_wrapped_lines_is_soon_joined() -> None:
    wrapped = "a \n" * 10 * LONG
    for delsp in (False, True):
        assert _processor_seconds(partial(unwrapped, wrapped, delsp=delsp)) < SOON


@pytest.mark.browser
def test_nothing_in_a_mail_runs_fetches_or_leaves_its_frame(open_page: Callable[..., Page]) -> None:
    talk = new_conversation(html=HOSTILE)
    page = open_page("carla", "/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/conversations/{talk}")
    frame = page.frame_locator("iframe.message-frame")
    expect(frame.locator("#words, p").first).to_have_text("Read this.")
    page.wait_for_load_state("networkidle")
    assert "taken" not in page.title()
    assert [url for url in asked if "example" in url] == []
    assert frame.locator("form, input, iframe, object, script, [onerror]").count() == 0
    box = page.locator("iframe.message-frame").bounding_box()
    cover = frame.get_by_text("cover").bounding_box()
    assert box is not None
    assert cover is not None
    assert cover["y"] > box["y"] + 20  # it is after the words, where it was written
    assert {link.get_attribute("target") for link in frame.locator("a").all()} == {"_blank"}


def test_the_sync_goes_on_after_mails_made_to_stop_it(account: Account, connect: Connect, cast: Cast) -> None:
    slow = [*SLOW_HTML.values(), HOSTILE]
    for number, html in enumerate(slow):
        head = f"From: x@evil.example\r\nSubject: slow {number}\r\nMessage-ID: <{number}@evil.example>\r\n"
        account.append((head + "Content-Type: text/html\r\n\r\n" + html).encode())
    account.append(b"From: mia@customer.example\r\nSubject: A question\r\nMessage-ID: <q@c.example>\r\n\r\nHello\r\n")
    with connect() as stage:
        stage.round()
        with transaction() as session:
            subjects = {item.subject for item in items(session)}
    assert "A question" in subjects
    assert len(subjects) == len(slow) + 1
