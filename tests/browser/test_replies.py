"""Replies are written, guarded, sent and called back in the browser; the ledger is the SMTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from tests.dovecot import mail
from tests.ledger import CUT, Ledger, Taken, smtp_ledger
from tests.sync.stage import Stage
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@pytest.fixture
def ledger(stage: Stage) -> Iterator[Ledger]:
    """The mailbox can send, and has one conversation that Zoe began."""
    with smtp_ledger() as ledger:
        with transaction() as session:
            mailbox = session.get_one(Mailbox, stage.mailbox_id)
            mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security = "127.0.0.1", ledger.port, "none"
        stage.account.append(mail("Broken lamp", "It is dark here.\r\n", message_id="<lamp@customer.example>"))
        yield ledger


def open_lamp(page: Page) -> None:
    page.get_by_text("Broken lamp").first.click()
    expect(page.locator("#state h1")).to_have_text("Broken lamp")


def write(page: Page, words: str) -> None:
    """In the editor, once it has taken the place of the field."""
    page.keyboard.press("r")
    expect(page.locator("#reply-editor")).to_be_focused()
    page.keyboard.type(words)


def part_of(taken: Taken, kind: str) -> str:
    """The text of the mail, as `text/plain` or `text/html`."""
    mail = message_from_bytes(taken.raw, policy=default)
    part = mail.get_body([kind])
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def test_a_reply_is_written_sent_and_seen_by_everybody(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page]
) -> None:
    ben = open_page("ben", f"/m/{stage.mailbox_id}/open")
    open_lamp(ben)
    carla = open_page("carla", f"/m/{stage.mailbox_id}/open")
    open_lamp(carla)
    write(carla, "Which bulb")
    carla.keyboard.press("Control+b")
    carla.keyboard.type(" exactly?")
    expect(ben.locator(".composer-draft")).to_contain_text("Carla is writing a reply")
    carla.keyboard.press("Control+Enter")
    expect(carla.locator("article.reply")).to_contain_text("Sending")
    eventually(lambda: ledger.taken)
    for page in (carla, ben):
        expect(page.locator(".message.is-out")).to_contain_text("Shop")
    [taken] = ledger.taken
    assert b"In-Reply-To: <lamp@customer.example>\r\n" in taken.raw
    assert part_of(taken, "plain").startswith("Which bulb exactly?\n")
    assert "> It is dark here." in part_of(taken, "plain")
    assert "<strong> exactly?</strong>" in part_of(taken, "html")


def test_what_is_written_survives_leaving_and_can_be_discarded(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    open_lamp(page)
    write(page, "Half a thought")
    expect(page.locator(".composer-state")).to_contain_text("Draft saved")
    page.reload()
    page.keyboard.press("r")
    expect(page.locator("#reply-editor")).to_have_text("Half a thought")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#reply-form")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.locator("#reply-editor")).to_have_text("")
    assert not ledger.taken


def test_a_message_that_arrives_meanwhile_stops_the_reply_once(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{stage.mailbox_id}/open", refuses="/replies$")
    open_lamp(page)
    write(page, "Which bulb?")
    answer = mail("Re: Broken lamp", "It shines again!\r\n", references="<lamp@customer.example>")
    stage.account.append(answer)
    expect(page.locator("#thread")).to_contain_text("It shines again!")
    expect(page.locator("#reply-editor")).to_have_text("Which bulb?")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".composer-guard")).to_contain_text("It shines again!")
    page.get_by_role("button", name="Send anyway").click()
    eventually(lambda: ledger.taken)


def test_a_reply_can_be_called_back_and_a_failed_one_sent_again(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page]
) -> None:
    ledger.say("mail", "550 5.7.1 not from you")
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    open_lamp(page)
    write(page, "Which bulb?")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo and edit").click()
    expect(page.locator("article.reply")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.locator("#reply-editor")).to_have_text("Which bulb?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("article.reply")).to_contain_text("550 5.7.1 not from you")
    page.get_by_role("button", name="Send again").click()
    eventually(lambda: ledger.taken)
    assert len(ledger.taken) == 1


def test_a_reply_in_doubt_says_so(stage: Stage, ledger: Ledger, open_page: Callable[..., Page]) -> None:
    ledger.say("dot", CUT)
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    open_lamp(page)
    write(page, "Which bulb?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("article.reply")).to_contain_text("It may have been sent")


def test_files_and_pictures_go_with_a_reply(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    plan = tmp_path / "für Zoe.txt"
    plan.write_text("the plan")
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    open_lamp(page)
    write(page, "Here it is")
    page.locator("#reply-form input[type=file]").set_input_files([plan])
    expect(page.locator(".composer-file bdi")).to_have_text("für Zoe.txt")
    expect(page.locator(".composer-file progress")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    eventually(lambda: ledger.taken)
    names = [part.get_filename() for part in message_from_bytes(ledger.taken[0].raw).walk()]
    assert "für Zoe.txt" in names


def test_without_scripts_a_reply_is_sent_as_plain_text(
    stage: Stage, ledger: Ledger, open_page: Callable[..., Page]
) -> None:
    page = open_page("carla", f"/m/{stage.mailbox_id}/open", java_script_enabled=False)
    eventually(lambda: page.reload() and page.get_by_text("Broken lamp").count())
    page.get_by_text("Broken lamp").first.click()
    page.get_by_role("link", name="Reply").click()
    page.locator("#reply-text").fill("Which bulb?\n\nBye")
    page.get_by_role("button", name="Send", exact=True).click()
    eventually(lambda: ledger.taken)
    assert part_of(ledger.taken[0], "plain").startswith("Which bulb?\n\nBye\n")
